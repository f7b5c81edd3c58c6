//! Dialogues: conversations with a server, written down, whose grammar `tests/dialogues/README.md` tells. The parser and the
//! runner; what is talked to is behind [`Driver`].

mod packets;
mod setup;
mod text;

pub use packets::Packets;
pub use setup::{Setup, Trusted};

use packets::cut;
use std::fmt::Write as _;
use text::{matches, unescape};

/// One end of a connection to a server.
pub trait Driver {
    /// Sends octets as one packet.
    fn send(&mut self, octets: &[u8]);
    /// Waits for the next line of the server, without its CRLF.
    fn hear(&mut self) -> Heard;
    /// Does the client's part of a TLS handshake. The error says why it could not.
    fn handshake(&mut self) -> Result<(), String> {
        Err("there is no TLS here".to_owned())
    }
    /// Has nothing more to send.
    fn leave(&mut self) {}
    /// Goes away, and returns the messages that the server has accepted, if that can be told. The error says why they could
    /// not be had.
    fn accepted(&mut self) -> Result<Option<Vec<Accepted>>, String>;
}

/// What there is to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line.
    Line(String),
    /// The server has closed.
    Closed,
    /// The server waits for the client.
    Silence,
    /// The connection broke, and how.
    Broken(String),
}

/// An accepted message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The reverse-path, then each forward-path.
    pub envelope: Vec<String>,
    /// The octets as the client meant them.
    pub octets: Vec<u8>,
}

/// One line of a conversation.
#[derive(Clone, Debug)]
enum Turn {
    Send(Vec<u8>),
    Line(String),
    Reply(String),
    Close,
    Handshake,
}

/// A message that is to be accepted; without octets, any will do, and the envelope may be that of several in a row.
#[derive(Clone, Debug, Default)]
struct Expected {
    envelope: Vec<String>,
    octets: Option<Vec<u8>>,
}

/// A conversation.
#[derive(Debug)]
pub struct Dialogue {
    /// Its file's name.
    pub name: String,
    /// What the server is to be like.
    pub setup: Setup,
    /// With the number of the line.
    turns: Vec<(usize, Turn)>,
    expected: Vec<Expected>,
}

impl Dialogue {
    /// Reads a dialogue. The error names the line.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let (turns, expected) = (Vec::new(), Vec::new());
        let mut dialogue = Self { name: name.to_owned(), setup: Setup::default(), turns, expected };
        for (index, line) in text.lines().enumerate() {
            if !line.is_empty() && !line.starts_with('#') {
                let read = dialogue.line(index + 1, line);
                read.map_err(|why| format!("{name}:{}: {why}: {line}", index + 1))?;
            }
        }
        Ok(dialogue)
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let (kind, text) = line.split_at_checked(2).ok_or("this is no line of a dialogue")?;
        let text = text.strip_prefix(' ').unwrap_or(text);
        let octets = || unescape(text).ok_or("there is no such escape");
        let turn = match kind {
            "= " if self.turns.is_empty() => return self.setup.set(text),
            "= " => return Err("set-up comes before the first exchange".to_owned()),
            "C:" => Turn::Send(format!("{text}\r\n").into_bytes()),
            "C>" => Turn::Send(octets()?),
            "T:" => Turn::Handshake,
            "S:" if text == "<close>" => Turn::Close,
            "S:" => Turn::Line(text.to_owned()),
            "S*" => Turn::Reply(text.to_owned()),
            "E:" => {
                self.envelope(text);
                return Ok(());
            }
            "M:" => return self.content(format!("{text}\r\n").into_bytes()),
            "M>" => return self.content(octets()?),
            _ => return Err("this is no line of a dialogue".to_owned()),
        };
        self.turns.push((number, turn));
        Ok(())
    }

    /// An envelope line after a message's octets, or the first of all, begins the next message.
    fn envelope(&mut self, text: &str) {
        if self.expected.last().is_none_or(|expected| expected.octets.is_some()) {
            self.expected.push(Expected::default());
        }
        if let Some(expected) = self.expected.last_mut() {
            expected.envelope.push(text.to_owned());
        }
    }

    fn content(&mut self, octets: Vec<u8>) -> Result<(), String> {
        let expected = self.expected.last_mut().ok_or("a message begins with its envelope, `E:`")?;
        expected.octets.get_or_insert_default().extend(octets);
        Ok(())
    }

    /// Talks to the server and checks all that it says. The error is what was expected, and the conversation up to there.
    pub fn run(&self, driver: &mut impl Driver, packets: Packets) -> Result<(), String> {
        let mut heard = Vec::new();
        self.send_from(0, driver, packets);
        for (at, (number, turn)) in self.turns.iter().enumerate() {
            let wrong = |what| format!("{}:{number}: {what}", self.name);
            match turn {
                Turn::Send(octets) if matches!(packets, Packets::AsWritten) => driver.send(octets),
                Turn::Send(_) => {}
                Turn::Handshake => {
                    driver.handshake().map_err(|why| wrong(format!("the handshake: {why}")))?;
                    self.send_from(at + 1, driver, packets);
                }
                Turn::Close => expect(driver, &mut heard, "<close>", |h| *h == Heard::Closed).map_err(wrong)?,
                Turn::Line(line) => {
                    let fits = |h: &Heard| matches!(h, Heard::Line(l) if matches(line, l));
                    expect(driver, &mut heard, line, fits).map_err(wrong)?;
                }
                Turn::Reply(code) => whole_reply(driver, &mut heard, code).map_err(wrong)?,
            }
            if self.setup.proxied && at == 1 {
                // Behind the header the client waits for the greeting, as any other does.
                self.send_from(at + 1, driver, packets);
            }
        }
        self.finish(driver, &mut heard).map_err(|what| format!("{}: {what}", self.name))
    }

    /// Sends what the client says from there to the next handshake, unless each line is sent in its turn.
    fn send_from(&self, at: usize, driver: &mut impl Driver, packets: Packets) {
        if matches!(packets, Packets::AsWritten) {
            return;
        }
        let turns = self.turns.iter().skip(at).map(|(_, turn)| turn);
        let most = if self.setup.proxied && at == 0 { 1 } else { usize::MAX };
        let part = turns.take_while(|turn| !matches!(turn, Turn::Handshake)).take(most);
        let octets: Vec<u8> = part.filter_map(Turn::sent).flatten().copied().collect();
        cut(&octets, packets).for_each(|packet| driver.send(packet));
    }

    fn finish(&self, driver: &mut impl Driver, heard: &mut Vec<Heard>) -> Result<(), String> {
        driver.leave();
        expect(driver, heard, "nothing more", |h| matches!(h, Heard::Closed | Heard::Silence))?;
        match driver.accepted()? {
            Some(accepted) if !self.expected.is_empty() => fits(&self.expected, &accepted),
            _ => Ok(()),
        }
    }
}

