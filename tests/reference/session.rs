//! A second, naive telling of the session: what each command is answered with, and what is accepted in the end.
//! Whoever has acts and packets to offer, [`agree`] holds the machine against it.

use super::memory::Memory;
use mailsluice::cli::dialogue::{Accepted, Driver, Heard, Setup};
use mailsluice::smtp::{AuthMechanism, TlsOffer};

const SIZE_MAX: usize = 24;
const RECIPIENTS_MAX: usize = 3;

/// What a client may do.
#[derive(Clone, Debug)]
pub(crate) enum Act {
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
    StartTls,
    /// The argument of AUTH, and what answers the challenge if there is one.
    Auth(&'static str, &'static str),
}

/// What kind of server it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kind {
    pub(crate) lmtp: bool,
    pub(crate) tls: TlsOffer,
    /// `Some(true)`: required.
    pub(crate) auth: Option<bool>,
}

impl Kind {
    /// One of the kinds that there are; the first two offer neither TLS nor AUTH.
    pub(crate) fn numbered(n: u8) -> Self {
        let tls = [TlsOffer::None, TlsOffer::Offered, TlsOffer::Required][usize::from(n / 2 % 3)];
        Self { lmtp: n % 2 == 1, tls, auth: [None, Some(false), Some(true)][usize::from(n / 6 % 3)] }
    }

    fn setup(self) -> Setup {
        let mut setup = Setup { lmtp: self.lmtp, tls: self.tls, ..Setup::default() };
        if let Some(required) = self.auth {
            let mechanism = |name: &str, needs_tls| AuthMechanism { name: name.to_owned(), needs_tls };
            setup.auth.mechanisms = vec![mechanism(CLEAR, true), mechanism(HIDDEN, false)];
            setup.auth.required = required;
        }
        setup.limits.message_size = SIZE_MAX as u64;
        setup.limits.recipients = RECIPIENTS_MAX;
        setup.limits.errors = u32::MAX;
        setup.limits.idle_commands = u32::MAX;
        setup
    }
}

/// Needs TLS.
const CLEAR: &str = "X-CLEAR";
const HIDDEN: &str = "X-HIDDEN";
/// `yes`, which is all that the server in memory wants to hear.
const YES: &str = "eWVz";
const NO: &str = "bm8=";
pub(crate) const AUTHS: [(&str, &str); 12] = [
    ("X-HIDDEN", YES),
    ("X-HIDDEN", NO),
    ("X-HIDDEN", "*"),
    ("X-HIDDEN", "eWVz="),
    ("X-HIDDEN", ""),
    ("x-hidden eWVz", ""),
    ("X-HIDDEN bm8=", ""),
    ("X-HIDDEN =", ""),
    ("X-CLEAR eWVz", ""),
    ("X-CLEAR", YES),
    ("X-OTHER eWVz", ""),
    ("X-HIDDEN eWVz eWVz", ""),
];

pub(crate) const HELLOS: [&str; 3] = ["EHLO", "HELO", "LHLO"];
pub(crate) const GOOD_MAIL: &str = "MAIL FROM:<carol@example.org> BODY=8BITMIME";
const BIG_MAIL: &str = "MAIL FROM:<carol@example.org> SIZE=25";
pub(crate) const BAD_MAILS: [&str; 3] = [BIG_MAIL, "MAIL FROM:<carol>", "MAIL"];
pub(crate) const GOOD_RCPT: &str = "RCPT TO:<alice@example.com>";
const UNKNOWN_RCPT: &str = "RCPT TO:<nobody@example.com>";
pub(crate) const BAD_RCPTS: [&str; 3] = [UNKNOWN_RCPT, "RCPT TO:<alice>", "RCPT TO:<>"];
/// What may stand behind the size of a BDAT.
pub(crate) const TAILS: [&str; 3] = ["", " LAST", " FIRST"];
pub(crate) const FIXED: [(&str, u16); 8] = [
    ("NOOP\r\n", 250),
    ("VRFY alice\r\n", 252),
    ("HELP\r\n", 214),
    ("XYZZY\r\n", 500),
    ("NOOP\n", 500),
    ("NO\rOP\r\n", 500),
    ("\0\r\n", 500),
    ("DATA x\n", 500),
];

/// Acts as told, in packets of these sizes over and over, and compares all replies and all that is accepted.
/// `hello`: the session begins well.
pub(crate) fn agree(kind: Kind, hello: bool, acts: &[Act], packets: &[usize]) {
    let (mut model, mut wire) = (Model { kind, ..Model::default() }, vec![Vec::new()]);
    let mut expected = vec![220];
    let first = Act::Hello(if kind.lmtp { "LHLO" } else { "EHLO" });
    let start = hello.then_some(&first);
    for act in start.into_iter().chain(acts) {
        if model.closed {
            break;
        }
        let part = wire.last_mut().expect("the first part");
        expected.extend(model.act(act, part));
        if std::mem::take(&mut model.handshake) {
            wire.push(Vec::new());
        }
    }
    let mut memory = Memory::new(&kind.setup());
    for (n, part) in wire.iter().enumerate() {
        if n > 0 {
            memory.handshake().expect("STARTTLS was accepted");
        }
        send_all(&mut memory, part, packets);
    }
    let wire = wire.concat();
    assert_eq!(hear_all(&mut memory), (expected, model.closed), "{kind:?}: {}", wire.escape_ascii());
    assert_eq!(memory.accepted(), Ok(Some(model.accepted)), "{kind:?}: {}", wire.escape_ascii());
}

