//! Transcripts of whole sessions against scripted servers, in memory.
//!
//! A chunk of BDAT is a line of its own, escaped; each but the last has [`CHUNK`] octets.
//!
//! `T:` is the TLS handshake, which the client must have asked for. `S:` is what the server says, `C:` what the client must have sent by then. Every transcript is run with the
//! server's octets in one piece per line and octet by octet.

mod authentication;
mod chunks;
mod decisions;
mod hostile;
mod probes;
mod secure;
mod sessions;

use super::*;
use crate::mail::{BodyType, Domain, ForwardPath, ReversePath};
use bytes::BytesMut;

/// What the content of every letter is.
const CONTENT: &[u8] = b"Subject: x\r\n\r\n.hi\r\n";

/// Octets of a chunk.
const CHUNK: usize = 8;

fn letter(recipients: &[&str]) -> Letter {
    Letter {
        sender: ReversePath::parse("a@x.example").unwrap(),
        recipients: recipients
            .iter()
            .map(|r| Addressee { path: ForwardPath::parse(r).unwrap(), notify: None, orcpt: None })
            .collect(),
        body: BodyType::SevenBit,
        smtputf8: false,
        size: CONTENT.len() as u64,
        ret: None,
        envid: None,
        wishes: Wishes::default(),
    }
}

/// What a session came to.
#[derive(Debug, PartialEq)]
struct Ending {
    /// Per letter and recipient, in short form.
    outcomes: Vec<Vec<String>>,
    /// How the connection ended, in short form; empty if it is ready for more.
    reason: String,
    /// What was asked, replies left out.
    points: Vec<Point>,
}

fn short(outcome: &RcptOutcome) -> String {
    match outcome {
        RcptOutcome::Delivered(reply) => format!("delivered {}", reply.code()),
        RcptOutcome::Deferred(cause) => format!("deferred {}", short_cause(cause)),
        RcptOutcome::Failed(cause) => format!("failed {}", short_cause(cause)),
    }
}

fn short_cause(cause: &Cause) -> String {
    match cause {
        Cause::Reply { stage, reply } => format!("{stage:?} {}", reply.code()),
        Cause::Ours { stage, reply } => format!("{stage:?} ours {}", reply.code()),
        Cause::Trouble { stage, trouble } => {
            let name: String = format!("{trouble:?}").chars().take_while(|c| c.is_alphanumeric()).collect();
            format!("{stage:?} {name} {}", trouble.status())
        }
    }
}

/// Plays a script against a client.
struct Play<'a> {
    script: Vec<&'a str>,
    at: usize,
    sent: String,
    split: bool,
    pending: Vec<u8>,
}

impl Play<'_> {
    /// The client reads: everything it should have sent must be there, then the server's next line comes.
    fn feed(&mut self, client: &mut Client, input: &mut BytesMut) {
        if self.pending.is_empty() {
            self.check_sent();
            let Some(line) = self.script.get(self.at).and_then(|l| l.strip_prefix("S: ")) else {
                return client.lost(Trouble::Closed);
            };
            self.at += 1;
            match line {
                "<close>" => return client.lost(Trouble::Closed),
                "<hang>" => return client.lost(Trouble::TimedOut),
                _ => {}
            }
            let line = line.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
            self.pending = if line.ends_with('\n') { line.into_bytes() } else { (line + "\r\n").into_bytes() };
        }
        let take = if self.split { 1 } else { self.pending.len() };
        input.extend_from_slice(&self.pending.drain(..take).collect::<Vec<_>>());
    }

    fn check_sent(&mut self) {
        while let Some(line) = self.script.get(self.at).and_then(|l| l.strip_prefix("C: ")) {
            let (first, rest) = self.sent.split_once("\r\n").unwrap_or_else(|| panic!("`{line}` was not sent"));
            assert_eq!(first, line, "at line {}", self.at + 1);
            (self.sent, self.at) = (rest.to_owned(), self.at + 1);
        }
        assert_eq!(self.sent, "", "sent more than the script has before line {}", self.at + 1);
    }
}