impl Turn {
    fn sent(&self) -> Option<&Vec<u8>> {
        match self {
            Self::Send(octets) => Some(octets),
            _ => None,
        }
    }
}

fn whole_reply(driver: &mut impl Driver, heard: &mut Vec<Heard>, code: &str) -> Result<(), String> {
    let more = |h: &Heard| matches!(h, Heard::Line(l) if l.starts_with(&format!("{code}-")));
    let last = |h: &Heard| matches!(h, Heard::Line(l) if l.starts_with(&format!("{code} ")));
    expect(driver, heard, code, |h| more(h) || last(h))?;
    while heard.last().is_some_and(more) {
        expect(driver, heard, code, |h| more(h) || last(h))?;
    }
    Ok(())
}

fn expect(
    driver: &mut impl Driver,
    heard: &mut Vec<Heard>,
    expected: &str,
    fits: impl Fn(&Heard) -> bool,
) -> Result<(), String> {
    let next = driver.hear();
    let ok = fits(&next);
    heard.push(next);
    let text = || heard.iter().map(|h| format!("  {h:?}\n")).collect::<String>();
    if ok { Ok(()) } else { Err(format!("expected `{expected}`, heard\n{}", text())) }
}

/// Whether these were accepted, in this order, and no others.
fn fits(expected: &[Expected], accepted: &[Accepted]) -> Result<(), String> {
    let mut rest = accepted.iter();
    for one in expected {
        let (mut envelope, mut count, mut last) = (Vec::new(), 0, None);
        while envelope.len() < one.envelope.len() {
            let Some(next) = rest.next() else { break };
            envelope.extend(next.envelope.iter().cloned());
            (count, last) = (count + 1, Some(next));
        }
        if envelope != one.envelope {
            return Err(differ("envelope", &one.envelope.join("\n"), &envelope.join("\n")));
        }
        if let Some(octets) = &one.octets
            && (count != 1 || last.is_none_or(|last| last.octets != *octets))
        {
            let got = last.map(|last| last.octets.escape_ascii().to_string()).unwrap_or_default();
            let lines = |text: &str| text.replace("\\r\\n", "\n");
            return Err(differ("message", &lines(&octets.escape_ascii().to_string()), &lines(&got)));
        }
    }
    match rest.next() {
        None => Ok(()),
        Some(more) => {
            Err(format!("one message more was accepted than expected, from and to {}", more.envelope.join(" ")))
        }
    }
}

fn differ(what: &str, expected: &str, got: &str) -> String {
    let mut text = format!("another {what} was accepted:\n");
    for (title, lines) in [("expected", expected), ("accepted", got)] {
        let _ = writeln!(text, "  {title}");
        lines.lines().for_each(|line| {
            let _ = writeln!(text, "    {line}");
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(messages: &[(&str, &str)]) -> Vec<Accepted> {
        let one = |(envelope, octets): &(&str, &str)| Accepted {
            envelope: envelope.split(' ').map(str::to_owned).collect(),
            octets: octets.as_bytes().to_vec(),
        };
        messages.iter().map(one).collect()
    }

    #[test]
    fn envelopes_alone_may_be_those_of_several_messages() {
        let parse = |text| Dialogue::parse("x", text).unwrap().expected;
        let alone = parse("E: <a>\nE: <b>\nE: <a>\nE: <c>\n");
        fits(&alone, &accepted(&[("<a> <b>", "1"), ("<a> <c>", "2")])).unwrap();
        assert!(fits(&alone, &accepted(&[("<a> <b>", "1")])).is_err());
        assert!(fits(&alone, &accepted(&[("<a> <b>", "1"), ("<a> <c>", "2"), ("<a> <b>", "1")])).is_err());
        let whole = parse("E: <a>\nE: <b>\nM: 1\nE: <a>\nE: <c>\nM>\n");
        fits(&whole, &accepted(&[("<a> <b>", "1\r\n"), ("<a> <c>", "")])).unwrap();
        assert!(fits(&whole, &accepted(&[("<a> <b>", "1\r\n"), ("<a> <c>", "2")])).is_err());
    }

    #[test]
    fn what_is_no_dialogue_is_told_with_its_line() {
        for (text, why) in [
            ("C: x\n= lmtp\n", "d:2: set-up comes before"),
            ("C> \\q\n", "d:1: there is no such escape"),
            ("M: x\n", "d:1: a message begins"),
            ("\nX: y\n", "d:2: this is no line"),
            ("= limits.hops many\n", "d:1: `many` is no number"),
        ] {
            let error = Dialogue::parse("d", text).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
