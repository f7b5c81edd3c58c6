//! On what terms a connection is opened: from where, as whom, under which security.

use crate::mail::Domain;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What is asked of a connection beyond the usual. A connection serves only messages that ask for the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The address of ours that it comes from.
    pub source: Option<IpAddr>,
    /// Our name, for EHLO, HELO or LHLO.
    pub helo: Option<Domain>,
    /// How secure it has to be, whatever is usual for the destination.
    pub tls: Option<TlsPolicy>,
    /// Who we are.
    pub credentials: Option<Credentials>,
}

/// How secure a connection has to be. What can't be had as it is asked for puts mail off; it never goes with less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsPolicy {
    /// No TLS, even where it is offered.
    None,
    /// TLS where it is offered, whoever the server is.
    Opportunistic,
    /// TLS, whoever the server is.
    Required,
    /// TLS with a certificate that names the server and that an authority of the machine's trust has signed.
    Verified,
    /// TLS with a certificate that the DNS names, under DNSSEC (RFC 7672).
    Dane,
}

impl TlsPolicy {
    /// All of them, the weakest first.
    pub const ALL: [Self; 5] = [Self::None, Self::Opportunistic, Self::Required, Self::Verified, Self::Dane];

    /// As settings and sinks name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Opportunistic => "opportunistic",
            Self::Required => "required",
            Self::Verified => "verified",
            Self::Dane => "dane",
        }
    }
}

impl fmt::Display for TlsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPolicy(String);

impl fmt::Display for NoPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no TLS policy; write none, opportunistic, required, verified or dane", self.0)
    }
}

impl std::error::Error for NoPolicy {}

impl FromStr for TlsPolicy {
    type Err = NoPolicy;
    fn from_str(text: &str) -> Result<Self, NoPolicy> {
        let found = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        found.ok_or_else(|| NoPolicy(text.chars().take(80).collect()))
    }
}

/// A name and what proves it, for AUTH (RFC 4954).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password, or the token of XOAUTH2 and OAUTHBEARER.
    pub secret: String,
    /// The mechanism; without one, the strongest of those that are offered.
    pub mechanism: Option<String>,
}

/// Without the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_as_they_are_written() {
        for policy in TlsPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert!("strict".parse::<TlsPolicy>().is_err());
    }

    #[test]
    fn no_secret_is_told() {
        let credentials = Credentials { user: "u".into(), secret: "hush".into(), mechanism: None };
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
