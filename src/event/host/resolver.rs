//! Questions that routing asks the DNS: who takes the mail of a domain, and where is a host.
//!
//! Whether an answer was signed, and the signature good (RFC 4035), comes with it: what follows from an answer may be relied on no
//! more than the answer. A signature that should be there and is not good is no answer at all.
//!
//! Answers are values, and hold whatever the DNS says, foolish or hostile: whoever routes by them sorts that out. Sinks ask
//! through [`Dns`](super::Dns) instead.

use super::dns::DnsFault;
use async_trait::async_trait;
use std::fmt;
use std::net::IpAddr;

/// Looks up what routes are made of.
///
/// Names count as complete, with or without a dot at their end, and are asked for in their ASCII form (RFC 5891). Aliases are
/// followed. An answer is never empty: no record is [`DnsFault::NotFound`], whether the name exists or not.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The MX records of a domain, in no particular order.
    async fn mx(&self, domain: &str) -> Result<Signed<Vec<Mx>>, DnsFault>;

    /// The addresses of a host, of both families as [`either`] joins them.
    async fn addresses(&self, host: &str) -> Result<Signed<Vec<IpAddr>>, DnsFault>;

    /// The TLSA records of a name such as `_25._tcp.mx.example` (RFC 6698).
    async fn tlsa(&self, name: &str) -> Result<Signed<Vec<Tlsa>>, DnsFault>;

    /// The texts of a name, the strings of each joined.
    async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFault>;

    /// Whether signatures are looked at. An answer is never secure if not.
    async fn validates(&self) -> bool;
}

/// An answer, and whether it is proven to be what the owner of the zone has published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    /// The answer.
    pub data: T,
    /// All of it was signed, aliases on the way included, and every signature was good.
    pub secure: bool,
}

impl<T> Signed<T> {
    /// An answer that is not proven.
    pub fn insecure(data: T) -> Self {
        Self { data, secure: false }
    }
}

/// A TLSA record (RFC 6698 2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tlsa {
    /// Certificate usage: 2 is DANE-TA, 3 is DANE-EE (RFC 7218).
    pub usage: u8,
    /// 0: the whole certificate; 1: its public key.
    pub selector: u8,
    /// 0: as it is; 1: SHA-256; 2: SHA-512.
    pub matching: u8,
    /// What the selected part has to be.
    pub data: Vec<u8>,
}

/// `3 1 1 0123…`, as in zone files.
impl fmt::Display for Tlsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
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

/// What is known of a host in one family.
pub type Found = Result<Signed<Vec<IpAddr>>, DnsFault>;

/// What is known of a host after both families have been asked for, IPv6 first. An address of either is an answer. Without one,
/// that there is none is known only if both say so. It is secure if each part of it is.
pub fn either(v6: Found, v4: Found) -> Found {
    match (v6, v4) {
        (Ok(mut addresses), Ok(more)) => {
            addresses.data.extend(more.data);
            addresses.secure &= more.secure;
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
        let found = |ips: &[&str]| Signed::insecure(ips.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>());
        let v6 = || Ok(found(&["2001:db8::1"]));
        let v4 = || Ok(found(&["192.0.2.1"]));
        let none = || Err(DnsFault::NotFound);
        let down = || Err(DnsFault::Temporary("down".into()));
        let bad = || Err(DnsFault::Invalid("bad".into()));
        for (name, six, four, wanted) in [
            ("both", v6(), v4(), Ok(found(&["2001:db8::1", "192.0.2.1"]))),
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
    fn addresses_are_secure_if_all_are() {
        let ip: IpAddr = "192.0.2.1".parse().unwrap();
        let of = |secure| Ok(Signed { data: vec![ip], secure });
        for (six, four, secure) in [
            (of(true), of(true), true),
            (of(true), of(false), false),
            (of(false), of(true), false),
            (of(true), Err(DnsFault::NotFound), true),
        ] {
            assert_eq!(either(six, four).map(|found| found.secure), Ok(secure));
        }
    }

    #[test]
    fn hosts_have_one_form() {
        assert_eq!(Mx::new(10, "MX.Example."), Mx { preference: 10, host: "mx.example".to_owned() });
        assert_eq!(Mx::new(0, ".").host, "");
    }
}
