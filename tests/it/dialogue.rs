//! Dialogues: conversations written down in `tests/dialogues`, whose README says how. The parser and the runner;
//! what is talked to is behind [`Driver`].

use mailsluice::smtp::Limits;
use std::fs;
use std::path::{Path, PathBuf};

/// One end of a connection to a server.
pub(crate) trait Driver {
    /// Sends octets as one packet.
    fn send(&mut self, octets: &[u8]);
    /// Waits for the next line of the server, without its CRLF.
    fn hear(&mut self) -> Heard;
    /// Has nothing more to send.
    fn leave(&mut self) {}
    /// Goes away, and returns the messages that the server has accepted, if that can be told.
    fn accepted(&mut self) -> Option<Vec<Accepted>>;
}

/// What there is to hear.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Line(String),
    /// The server has closed.
    Closed,
    /// The server waits for the client.
    Silence,
}

/// An accepted message.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Accepted {
    /// The reverse-path, then each forward-path.
    pub(crate) envelope: Vec<String>,
    /// The octets as the client meant them.
    pub(crate) octets: Vec<u8>,
}

/// What the server is like.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) lmtp: bool,
    pub(crate) early: bool,
    pub(crate) vrfy: bool,
    pub(crate) expn: bool,
    pub(crate) limits: Limits,
    pub(crate) users: Vec<String>,
    pub(crate) local: Vec<String>,
    pub(crate) relay_to: Vec<String>,
    /// What stands for sinks: the whole line, as words.
    pub(crate) sinks: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            lmtp: false,
            early: false,
            vrfy: false,
            expn: false,
            limits: Limits::default(),
            users: words("alice bob postmaster"),
            local: words("example.com"),
            relay_to: Vec::new(),
            sinks: Vec::new(),
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl Setup {
    fn set(&mut self, line: &str) {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let number = || value.parse::<u64>().unwrap_or_else(|e| panic!("{line}: {e}"));
        match key {
            "lmtp" => self.lmtp = true,
            "early" => self.early = true,
            "vrfy" => self.vrfy = value == "on",
            "expn" => self.expn = value == "on",
            "limits.line" => self.limits.line = number() as usize,
            "limits.idle-commands" => self.limits.idle_commands = number() as u32,
            "limits.errors" => self.limits.errors = number() as u32,
            "limits.recipients" => self.limits.recipients = number() as usize,
            "limits.message-size" => self.limits.message_size = number(),
            "limits.header-size" => self.limits.header_size = number(),
            "limits.hops" => self.limits.hops = number() as usize,
            "users" => self.users = words(value),
            "local" => self.local = words(value),
            "relay-to" => self.relay_to = words(value),
            "claim" | "keyword" | "without" | "answer" => self.sinks.push(line.to_owned()),
            _ => panic!("unknown set-up: {line}"),
        }
    }
}

/// One line of a conversation.
#[derive(Clone, Debug)]
enum Turn {
    Send(Vec<u8>),
    Line(String),
    Reply(String),
    Close,
}

/// A conversation.
#[derive(Debug)]
pub(crate) struct Dialogue {
    pub(crate) name: String,
    pub(crate) setup: Setup,
    turns: Vec<Turn>,
    accepted: Vec<Accepted>,
}

/// How the client's octets are cut into packets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packets {
    /// A packet per line, and each reply awaited before the next.
    AsWritten,
    /// All at once.
    One,
    /// A packet per octet.
    Octets,
    /// Cut where chance will have it.
    Random(u64),
}

/// All dialogues, in the order of their names.
pub(crate) fn all() -> Vec<Dialogue> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let files = fs::read_dir(folder).expect("tests/dialogues").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "smtp")).collect();
    files.sort();
    files.iter().map(|p| parse(p)).collect()
}

fn parse(path: &Path) -> Dialogue {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut dialogue = Dialogue { name, setup: Setup::default(), turns: Vec::new(), accepted: Vec::new() };
    for (number, line) in text.lines().enumerate() {
        if !line.is_empty() && !line.starts_with('#') {
            dialogue.line(line).unwrap_or_else(|| panic!("{}:{}: {line}", dialogue.name, number + 1));
        }
    }
    dialogue
}

impl Dialogue {
    fn line(&mut self, line: &str) -> Option<()> {
        let (kind, text) = line.split_at_checked(2)?;
        let text = text.strip_prefix(' ').unwrap_or(text);
        match kind {
            "= " => self.turns.is_empty().then(|| self.setup.set(text))?,
            "C:" => self.turns.push(Turn::Send(format!("{text}\r\n").into_bytes())),
            "C>" => self.turns.push(Turn::Send(unescape(text)?)),
            "S:" if text == "<close>" => self.turns.push(Turn::Close),
            "S:" => self.turns.push(Turn::Line(text.to_owned())),
            "S*" => self.turns.push(Turn::Reply(text.to_owned())),
            "E:" => self.envelope(text),
            "M:" => self.accepted.last_mut()?.octets.extend(format!("{text}\r\n").into_bytes()),
            "M>" => self.accepted.last_mut()?.octets.extend(unescape(text)?),
            _ => return None,
        }
        Some(())
    }

