//! Questions that routing asks the DNS: who takes the mail of a domain, and where is a host.
//!
//! Answers are values, and hold whatever the DNS says, foolish or hostile: whoever routes by them sorts that out. Sinks ask
//! through [`Dns`](super::Dns) instead.

use super::dns::DnsFault;
use async_trait::async_trait;
use std::net::IpAddr;

/// Looks up what routes are made of.
///
/// Names count as complete, with or without a dot at their end, and are asked for in their ASCII form (RFC 5891). Aliases are
/// followed. An answer is never empty: no record is [`DnsFault::NotFound`], whether the name exists or not.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The MX records of a domain, in no particular order.
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsFault>;

    /// The addresses of a host, of both families as [`either`] joins them.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsFault>;
}

/// An MX record (RFC 1035 3.3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// The lower, the better.
    pub preference: u16,
    /// The host, in lower case and without the dot at its end. Empty is the root: a null MX (RFC 7505).
    pub host: String,
}

impl Mx {
    /// A record of that host, in any case and with or without a dot at its end.
    pub fn new(preference: u16, host: &str) -> Self {
        Self { preference, host: host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase() }
    }
}

/// What is known of a host after both families have been asked for, IPv6 first. An address of either is an answer. Without one,
/// that there is none is known only if both say so.
pub fn either(v6: Result<Vec<IpAddr>, DnsFault>, v4: Result<Vec<IpAddr>, DnsFault>) -> Result<Vec<IpAddr>, DnsFault> {
    match (v6, v4) {
        (Ok(mut addresses), Ok(more)) => {
            addresses.extend(more);
            Ok(addresses)
        }
        (Ok(addresses), Err(_)) | (Err(_), Ok(addresses)) => Ok(addresses),
        (Err(DnsFault::NotFound), Err(fault)) | (Err(fault @ DnsFault::Temporary(_)), Err(_)) => Err(fault),
        (Err(_), Err(fault @ DnsFault::Temporary(_))) => Err(fault),
        (Err(fault), Err(_)) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_family_is_enough_and_none_is_known_from_both_only() {
        let v6 = || Ok(vec!["2001:db8::1".parse().unwrap()]);
        let v4 = || Ok(vec!["192.0.2.1".parse().unwrap()]);
        let none = || Err(DnsFault::NotFound);
        let down = || Err(DnsFault::Temporary("down".into()));
        let bad = || Err(DnsFault::Invalid("bad".into()));
        for (name, six, four, wanted) in [
            ("both", v6(), v4(), Ok(vec!["2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap()])),
            ("IPv6 only", v6(), none(), v6()),
            ("IPv4 only", none(), v4(), v4()),
            ("IPv6, IPv4 unknown", v6(), down(), v6()),
            ("IPv4, IPv6 unknown", down(), v4(), v4()),
            ("none", none(), none(), none()),
            ("no IPv6, IPv4 unknown", none(), down(), down()),
            ("no IPv4, IPv6 unknown", down(), none(), down()),
            ("both unknown", down(), down(), down()),
            ("no name", bad(), bad(), bad()),
        ] {
            assert_eq!(either(six, four), wanted, "{name}");
        }
    }

    #[test]
    fn hosts_have_one_form() {
        assert_eq!(Mx::new(10, "MX.Example."), Mx { preference: 10, host: "mx.example".to_owned() });
        assert_eq!(Mx::new(0, ".").host, "");
    }
}
