//! From what a sink or a route asks to a question of the DNS.

use crate::event::host::{RecordKind, name};
use hickory_resolver::proto::rr::{Name, RecordType};
use std::net::IpAddr;

/// The name to ask for, complete. The error says what is wrong with it.
pub(super) fn name(text: &str, kind: RecordKind) -> Result<Name, String> {
    if kind == RecordKind::Ptr
        && let Ok(ip) = text.parse::<IpAddr>()
    {
        return Ok(Name::from(ip.to_canonical()));
    }
    let ascii = name::ascii(text)?;
    Name::from_ascii(format!("{ascii}.")).map_err(|error| error.to_string())
}

pub(super) fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Txt => RecordType::TXT,
        RecordKind::Ptr => RecordType::PTR,
        RecordKind::Ns => RecordType::NS,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::Cname => RecordType::CNAME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_complete_and_in_ascii() {
        for (text, kind, asked) in [
            ("mx.example", RecordKind::A, "mx.example."),
            ("mx.example.", RecordKind::A, "mx.example."),
            ("_dmarc.example", RecordKind::Txt, "_dmarc.example."),
            ("bücher.example", RecordKind::Mx, "xn--bcher-kva.example."),
            ("192.0.2.1", RecordKind::Ptr, "1.2.0.192.in-addr.arpa."),
            ("::ffff:192.0.2.1", RecordKind::Ptr, "1.2.0.192.in-addr.arpa."),
            ("192.0.2.1", RecordKind::A, "192.0.2.1."),
        ] {
            assert_eq!(name(text, kind).map(|n| n.to_ascii()), Ok(asked.to_owned()));
        }
        let ip6 = name("2001:db8::1", RecordKind::Ptr).unwrap().to_ascii();
        assert!(ip6.starts_with("1.0.0.0.") && ip6.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa."), "{ip6}");
    }

    #[test]
    fn what_is_no_name_is_not_asked() {
        let long = "a".repeat(64);
        let many = "a.".repeat(200);
        for text in ["", ".", "a..b", ".a", "a b", "a\0b", "a\\.b", "a@b", "*", "\u{fffd}", &long, &many] {
            assert!(name(text, RecordKind::A).is_err(), "{text:?}");
        }
    }
}
