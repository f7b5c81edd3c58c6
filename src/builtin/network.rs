//! How much of a client's address stands for the client: senders move within their network.

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error};
use std::net::IpAddr;

/// The prefix lengths that make a client's network: `network = { ipv4 = 24, ipv6 = 64 }`, which is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mask {
    #[serde(deserialize_with = "prefix::<_, 32>")]
    ipv4: u8,
    #[serde(deserialize_with = "prefix::<_, 128>")]
    ipv6: u8,
}

impl Default for Mask {
    fn default() -> Self {
        Self { ipv4: 24, ipv6: 64 }
    }
}

impl Mask {
    /// The network of a client. An IPv4 address that comes mapped into IPv6 is the IPv4 address.
    pub(super) fn of(self, client: IpAddr) -> IpNet {
        let client = client.to_canonical();
        let length = if client.is_ipv4() { self.ipv4 } else { self.ipv6 };
        // The lengths were checked when they were read.
        IpNet::new(client, length).unwrap_or_else(|_| client.into()).trunc()
    }
}

fn prefix<'de, D: Deserializer<'de>, const MAX: u8>(deserializer: D) -> Result<u8, D::Error> {
    let length = u8::deserialize(deserializer)?;
    if (1..=MAX).contains(&length) {
        return Ok(length);
    }
    Err(D::Error::custom(format!("a prefix of {length} bits: write 1 to {MAX}; {MAX} is a single address")))
}

#[cfg(test)]
mod tests {
    use super::super::value::read;
    use super::*;

    #[test]
    fn clients_of_one_network_are_one() {
        for (client, network) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(Mask::default().of(client.parse().unwrap()), network.parse().unwrap(), "{client}");
        }
        let narrow: Mask = read("network = { ipv4 = 32 }").unwrap();
        assert_eq!(narrow.of("192.0.2.77".parse().unwrap()), "192.0.2.77/32".parse().unwrap());
        assert!(read::<Mask>("network = { ipv4 = 33 }").unwrap_err().contains("write 1 to 32"));
    }
}
