//! Names of hosts as reports have them: what came from outside may be anything, so only names and addresses pass as such.

use super::field::inert;
use crate::mail::{Domain, Host};
use std::net::IpAddr;

/// Our own name, in ASCII.
pub(super) fn ours(hostname: &Domain) -> String {
    // What IDNA can't map has no form in ASCII; nobody should be called so.
    hostname.key().replace(|c: char| !c.is_ascii(), "-")
}

/// The host of `host:port` or `host:port [address]`; an address without brackets.
pub(super) fn remote(text: &str) -> &str {
    let first = text.split_ascii_whitespace().next().unwrap_or_default();
    let host = match first.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => first,
    };
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

/// A host as the type `dns` has it (RFC 3464 2.1.2): a name, or an address in brackets.
pub(super) fn dns(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => format!("dns; [{ip}]"),
        Ok(IpAddr::V6(ip)) => format!("dns; [IPv6:{ip}]"),
        Err(_) => format!("dns; {}", inert(host, false)),
    }
}

/// What a client called itself, if that is a name or an address: the type has nothing else.
pub(super) fn client(helo: &str) -> Option<String> {
    let domain = Domain::parse(helo).ok()?;
    match domain.host() {
        Host::Address(ip) => Some(dns(&ip.to_string())),
        Host::Name(_) => Some(format!("dns; {}", ours(&domain))),
        Host::General(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_hosts() {
        for (text, host, dns_form) in [
            ("mx.example:25 [192.0.2.1]", "mx.example", "dns; mx.example"),
            ("192.0.2.1:25", "192.0.2.1", "dns; [192.0.2.1]"),
            ("[2001:db8::1]:25", "2001:db8::1", "dns; [IPv6:2001:db8::1]"),
            ("mx.example", "mx.example", "dns; mx.example"),
            ("", "", "dns; "),
            ("a\r\nb:25", "a", "dns; a"),
            ("a\u{1}é:x", "a\u{1}é:x", "dns; a \\x{E9}:x"),
        ] {
            assert_eq!((remote(text), dns(remote(text)).as_str()), (host, dns_form), "{text:?}");
        }
    }

    #[test]
    fn clients_that_say_who_they_are() {
        assert_eq!(client("Client.example").as_deref(), Some("dns; client.example"));
        assert_eq!(client("bücher.example").as_deref(), Some("dns; xn--bcher-kva.example"));
        assert_eq!(client("[IPv6:2001:db8::1]").as_deref(), Some("dns; [IPv6:2001:db8::1]"));
        assert_eq!(client("not a host"), None);
        assert_eq!(client("a\r\nb"), None);
    }
}