/// Sends the octets in packets of these sizes, over and over.
pub(crate) fn send_all(memory: &mut Memory, mut octets: &[u8], packets: &[usize]) {
    for size in packets.iter().cycle() {
        let (packet, after) = octets.split_at((*size).min(octets.len()));
        if packet.is_empty() {
            break;
        }
        memory.send(packet);
        octets = after;
    }
}

/// The codes of all replies, one per reply, and whether the server closed.
pub(crate) fn hear_all(memory: &mut Memory) -> (Vec<u16>, bool) {
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

/// The whole state of a session.
#[derive(Default)]
struct Model {
    kind: Kind,
    secure: bool,
    authenticated: bool,
    /// The client is to do a handshake next.
    handshake: bool,
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
                // What is no line is no verb either.
                let verb = line.strip_suffix("\r\n").and_then(|line| line.split(' ').next());
                vec![verb.and_then(|verb| self.barred(verb)).unwrap_or(*code)]
            }
            Act::Hello(verb) => {
                say(&format!("{verb} client.example.org"));
                if let Some(code) = self.barred(verb) {
                    return vec![code];
                }
                let ours = (*verb == "LHLO") == self.kind.lmtp;
                if ours {
                    self.reset();
                    self.hello = true;
                }
                vec![if ours { 250 } else { 500 }]
            }
            Act::BadHello => {
                say(if self.kind.lmtp { "LHLO" } else { "EHLO" });
                vec![501]
            }
            Act::Mail(line) => {
                say(line);
                vec![self.barred("MAIL").unwrap_or_else(|| self.mail(line))]
            }
            Act::Rcpt(line) => {
                say(line);
                vec![self.barred("RCPT").unwrap_or_else(|| self.rcpt(line))]
            }
            Act::Data(text) => {
                say("DATA");
                if let Some(code) = self.barred("DATA") {
                    return vec![code];
                }
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
                self.barred("BDAT").map_or_else(|| self.bdat(octets, tail), |code| vec![code])
            }
            Act::Rset => {
                say("RSET");
                if let Some(code) = self.barred("RSET") {
                    return vec![code];
                }
                self.reset();
                vec![250]
            }
            Act::Quit => {
                say("QUIT");
                self.closed = true;
                vec![221]
            }
            Act::StartTls => {
                say("STARTTLS");
                vec![self.start_tls()]
            }
            Act::Auth(argument, response) => {
                say(&format!("AUTH {argument}"));
                let mut codes = vec![self.auth(argument)];
                if codes == [334] {
                    say(response);
                    codes.push(self.respond(response));
                }
                codes
            }
        }
    }

    /// Whether the command has to wait for TLS or AUTH.
    fn barred(&self, verb: &str) -> Option<u16> {
        let tls = self.kind.tls == TlsOffer::Required && !self.secure;
        let auth = self.kind.auth == Some(true) && !self.authenticated;
        let known = ["HELO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "HELP", "AUTH"].contains(&verb);
        let before_auth = ["HELO", "RSET", "HELP", "AUTH"].contains(&verb);
        (known && (tls || auth && !before_auth)).then_some(530)
    }

    fn start_tls(&mut self) -> u16 {
        if self.kind.tls == TlsOffer::None {
            return 502;
        }
        if self.secure || !self.hello || self.mail {
            return 503;
        }
        self.reset();
        (self.secure, self.hello, self.handshake) = (true, false, true);
        self.authenticated = false;
        220
    }

    fn auth(&mut self, argument: &str) -> u16 {
        if self.kind.auth.is_none() {
            return 502;
        }
        if let Some(code) = self.barred("AUTH") {
            return code;
        }
        if self.authenticated || !self.hello || self.mail {
            return 503;
        }
        let (name, initial) = argument.split_once(' ').map_or((argument, None), |(n, i)| (n, Some(i)));
        match (name.to_uppercase().as_str(), initial) {
            (_, Some(initial)) if initial.contains(' ') => 501,
            (CLEAR, _) if !self.secure => 538,
            (CLEAR | HIDDEN, None) => 334,
            (CLEAR | HIDDEN, Some(initial)) => self.respond(initial),
            _ => 504,
        }
    }

    fn respond(&mut self, response: &str) -> u16 {
        match response {
            YES => {
                self.authenticated = true;
                235
            }
            "*" | "eWVz=" => 501,
            _ => 535,
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
        let due = if self.kind.lmtp { self.recipients } else { 1 };
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
pub(crate) fn defect(octets: &[u8]) -> Option<usize> {
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
