//! Messages in a million pieces.

use super::memory::worked;
use super::{Flood, HELLO, MIB, TO_ALICE, attacked, flood, warm};
use std::time::Duration;

/// A message whose chunks are these, the header's first; the processor time of each quarter of them.
fn in_chunks(server: &crate::server::Server, count: usize, chunk: impl Fn(usize) -> String) -> Vec<Duration> {
    let mut flood = Flood::begin(server.address(0), &format!("{HELLO}{TO_ALICE}"));
    let (mut quarters, mut since) = (Vec::new(), worked(server.pid()));
    let mut octets = String::new();
    for n in 0..count {
        octets += &chunk(n);
        let quarter = (n + 1) % (count / 4) == 0;
        if octets.len() > 16 << 10 || quarter {
            flood.send(octets.as_bytes()).expect("chunks are taken");
            octets.clear();
        }
        if quarter {
            // What is still in transit is no work yet.
            flood.hears(n + 1);
            let now = worked(server.pid());
            quarters.push(now - since);
            since = now;
        }
    }
    flood.send(b"BDAT 3 LAST\r\n.\r\nQUIT\r\n").expect("the end is taken");
    let replies = flood.end();
    assert!(replies.contains(" Ok: queued as "), "{replies}");
    quarters
}

/// What was sent last costs no more than what was sent first.
fn is_linear(what: &str, quarters: &[Duration]) {
    println!("{what}: the quarters took {quarters:?} of the processor");
    // The mail of others makes it uneven; were it quadratic, it would be seven times as much.
    let (first, last) = (quarters[0], quarters[3]);
    assert!(last < 2 * first + Duration::from_millis(200), "{what}: {quarters:?}");
}

#[test]
fn a_message_in_a_million_chunks() {
    let server = warm("");
    let octet = |n: usize| match n {
        // A header, too, comes octet by octet: "X:xxx…", and the blank line.
        0 => "BDAT 1\r\nX",
        1 => "BDAT 1\r\n:",
        20_000 | 20_002 => "BDAT 1\r\n\r",
        20_001 | 20_003 => "BDAT 1\r\n\n",
        _ => "BDAT 1\r\nx",
    };
    attacked("chunks of one octet", &server, 8 * MIB, || {
        is_linear("chunks of one octet", &in_chunks(&server, flood(), |n| octet(n).into()));
    });
    attacked("empty chunks", &server, 4 * MIB, || {
        is_linear("empty chunks", &in_chunks(&server, flood(), |_| "BDAT 0\r\n".into()));
    });
}
