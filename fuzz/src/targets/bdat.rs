//! BDAT: its argument against a parser that does arithmetic on digits, and chunks, which make the same message however
//! they are cut.
//!
//! An input is the argument up to the first LF, the sizes of chunks and of packets, and the octets of a message.

use super::input::{Input, packets};
use crate::reference::memory::Memory;
use crate::reference::session::{defect, hear_all, send_all};
use mailsluice::cli::dialogue::{Accepted, Driver, Setup};
use mailsluice::smtp::bdat::{Bdat, Tail};

/// The largest chunk that is believed, 2^40 octets, in digits.
const CHUNK_MAX: &str = "1099511627776";

pub(super) fn bdat(data: &[u8]) {
    let end = data.iter().position(|octet| *octet == b'\n').unwrap_or(data.len());
    if let Ok(argument) = std::str::from_utf8(&data[..end]) {
        assert_eq!(
            Bdat::parse(argument).map(|bdat| (bdat.size.to_string(), bdat.tail)),
            naive(argument),
            "{argument:?}"
        );
    }
    let mut input = Input(data.get(end + 1..).unwrap_or_default());
    let (chunks, sizes) = (packets(input.octet()), packets(input.octet()));
    let octets = input.0;
    let whole = received(octets, &[usize::MAX], true, &[usize::MAX]);
    assert_eq!(received(octets, &chunks, false, &sizes), whole, "chunks of {chunks:?}, packets of {sizes:?}");
    assert_eq!(received(octets, &[1], true, &[1]), whole, "octet by octet");
    match defect(octets) {
        Some(at) => assert!(whole.0 >= 500 && whole.1.is_empty(), "octet {at} should spoil it"),
        None if whole.0 == 250 => assert_eq!(whole.1.concat(), octets),
        None => assert!(whole.1.is_empty()),
    }
}

/// The size without leading zeros, and what stands behind it.
fn naive(argument: &str) -> Option<(String, Tail)> {
    let (digits, tail) = argument.split_at(argument.find(' ').unwrap_or(argument.len()));
    if !(1..=20).contains(&digits.len()) || digits.bytes().any(|b| !b.is_ascii_digit()) {
        return None;
    }
    let size = match digits.trim_start_matches('0') {
        "" => "0",
        size => size,
    };
    let tail = match tail.trim_matches(' ').to_ascii_uppercase().as_str() {
        "" => Tail::More,
        "LAST" => Tail::Last,
        _ => Tail::Unknown,
    };
    ((size.len(), size) <= (CHUNK_MAX.len(), CHUNK_MAX)).then(|| (size.to_owned(), tail))
}

/// The first reply that refuses a message in chunks of these sizes, else the last one; and what was accepted. `last`: the last chunk says so, else an
/// empty one does.
fn received(mut octets: &[u8], chunks: &[usize], last: bool, sizes: &[usize]) -> (u16, Vec<Vec<u8>>) {
    let mut wire = b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\n".to_vec();
    for size in chunks.iter().cycle() {
        let (chunk, rest) = octets.split_at((*size).min(octets.len()));
        octets = rest;
        let over = octets.is_empty() && (last || chunk.is_empty());
        wire.extend_from_slice(format!("BDAT {}{}\r\n", chunk.len(), if over { " LAST" } else { "" }).as_bytes());
        wire.extend_from_slice(chunk);
        if over {
            break;
        }
    }
    let mut memory = Memory::new(&Setup::default());
    send_all(&mut memory, &wire, sizes);
    let (codes, _) = hear_all(&mut memory);
    let accepted: Vec<Accepted> = memory.accepted().ok().flatten().unwrap_or_default();
    // A chunk that refuses the message ends the transaction: those behind it are out of turn.
    let reply = codes.iter().find(|code| **code >= 400).or(codes.last());
    (reply.copied().unwrap_or_default(), accepted.into_iter().map(|message| message.octets).collect())
}
