//! The mechanisms by name, and what is true of each.

use std::fmt;

/// A mechanism that this program speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mechanism {
    /// `SCRAM-SHA-256-PLUS`: SCRAM bound to the TLS connection (RFC 7677).
    ScramSha256Plus,
    /// `SCRAM-SHA-256` (RFC 7677).
    ScramSha256,
    /// `PLAIN` (RFC 4616).
    Plain,
    /// `LOGIN`: two questions, for old clients.
    Login,
    /// `EXTERNAL`: the client's certificate (RFC 4422 appendix A).
    External,
    /// `OAUTHBEARER` (RFC 7628).
    OauthBearer,
    /// `XOAUTH2`: what was before RFC 7628.
    Xoauth2,
    /// `GSSAPI`: Kerberos (RFC 4752).
    Gssapi,
}

impl Mechanism {
    /// All of them, the better ones first. EHLO announces them in this order, and clients mostly take the first that they know.
    pub const ALL: [Self; 8] = [
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::Plain,
        Self::Login,
        Self::External,
        Self::OauthBearer,
        Self::Xoauth2,
        Self::Gssapi,
    ];

    /// Its name in the registry.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::External => "EXTERNAL",
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
            Self::Gssapi => "GSSAPI",
        }
    }

    /// The mechanism of this name, in whatever case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name().eq_ignore_ascii_case(name))
    }

    /// Whether a listener on the wire learns a password or token from it.
    pub fn is_clear(self) -> bool {
        matches!(self, Self::Plain | Self::Login | Self::OauthBearer | Self::Xoauth2)
    }

    /// Whether it needs a TLS connection by its nature.
    pub fn needs_tls(self) -> bool {
        matches!(self, Self::ScramSha256Plus | Self::External)
    }

    /// Whether a password is what it is about.
    pub fn is_by_password(self) -> bool {
        matches!(self, Self::Plain | Self::Login | Self::ScramSha256 | Self::ScramSha256Plus)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether this may be the name of a mechanism: up to 20 capitals, digits, hyphens and underscores (RFC 4422 3.1).
pub fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=20).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_and_leads_back() {
        for mechanism in Mechanism::ALL {
            assert!(is_name(mechanism.name()));
            assert_eq!(Mechanism::named(&mechanism.name().to_lowercase()), Some(mechanism));
        }
        for no in ["", "plain", "A B", "ABCDEFGHIJKLMNOPQRSTU"] {
            assert!(!is_name(no), "{no}");
        }
    }
}
