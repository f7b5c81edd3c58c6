//! What a connection has to prove.

use super::roots::Roots;
use crate::event::host::Tlsa;
use crate::smtp::client::StartTls;
use std::fmt;
use std::sync::Arc;

/// What a connection has to prove before mail goes over it. Connections are shared only among those who demand the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Demand {
    /// Nothing, and TLS is not asked for.
    None,
    /// Nothing. TLS is used if it is to be had, with whatever certificate (RFC 7435).
    #[default]
    Opportunistic,
    /// The same. Whether a certificate of these names comes, that a root vouches for, is looked at and told, and nothing depends on it:
    /// a policy of MTA-STS in testing (RFC 8461 5).
    Tested {
        /// Any of them. None: the policy does not list the host.
        names: Arc<[String]>,
        /// Who may vouch.
        roots: Roots,
    },
    /// TLS, with whatever certificate.
    Required,
    /// TLS, with a certificate of these names that a root vouches for.
    Verified {
        /// Any of them.
        names: Arc<[String]>,
        /// Who may vouch.
        roots: Roots,
        /// Who wants it so.
        by: By,
    },
    /// TLS, with a certificate that a TLSA record names (RFC 7672).
    Dane {
        /// Any of them, where the record names an authority.
        names: Arc<[String]>,
        /// Securely signed, and at least one can be used.
        records: Arc<[Tlsa]>,
    },
}

/// Who has asked for a certificate to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The operator, or a sink.
    Us,
    /// The destination, by MTA-STS (RFC 8461).
    MtaSts,
}

impl Demand {
    /// When to ask for TLS.
    pub fn start_tls(&self) -> StartTls {
        match self {
            Self::None => StartTls::Never,
            Self::Opportunistic | Self::Tested { .. } => StartTls::IfOffered,
            Self::Required | Self::Verified { .. } | Self::Dane { .. } => StartTls::Required,
        }
    }

    /// Whether mail may go without TLS if that can't be had.
    pub fn does_without(&self) -> bool {
        matches!(self, Self::Opportunistic | Self::Tested { .. })
    }

    /// Whether the server has to prove who it is. REQUIRETLS goes over no other connection (RFC 8689 4.2.1).
    pub fn is_authenticated(&self) -> bool {
        matches!(self, Self::Verified { .. } | Self::Dane { .. })
    }

    /// One name of the host, and whoever vouches for it.
    pub fn verified(name: &str, roots: Roots) -> Self {
        Self::Verified { names: [name.to_owned()].into(), roots, by: By::Us }
    }
}

/// As logs name it.
impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Opportunistic => "opportunistic",
            Self::Tested { .. } => "mta-sts in testing",
            Self::Required => "required",
            Self::Verified { by: By::Us, .. } => "verified",
            Self::Verified { by: By::MtaSts, .. } => "mta-sts",
            Self::Dane { .. } => "dane",
        })
    }
}
