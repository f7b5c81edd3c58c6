//! A PROXY header: what is one ends exactly where the input ends, the beginning of one asks for octets of its own, and whatever else is
//! refused at the same place in whatever pieces it comes. What it says can stand in a log.
//!
//! An input is what a proxy sends.

use mailsluice::server::proxy::{LEN_MAX, Parsed, parse};

pub(super) fn proxy(data: &[u8]) {
    let mut at = 0;
    // As a connection reads it: never more than is known to belong to it.
    let end = loop {
        match parse(&data[..at]) {
            Ok(Parsed::More(count)) => {
                assert!(count > 0 && at + count <= LEN_MAX, "{at} and {count} more");
                if at == data.len() {
                    return;
                }
                at = (at + count).min(data.len());
            }
            other => break other,
        }
    };
    let Ok(Parsed::Whole(header)) = end else { return };
    for cut in 0..at {
        assert!(matches!(parse(&data[..cut]), Ok(Parsed::More(count)) if cut + count <= at), "cut at {cut}");
    }
    assert!(at == data.len() || parse(&data[..=at]).is_err(), "something may follow it");
    for text in [header.authority, header.tls].into_iter().flatten() {
        assert!(text.bytes().all(|octet| octet.is_ascii_graphic()) && text.len() <= 255, "{text:?}");
    }
}