    /// An envelope line after a message's octets, or the first of all, begins the next message.
    fn envelope(&mut self, text: &str) {
        if self.accepted.last().is_none_or(|a| !a.octets.is_empty()) {
            self.accepted.push(Accepted::default());
        }
        if let Some(accepted) = self.accepted.last_mut() {
            accepted.envelope.push(text.to_owned());
        }
    }

    /// Talks to the server and checks all that it says. The error is the conversation up to where it went wrong.
    pub(crate) fn run(&self, driver: &mut impl Driver, packets: Packets) -> Result<(), String> {
        let mut heard = Vec::new();
        if !matches!(packets, Packets::AsWritten) {
            let octets: Vec<u8> = self.turns.iter().filter_map(Turn::sent).flatten().copied().collect();
            cut(&octets, packets).for_each(|packet| driver.send(packet));
        }
        for turn in &self.turns {
            match turn {
                Turn::Send(octets) if matches!(packets, Packets::AsWritten) => driver.send(octets),
                Turn::Send(_) => {}
                Turn::Close => expect(driver, &mut heard, "<close>", |h| *h == Heard::Closed)?,
                Turn::Line(line) => {
                    expect(driver, &mut heard, line, |h| matches!(h, Heard::Line(l) if matches(line, l)))?;
                }
                Turn::Reply(code) => {
                    let more = |h: &Heard| matches!(h, Heard::Line(l) if l.starts_with(&format!("{code}-")));
                    let last = |h: &Heard| matches!(h, Heard::Line(l) if l.starts_with(&format!("{code} ")));
                    expect(driver, &mut heard, code, |h| more(h) || last(h))?;
                    while heard.last().is_some_and(more) {
                        expect(driver, &mut heard, code, |h| more(h) || last(h))?;
                    }
                }
            }
        }
        self.finish(driver, &mut heard)
    }

    fn finish(&self, driver: &mut impl Driver, heard: &mut Vec<Heard>) -> Result<(), String> {
        driver.leave();
        expect(driver, heard, "nothing more", |h| !matches!(h, Heard::Line(_)))?;
        match driver.accepted() {
            Some(accepted) if !self.accepted.is_empty() && accepted != self.accepted => {
                Err(format!("accepted {accepted:#?}, expected {:#?}", self.accepted))
            }
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
    if ok { Ok(()) } else { Err(format!("expected {expected}, heard\n{}", text())) }
}

/// Whether the line fits the pattern, in which `*` stands for any text.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let kind = rest.chars().next()?;
        rest = &rest[kind.len_utf8()..];
        match kind {
            'r' => out.push(b'\r'),
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            '0' => out.push(0),
            '\\' => out.push(b'\\'),
            'x' => {
                let (hex, tail) = rest.split_at_checked(2)?;
                out.push(u8::from_str_radix(hex, 16).ok()?);
                rest = tail;
            }
            '*' => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let times: usize = rest[..digits].parse().ok()?;
                rest = &rest[digits..];
                let octet = *out.last()?;
                out.extend(std::iter::repeat_n(octet, times.checked_sub(1)?));
            }
            _ => return None,
        }
    }
    Some(out)
}

fn cut(octets: &[u8], packets: Packets) -> impl Iterator<Item = &[u8]> {
    let mut random = match packets {
        Packets::Random(seed) => seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        _ => 0,
    };
    let mut rest = octets;
    std::iter::from_fn(move || {
        // Xorshift; packets of 1 to 32 octets are most likely to part what must not be parted.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let size = match packets {
            Packets::Octets => 1,
            Packets::Random(_) => 1 + (random % 32) as usize,
            Packets::AsWritten | Packets::One => rest.len(),
        };
        let (packet, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        (!packet.is_empty()).then_some(packet)
    })
}

#[test]
fn patterns() {
    assert!(matches("250 *", "250 2.0.0 ok") && matches("250 *", "250 ") && matches("250", "250"));
    assert!(matches("a*b*c", "aXbYc") && !matches("a*b*c", "aXcYb") && !matches("250", "250 ok"));
    assert_eq!(unescape(r"a\*3\r\n\x16\0\\"), Some(b"aaa\r\n\x16\0\\".to_vec()));
    assert_eq!(unescape(r"\q"), None);
}
