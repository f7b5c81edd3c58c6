//! What guests see: the same of the same message, on every machine; junk as junk; and large messages piece by piece.

use super::alone::{sink, terms};
use crate::seam::{World, at_submit};
use bytes::Bytes;
use mailsluice::event::{Binding, Decision, Dispatcher, Registered};
use mailsluice::mail::Message;
use mailsluice::wasm::{Limits, Terms};
use std::sync::Arc;
use std::time::Duration;

/// Sends this through the sink; what it made of the header.
async fn through(sink: &Arc<Registered>, content: impl Into<Bytes>) -> String {
    let mut world = World::default();
    world.transaction.letter_mut().message = Some(Message::from_bytes(content.into()));
    let binding = Binding { deadline: Duration::from_secs(60), ..at_submit(sink) };
    let decision = world.submit(&Dispatcher::new(vec![binding])).await;
    assert_eq!(decision, Decision::Proceed, "{:?}", world.last());
    String::from_utf8_lossy(world.transaction.letter.message.as_ref().unwrap().header.raw()).into_owned()
}

#[tokio::test]
async fn the_same_message_is_told_the_same_again() {
    let content = "Subject: one\r\n\r\nbody\r\n";
    let first = through(&sink("randoms", terms()), content).await;
    // Another load stands for another machine.
    let again = through(&sink("randoms", terms()), content).await;
    assert!(first.contains("X-Told: 1700000000s "), "the time is when the transaction began: {first}");
    assert!(first.contains(" 7ff8000000000000 "), "a NaN has one form: {first}");
    assert_eq!(first, again);
    let mut granted = terms();
    (granted.grants.clock, granted.grants.random) = (true, true);
    let granted = sink("randoms", granted);
    assert_ne!(through(&granted, content).await, through(&granted, content).await, "granted, they run");
}

/// A number that follows from another.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Junk: random octets among pieces of what mail is made of.
fn junk(seed: u64) -> Vec<u8> {
    const PIECES: [&[u8]; 16] = [
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=\"b\"\r\n",
        b"Content-Type: multipart/alternative; boundary=b\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Type: text/html; charset=utf-7\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Disposition: attachment; filename*=utf-8''%ff%fe\r\n",
        b"Subject: =?utf-8?b?/////w==?= =?x?q?=?=\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"=\r\n=E4=\n",
        b"\xff\xfe\x80",
        b" \t\0",
        b"From: \"a\" <b@c>, :;\r\n",
    ];
    let (mut state, mut out) = (seed * 2 + 1, Vec::new());
    for _ in 0..next(&mut state) % 60 {
        match next(&mut state) % 20 {
            n @ 0..=15 => out.extend_from_slice(PIECES[n as usize]),
            _ => (0..next(&mut state) % 40).for_each(|_| out.push(next(&mut state) as u8)),
        }
    }
    out
}

#[tokio::test]
async fn junk_is_junk_and_no_fault() {
    let limits = Limits { cpu: Duration::from_secs(10), ..Limits::default() };
    let looks = sink("junk", Terms { limits, ..terms() });
    for seed in 0..500 {
        let header = through(&looks, junk(seed)).await;
        assert!(header.contains("X-Sum: "), "{seed}: {header}");
    }
}

#[tokio::test]
async fn a_message_larger_than_the_guest_is_read_piece_by_piece() {
    // Two MiB of memory for fifty MiB of mail.
    let limits = Limits { memory: 2 << 20, cpu: Duration::from_secs(60), ..Limits::default() };
    let reads = sink("junk", Terms { limits, ..terms() });
    let mut content = b"X-Act: stream\r\n\r\n".to_vec();
    content.extend(std::iter::repeat_n(b'1', 50 << 20));
    let header = through(&reads, content).await;
    assert!(header.contains(&format!("X-Sum: {}\r\n", (50_u64 << 20) * 49)), "{header}");
}

/// How long a million steps take by the clocks that the guest has, in nanoseconds.
async fn took(granted: bool) -> Vec<u64> {
    let mut terms = terms();
    terms.limits.cpu = Duration::from_secs(10);
    terms.grants.clock = granted;
    let header = through(&sink("reaches", terms), "X-Act: clocks\r\n\r\n\r\n").await;
    let (_, told) = header.split_once("X-Took: ").expect("what the clocks say");
    told.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[tokio::test]
async fn clocks_stand_still_unless_they_are_granted() {
    assert_eq!(took(false).await, [0, 0]);
    assert!(took(true).await[0] > 0, "granted, they run");
}
