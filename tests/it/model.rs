//! A second, naive telling of the session: what each command is answered with, and what is accepted in the end.
//! Compared with the machine under random commands, in random packets.

use crate::dialogue::{Accepted, Driver, Heard, Setup};
use crate::dialogue_memory::Memory;
use proptest::prelude::*;
use proptest::sample::select;

const SIZE_MAX: usize = 24;
const RECIPIENTS_MAX: usize = 3;

/// What a client may do.
#[derive(Clone, Debug)]
enum Act {
    /// A line with its reply, which is the same at any time.
    Fixed(&'static str, u16),
    Hello(&'static str),
    BadHello,
    Mail(&'static str),
    Rcpt(&'static str),
    /// The text follows only if it is asked for.
    Data(Vec<u8>),
    Bdat(Vec<u8>, &'static str),
    Rset,
    Quit,
}

const GOOD_MAIL: &str = "MAIL FROM:<carol@example.org> BODY=8BITMIME";
const BIG_MAIL: &str = "MAIL FROM:<carol@example.org> SIZE=25";
const GOOD_RCPT: &str = "RCPT TO:<alice@example.com>";
const UNKNOWN_RCPT: &str = "RCPT TO:<nobody@example.com>";

/// The whole state of a session.
#[derive(Default)]
struct Model {
    lmtp: bool,
    hello: bool,
    mail: bool,
    recipients: usize,
    chunks: Option<Vec<u8>>,
    closed: bool,
    accepted: Vec<Accepted>,
}

impl Model {
    /// The codes of the replies; what the client sends goes to `wire`.
    fn act(&mut self, act: &Act, wire: &mut Vec<u8>) -> Vec<u16> {
        let mut say = |line: &str| wire.extend_from_slice(format!("{line}\r\n").as_bytes());
        match act {
            Act::Fixed(line, code) => {
                wire.extend_from_slice(line.as_bytes());
                vec![*code]
            }
            Act::Hello(verb) => {
                say(&format!("{verb} client.example.org"));
                let ours = (*verb == "LHLO") == self.lmtp;
                if ours {
                    self.reset();
                    self.hello = true;
                }
                vec![if ours { 250 } else { 500 }]
            }
            Act::BadHello => {
                say(if self.lmtp { "LHLO" } else { "EHLO" });
                vec![501]
            }
            Act::Mail(line) => {
                say(line);
                vec![self.mail(line)]
            }
            Act::Rcpt(line) => {
                say(line);
                vec![self.rcpt(line)]
            }
            Act::Data(text) => {
                say("DATA");
                if !self.mail || self.recipients == 0 || self.chunks.is_some() {
                    return vec![503];
                }
                let mut replies = vec![354];
                replies.extend(self.text(text, wire));
                replies
            }
            Act::Bdat(octets, tail) => {
                say(&format!("BDAT {}{tail}", octets.len()));
                wire.extend_from_slice(octets);
                self.bdat(octets, tail)
            }
            Act::Rset => {
                say("RSET");
                self.reset();
                vec![250]
            }
            Act::Quit => {
                say("QUIT");
                self.closed = true;
                vec![221]
            }
        }
    }

    fn mail(&mut self, line: &str) -> u16 {
        match line {
            _ if !self.hello || self.mail => 503,
            GOOD_MAIL => {
                self.mail = true;
                250
            }
            BIG_MAIL => 552,
            _ => 501,
        }
    }

    fn rcpt(&mut self, line: &str) -> u16 {
        match line {
            _ if !self.mail || self.chunks.is_some() => 503,
            GOOD_RCPT | UNKNOWN_RCPT if self.recipients == RECIPIENTS_MAX => 452,
            GOOD_RCPT => {
                self.recipients += 1;
                250
            }
            UNKNOWN_RCPT => 550,
            _ => 501,
        }
    }

    fn text(&mut self, text: &[u8], wire: &mut Vec<u8>) -> Vec<u16> {
        let mut octets = text.to_vec();
        if !octets.is_empty() && !octets.ends_with(b"\r\n") {
            octets.extend_from_slice(b"\r\n");
        }
        for (at, octet) in octets.iter().enumerate() {
            if *octet == b'.' && (at == 0 || octets[..at].ends_with(b"\r\n")) {
                wire.push(b'.');
            }
            wire.push(*octet);
        }
        wire.extend_from_slice(b".\r\n");
        self.end(octets)
    }

    fn bdat(&mut self, octets: &[u8], tail: &str) -> Vec<u16> {
        if !self.mail || self.recipients == 0 {
            return vec![503];
        }
        if tail == " FIRST" {
            self.reset();
            return vec![501];
        }
        let mut message = self.chunks.take().unwrap_or_default();
        message.extend_from_slice(octets);
        if tail == " LAST" {
            return self.end(message);
        }
        // A CR at the end is nothing yet.
        let known = message.strip_suffix(b"\r").unwrap_or(&message);
        if over_size(known) {
            self.reset();
            self.closed = defect(known).is_some();
            return vec![552];
        }
        self.chunks = Some(message);
        vec![250]
    }

    fn end(&mut self, octets: Vec<u8>) -> Vec<u16> {
        let due = if self.lmtp { self.recipients } else { 1 };
        let defect = defect(&octets);
        let code = match defect {
            _ if over_size(&octets) => 552,
            Some(_) => 550,
            None => 250,
        };
        self.closed = defect.is_some();
        if code == 250 {
            let mut envelope = vec!["<carol@example.org>".to_owned()];
            envelope.resize(1 + self.recipients, "<alice@example.com>".to_owned());
            self.accepted.push(Accepted { envelope, octets });
        }
        self.reset();
        vec![code; due]
    }

    fn reset(&mut self) {
        self.mail = false;
        self.recipients = 0;
        self.chunks = None;
    }
}

/// The place of the first octet that no message may have.
fn defect(octets: &[u8]) -> Option<usize> {
    (0..octets.len()).find(|&at| match octets[at] {
        0 => true,
        b'\r' => octets.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || octets[at - 1] != b'\r',
        _ => false,
    })
}

/// Whether the size limit is crossed by an octet before the first defect.
fn over_size(octets: &[u8]) -> bool {
    defect(octets).unwrap_or(octets.len()) > SIZE_MAX
}

fn act() -> impl Strategy<Value = Act> {
    let octets = || {
        let word = select(vec!["a", ".", "\r\n", "\r\n", "bcd", "\r\n.\r\n", "é", "\r", "\n", "\0", "xxxxxxxxxxx"]);
        // Defects are to be seldom, or few messages are accepted.
        let clean = select(vec!["a", ".", "\r\n", "bcd", "..", "\r\n.", "e: f\r\n"]);
        let join = |words: Vec<&str>| words.concat().into_bytes();
        prop_oneof![
            1 => prop::collection::vec(word, 0..6).prop_map(join),
            4 => prop::collection::vec(clean, 0..6).prop_map(join),
        ]
    };
    prop_oneof![
        3 => select(vec!["EHLO", "HELO", "LHLO"]).prop_map(Act::Hello),
        1 => Just(Act::BadHello),
        6 => Just(Act::Mail(GOOD_MAIL)),
        1 => select(vec![BIG_MAIL, "MAIL FROM:<carol>", "MAIL"]).prop_map(Act::Mail),
        8 => Just(Act::Rcpt(GOOD_RCPT)),
        2 => select(vec![UNKNOWN_RCPT, "RCPT TO:<alice>", "RCPT TO:<>"]).prop_map(Act::Rcpt),
        5 => octets().prop_map(Act::Data),
        6 => (octets(), select(vec!["", "", " LAST", " LAST", " FIRST"])).prop_map(|(o, t)| Act::Bdat(o, t)),
        1 => Just(Act::Rset),
        1 => Just(Act::Quit),
        2 => select(vec![
            ("NOOP\r\n", 250),
            ("VRFY alice\r\n", 252),
            ("HELP\r\n", 214),
            ("XYZZY\r\n", 500),
            ("NOOP\n", 500),
            ("NO\rOP\r\n", 500),
            ("\0\r\n", 500),
            ("STARTTLS\r\n", 502),
            ("DATA x\n", 500),
        ])
        .prop_map(|(line, code)| Act::Fixed(line, code)),
    ]
}

/// The codes of all replies, one per reply, and whether the server closed.
fn hear_all(memory: &mut Memory) -> (Vec<u16>, bool) {
    let mut codes = Vec::new();
    loop {
        match memory.hear() {
            Heard::Line(line) if line.as_bytes().get(3) == Some(&b'-') => {}
            Heard::Line(line) => codes.push(line[..3].parse().expect("a code")),
            Heard::Closed => return (codes, true),
            Heard::Silence | Heard::Broken(_) => return (codes, false),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn machine_and_model_agree(
        lmtp in any::<bool>(),
        acts in prop::collection::vec(act(), 0..30),
        packets in prop::collection::vec(1..40usize, 1..20),
    ) {
        let (mut model, mut wire) = (Model { lmtp, ..Model::default() }, Vec::new());
        let mut expected = vec![220];
        let first = Act::Hello(if lmtp { "LHLO" } else { "EHLO" });
        // Most sessions begin well.
        let start = if packets.len() % 4 == 0 { None } else { Some(&first) };
        for act in start.into_iter().chain(&acts) {
            if model.closed {
                break;
            }
            expected.extend(model.act(act, &mut wire));
        }
        let mut setup = Setup { lmtp, ..Setup::default() };
        setup.limits.message_size = SIZE_MAX as u64;
        setup.limits.recipients = RECIPIENTS_MAX;
        setup.limits.errors = u32::MAX;
        setup.limits.idle_commands = u32::MAX;
        let mut memory = Memory::new(&setup);
        let mut rest = &wire[..];
        for size in packets.iter().cycle() {
            let (packet, after) = rest.split_at((*size).min(rest.len()));
            if packet.is_empty() {
                break;
            }
            memory.send(packet);
            rest = after;
        }
        prop_assert_eq!(hear_all(&mut memory), (expected, model.closed), "{}", wire.escape_ascii());
        prop_assert_eq!(memory.accepted(), Ok(Some(model.accepted)), "{}", wire.escape_ascii());
    }
}
