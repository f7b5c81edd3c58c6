//! The server's protocol machine, driven in memory: every question is answered with `Go`. And the message that all scenarios use.

use bytes::BytesMut;
use mailsluice::smtp::{Answer, Profile, Session, Step};
use std::hint::black_box;
use std::sync::Arc;

/// The commands of a transaction, up to the message.
pub(crate) const COMMANDS: [&str; 3] =
    ["MAIL FROM:<bob@example.org> SIZE=4096\r\n", "RCPT TO:<alice@example.com>\r\n", "DATA\r\n"];

/// A message of 4 KiB: some fields, and lines of 78 octets.
pub(crate) fn message() -> Vec<u8> {
    let mut octets = b"From: Bob <bob@example.org>\r\nTo: Alice <alice@example.com>\r\nSubject: Figures\r\n\
        Date: Sat, 1 Nov 2025 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n"
        .to_vec();
    while octets.len() < 4096 {
        let end = (octets.len() + 78).min(4094);
        octets.resize(end, b'x');
        octets.extend_from_slice(b"\r\n");
    }
    octets
}

/// Messages in one session.
pub(crate) fn messages(n: u64) {
    let mut session = Session::new(Arc::new(Profile::new("mx.example.com")));
    let mut input = BytesMut::new();
    assert_eq!(run(&mut session, &mut input, b"EHLO mx.example.org\r\n"), 250);
    let content = [message(), b".\r\n".to_vec()].concat();
    for _ in 0..n {
        for command in COMMANDS {
            run(&mut session, &mut input, command.as_bytes());
        }
        assert_eq!(run(&mut session, &mut input, &content), 250);
    }
}

/// Until it wants more input: the code of its last reply.
fn run(session: &mut Session, input: &mut BytesMut, octets: &[u8]) -> u16 {
    input.extend_from_slice(octets);
    let mut code = 0;
    loop {
        match session.next(input) {
            Step::Read => return code,
            Step::Reply(reply) => code = black_box(reply).code(),
            Step::Ask(_) => session.answer(Answer::Go).expect("the question is open"),
            Step::Body(octets) => drop(black_box(octets)),
            step => panic!("{step:?}"),
        }
    }
}