fn client(lmtp: bool, quit: bool) -> Client {
    let mut client = Client::new(Hop { helo: Domain::parse("me.example").unwrap(), lmtp });
    if quit {
        client.quit();
    }
    client
}

fn run_once(lmtp: bool, letters: &[Letter], quit: bool, script: &str, split: bool) -> Ending {
    let mut client = client(lmtp, quit);
    letters.iter().for_each(|l| client.start(l.clone()));
    play(client, script, split)
}

fn play(client: Client, script: &str, split: bool) -> Ending {
    play_with(client, script, split, &mut |_| Decision::Proceed)
}

fn play_with(mut client: Client, script: &str, split: bool, decide: &mut dyn FnMut(&Point) -> Decision) -> Ending {
    let script: Vec<&str> = script.lines().map(str::trim_start).filter(|l| !l.is_empty()).collect();
    let mut play = Play { script, at: 0, sent: String::new(), split, pending: Vec::new() };
    let mut ending = Ending { outcomes: Vec::new(), reason: String::new(), points: Vec::new() };
    let mut input = BytesMut::new();
    let mut chunks = CONTENT.chunks(CHUNK);
    let mut chunk = BytesMut::new();
    loop {
        match client.next(&mut input) {
            Step::Send(octets) => play.sent.push_str(std::str::from_utf8(&octets).unwrap()),
            Step::Read => play.feed(&mut client, &mut input),
            Step::Ask(point) => {
                let held = input.clone();
                assert_eq!(client.next(&mut input), Step::Ask(point.clone()), "an open question is told again");
                assert_eq!(held, input, "no input is taken while a question is open");
                client.answer(decide(&point));
                if !matches!(point, Point::Reply(_)) {
                    ending.points.push(point);
                }
            }
            Step::StartTls => {
                play.check_sent();
                assert_eq!(play.script.get(play.at), Some(&"T:"), "no handshake is due");
                play.at += 1;
                client.secured();
            }
            Step::SendContent => {
                let mut out = BytesMut::new();
                let mut encoder = client.encoder();
                encoder.encode(CONTENT, &mut out);
                encoder.finish(&mut out);
                play.sent.push_str(std::str::from_utf8(&out).unwrap());
                client.body_sent();
            }
            Step::CutChunk => {
                chunk.clear();
                client.encoder().encode(chunks.next().expect("the last chunk is known as such"), &mut chunk);
                client.cut(chunk.len(), chunks.len() == 0);
            }
            Step::SendChunk(command) => {
                let command = std::str::from_utf8(&command).unwrap();
                play.sent.push_str(&format!("{command}{}\r\n", chunk.escape_ascii()));
            }
            Step::Settled(outcomes) => ending.outcomes.push(outcomes.iter().map(short).collect()),
            Step::Ready => break,
            Step::Closed(reason) => {
                ending.reason = match reason {
                    Reason::Quit => "quit".into(),
                    Reason::Because(cause) => short_cause(&cause),
                };
                break;
            }
        }
    }
    play.check_sent();
    assert_eq!(play.script.get(play.at), None, "the script was not played to its end");
    ending
}

/// Plays an SMTP script both ways and gives what both came to.
fn run(letters: &[Letter], quit: bool, script: &str) -> Ending {
    both(false, letters, quit, script)
}

/// The same with LMTP.
fn run_lmtp(letters: &[Letter], quit: bool, script: &str) -> Ending {
    both(true, letters, quit, script)
}

fn both(lmtp: bool, letters: &[Letter], quit: bool, script: &str) -> Ending {
    let whole = run_once(lmtp, letters, quit, script, false);
    assert_eq!(whole, run_once(lmtp, letters, quit, script, true), "whole and octet by octet");
    whole
}
