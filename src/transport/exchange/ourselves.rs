//! How mail is kept from coming back to the server that sends it (RFC 5321 5.1).

use crate::mail::domain;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What this server is known by. Mail for others never goes there.
#[derive(Clone, Copy, Debug)]
pub struct Ourselves<'a> {
    /// `hostname` of the configuration.
    pub hostname: &'a str,
    /// Where it listens on the port to which deliveries go. An address that stands for all of a machine's, `0.0.0.0` or `::`,
    /// covers the loopback addresses of its family, `::` those of both; the machine's others have to be listed beside it.
    pub addresses: &'a [IpAddr],
}

impl Ourselves<'_> {
    /// Whether a host has this server's name.
    pub(super) fn is_named(&self, host: &str) -> bool {
        domain::key(host.trim_end_matches('.')) == domain::key(self.hostname.trim_end_matches('.'))
    }

    /// Whether this server is what answers there.
    pub(super) fn is_at(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.addresses.iter().any(|own| match own.to_canonical() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => ip.is_ipv4() && ip.is_loopback(),
            // A socket of IPv6 takes IPv4 too, unless it was told not to.
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => ip.is_loopback(),
            own => own == ip,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_spelling() {
        let us = Ourselves { hostname: "MX.bücher.example", addresses: &[] };
        assert!(us.is_named("mx.xn--bcher-kva.example") && us.is_named("mx.bücher.example."));
        assert!(!us.is_named("xmx.bücher.example") && !us.is_named("bücher.example"));
    }

    #[test]
    fn addresses_in_any_form() {
        for (own, ip, is_ours) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "127.0.0.1", false),
            ("0.0.0.0", "127.0.0.2", true),
            ("0.0.0.0", "::1", false),
            ("0.0.0.0", "192.0.2.1", false),
            ("::", "127.0.0.1", true),
            ("::", "::1", true),
            ("::1", "127.0.0.1", false),
        ] {
            let us = Ourselves { hostname: "mx.example", addresses: &[own.parse().unwrap()] };
            assert_eq!(us.is_at(ip.parse().unwrap()), is_ours, "{own} {ip}");
        }
    }
}
