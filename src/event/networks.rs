//! A set of IP networks, and whether an address is in one of them.
//!
//! A look-up takes one hash per prefix length in use, however many networks there are. An IPv4 address that comes
//! mapped into IPv6 (`::ffff:192.0.2.1`), as it does on a socket that speaks both, is the IPv4 address.

use ipnet::{IpNet, Ipv4Net};
use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

/// A set of networks.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    nets: HashSet<IpNet>,
    /// The prefix lengths that occur, longest first.
    v4_lengths: Vec<u8>,
    v6_lengths: Vec<u8>,
}

impl Networks {
    /// Adds a network. Bits beyond the prefix are ignored; [`parse`] refuses them.
    pub fn insert(&mut self, net: IpNet) {
        let net = unmapped(net.trunc());
        if self.nets.insert(net) {
            let lengths = match net {
                IpNet::V4(_) => &mut self.v4_lengths,
                IpNet::V6(_) => &mut self.v6_lengths,
            };
            if let Err(at) = lengths.binary_search_by(|have| net.prefix_len().cmp(have)) {
                lengths.insert(at, net.prefix_len());
            }
        }
    }

    /// The smallest network of the set that holds `address`.
    pub fn find(&self, address: IpAddr) -> Option<IpNet> {
        let address = address.to_canonical();
        let lengths = if address.is_ipv4() { &self.v4_lengths } else { &self.v6_lengths };
        lengths.iter().find_map(|&length| {
            let net = IpNet::new(address, length).ok()?.trunc();
            self.nets.contains(&net).then_some(net)
        })
    }

    /// Whether a network of the set holds `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.find(address).is_some()
    }

    /// How many networks there are.
    pub fn len(&self) -> usize {
        self.nets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nets.is_empty()
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(nets: I) -> Self {
        let mut set = Self::default();
        nets.into_iter().for_each(|net| set.insert(net));
        set
    }
}

/// `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(net, IpNet::V4)
}

/// The text is no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// Neither an address nor `address/length`.
    NotANetwork,
    /// Bits are set beyond the prefix: the network that was probably meant.
    BitsBeyondPrefix(IpNet),
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANetwork => f.write_str("not an IP address or network, such as 192.0.2.1 or 2001:db8::/32"),
            Self::BitsBeyondPrefix(net) => {
                write!(f, "the address has bits beyond its /{}: write {net} for the whole network", net.prefix_len())
            }
        }
    }
}

impl std::error::Error for NetworkError {}

/// Reads `192.0.2.0/24`, or a single address.
pub fn parse(text: &str) -> Result<IpNet, NetworkError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let net: IpNet = text.parse().map_err(|_| NetworkError::NotANetwork)?;
    if net.addr() == net.network() { Ok(net) } else { Err(NetworkError::BitsBeyondPrefix(net.trunc())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(nets: &[&str]) -> Networks {
        nets.iter().map(|n| parse(n).unwrap()).collect()
    }

    #[test]
    fn the_smallest_network_is_found() {
        let set = set(&["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"]);
        for (address, net) in [
            ("10.1.2.3", Some("10.1.2.3/32")),
            ("10.1.2.4", Some("10.1.0.0/16")),
            ("10.2.0.0", Some("10.0.0.0/8")),
            ("192.0.2.1", Some("0.0.0.0/0")),
            ("2001:db8::1", Some("2001:db8::/32")),
            ("2001:db9::1", None),
        ] {
            assert_eq!(set.find(address.parse().unwrap()), net.map(|n| n.parse().unwrap()), "{address}");
        }
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        for spelling in ["192.0.2.0/24", "::ffff:192.0.2.0/120"] {
            let set = set(&[spelling]);
            assert!(set.contains("192.0.2.9".parse().unwrap()), "{spelling}");
            assert!(set.contains("::ffff:192.0.2.9".parse().unwrap()), "{spelling}");
            assert!(!set.contains("::192.0.2.9".parse().unwrap()), "{spelling}");
        }
        assert!(!set(&["::/0"]).contains("192.0.2.9".parse().unwrap()), "all of IPv6 is not IPv4");
    }

    #[test]
    fn what_is_no_network_says_what_to_write() {
        for bad in ["", "10.0.0", "10.0.0.0/33", "::/129", "example.com", "10.0.0.0/8 ", "[::1]", "010.0.0.1"] {
            assert_eq!(parse(bad), Err(NetworkError::NotANetwork), "{bad:?}");
        }
        let error = parse("10.1.0.0/8").unwrap_err();
        assert_eq!(error.to_string(), "the address has bits beyond its /8: write 10.0.0.0/8 for the whole network");
    }

    proptest! {
        #[test]
        fn as_a_walk_over_all_networks_finds(nets in prop::collection::vec((any::<u8>(), 0u8..=32), 0..20), probe: u8) {
            let nets: Vec<IpNet> =
                nets.into_iter().map(|(a, len)| IpNet::new([a, a, 0, a].into(), len).unwrap().trunc()).collect();
            let probe = IpAddr::from([probe, probe, 0, probe]);
            let naive = nets.iter().filter(|n| n.contains(&probe)).max_by_key(|n| n.prefix_len()).copied();
            prop_assert_eq!(nets.into_iter().collect::<Networks>().find(probe), naive);
        }
    }
}
