//! Lines and headers that never end.

use super::{Flood, HELLO, MIB, TO_ALICE, attacked, flood, warm};

/// Sends these octets again and again over some connections at a time, and returns the last replies to each.
fn without_end(address: std::net::SocketAddr, first: &str, piece: &[u8], total: usize, last: &str) -> Vec<String> {
    const CLIENTS: usize = 8;
    std::thread::scope(|scope| {
        let one = |_| {
            scope.spawn(|| {
                let mut flood = Flood::begin(address, first);
                let much = piece.repeat((64 << 10) / piece.len());
                for _ in 0..total / CLIENTS / much.len() {
                    flood.send(&much).expect("it is heard out");
                }
                flood.send(last.as_bytes()).expect("it is heard out");
                flood.end()
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(one).collect();
        clients.into_iter().map(|client| client.join().expect("a client")).collect()
    })
}

/// 300 MB where a million is the number.
fn octets() -> usize {
    flood() * 300
}

#[test]
fn a_command_line_that_never_ends() {
    let server = warm("");
    attacked("endless line", &server, 8 * MIB, || {
        for replies in without_end(server.address(0), HELLO, b"NOOP x", octets(), "\r\nQUIT\r\n") {
            let end = replies.find("500 ").unwrap_or_else(|| panic!("{replies}"));
            assert!(replies[end..].contains("\r\n221 "), "one error, and in step: {replies}");
        }
    });
}

#[test]
fn a_header_that_never_ends() {
    let server = warm("");
    let begin = format!("{HELLO}{TO_ALICE}DATA\r\n");
    // Each client's header is kept up to its limit, 256 KiB, and once more as a draft.
    for (what, piece) in [
        ("endless fields", &b"X-Field: value of it\r\n"[..]),
        ("an endless field", b" folded\r\n"),
        ("an endless header line", b"x"),
    ] {
        attacked(what, &server, 16 * MIB, || {
            for replies in without_end(server.address(0), &begin, piece, octets(), "\r\n.\r\nQUIT\r\n") {
                assert!(replies.contains("552 5.3.4 Header too big"), "{replies}");
                assert!(replies.contains("\r\n221 "), "in step: {replies}");
            }
        });
    }
}
