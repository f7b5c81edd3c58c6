//! The other end of a dialogue in memory: a server of a few dozen lines around [`Session`]. It does what a driver of the
//! machine does, and panics where the machine breaks its word.

use super::logins::Logins;
use bytes::{Buf, BytesMut};
use mailsluice::cli::dialogue::{Accepted, Driver, Heard, Setup, Trusted};
use mailsluice::mail::{Class, EnhancedCode, ForwardPath, Reply};
use mailsluice::sasl::Mechanism;
use mailsluice::server::proxy::{self, Parsed};
use mailsluice::smtp::xclient::{self, Xclient, Xforward};
use mailsluice::smtp::{Answer, Profile, Question, Session, Step, Verb, Want};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

const UNKNOWN: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");
const DENIED: Reply = Reply::new(550, EnhancedCode(5, 7, 1), "Relaying denied");
const INVALID: Reply = Reply::new(535, EnhancedCode(5, 7, 8), "Credentials invalid");
const NOT_TRUSTED: Reply = Reply::new(550, EnhancedCode(5, 7, 0), "You may not say for whom you speak here");
const QUEUED: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Queued as 0D4WM6Q2F0001");

/// A server that keeps messages in memory.
pub(crate) struct Memory {
    session: Session,
    setup: Setup,
    answers: HashMap<String, Answer>,
    input: BytesMut,
    output: VecDeque<String>,
    closed: bool,
    /// A handshake is awaited: plain octets would end it.
    handshaking: bool,
    /// So many octets of the PROXY header are known to be due, or it is there.
    header: Option<usize>,
    logins: Logins,
    draft: Accepted,
    accepted: Vec<Accepted>,
    /// Replies that still belong to the transaction: all while it is open.
    tagged: usize,
}

impl Memory {
    pub(crate) fn new(setup: &Setup) -> Self {
        let mut profile = Profile::new("mx.example.com");
        profile.lmtp = setup.lmtp;
        profile.vrfy = setup.vrfy;
        profile.expn = setup.expn;
        profile.limits = setup.limits.clone();
        if !setup.help {
            profile.extensions.remove_keyword("HELP");
        }
        trust(setup, &mut profile);
        profile.tls = setup.tls;
        profile.auth = setup.auth.clone();
        // Clients have no certificate here.
        profile.auth.mechanisms.retain(|mechanism| mechanism.name != Mechanism::External.name());
        profile.extensions.read_auth(!setup.auth.mechanisms.is_empty());
        let mut answers = HashMap::new();
        for line in &setup.sinks {
            stand_in(line, &mut profile, &mut answers);
        }
        let mut memory = Self {
            session: Session::new(Arc::new(profile)),
            setup: setup.clone(),
            answers,
            input: BytesMut::new(),
            output: VecDeque::new(),
            closed: false,
            handshaking: false,
            header: setup.proxied.then_some(1),
            logins: Logins::default(),
            draft: Accepted::default(),
            accepted: Vec::new(),
            tagged: 0,
        };
        if !setup.early && !setup.proxied {
            memory.run();
        }
        memory
    }

    fn run(&mut self) {
        loop {
            match self.session.next(&mut self.input) {
                Step::Read => return,
                Step::Reply(reply) => self.write(reply),
                Step::Ask(Question::Connect) if self.setup.early => self.session.too_early(),
                Step::Ask(question) => {
                    let answer = self.decide(question);
                    self.session.answer(answer).expect("an answer that fits");
                }
                Step::StartTls => {
                    self.handshaking = true;
                    return;
                }
                Step::Turn => {
                    self.closed = true;
                    return;
                }
                Step::Wait => panic!("every question was answered"),
                Step::Body(octets) => self.draft.octets.extend_from_slice(&octets),
                Step::Drop { replies } => {
                    self.draft = Accepted::default();
                    self.tagged = replies;
                }
                Step::Close => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn write(&mut self, reply: Reply) {
        let mut out = Vec::new();
        let tag = self.tagged > 0 && matches!(reply.class(), Class::Transient | Class::Permanent);
        let open = !self.draft.envelope.is_empty();
        self.tagged = if open { usize::MAX } else { self.tagged.saturating_sub(1) };
        let reply = if tag { reply.tagged("0D4WM6Q2F0001") } else { reply };
        reply.write(&mut out, self.session.statuses());
        let text = String::from_utf8(out).expect("replies are UTF-8");
        self.output.extend(text.split_terminator("\r\n").map(str::to_owned));
    }

    fn decide(&mut self, question: Question) -> Answer {
        let point = point(&question);
        let scripted = self.answers.get(&point).cloned().or_else(|| self.login(&question));
        let answer = scripted.unwrap_or_else(|| self.policy(&question));
        let yes = matches!(answer, Answer::Go | Answer::Say(_) | Answer::Each(_));
        match question {
            Question::Mail(mail) => {
                self.tagged = 1;
                if yes {
                    self.draft = Accepted { envelope: vec![mail.sender.to_string()], octets: Vec::new() };
                }
            }
            Question::Oversize { declared: Some(_), .. } => self.tagged = 1,
            Question::Rcpt(rcpt) if yes => self.draft.envelope.push(rcpt.path.to_string()),
            Question::Message { len } => {
                assert_eq!(len, self.draft.octets.len() as u64);
                let draft = std::mem::take(&mut self.draft);
                self.tagged = if self.setup.lmtp { draft.envelope.len() - 1 } else { 1 };
                if yes {
                    self.accepted.push(draft);
                }
            }
            Question::Headers { len } => assert_eq!(len, self.draft.octets.len() as u64),
            _ => {}
        }
        answer
    }

    /// The server's own mechanisms.
    fn login(&mut self, question: &Question) -> Option<Answer> {
        match question {
            Question::Auth(command) => self.logins.begin(&command.mechanism, command.initial.as_deref()),
            Question::AuthResponse(response) => self.logins.respond(&response.0),
            _ => None,
        }
    }

    /// Takes the PROXY header off what has come. False as long as it is not whole.
    fn take_header(&mut self) -> bool {
        while let Some(due) = self.header.filter(|due| self.input.len() >= *due) {
            match proxy::parse(&self.input[..due]) {
                Ok(Parsed::More(count)) => self.header = Some(due + count),
                Ok(Parsed::Whole(_)) => {
                    self.input.advance(due);
                    self.header = None;
                }
                Err(_) => {
                    self.closed = true;
                    return false;
                }
            }
        }
        self.header.is_none()
    }

    fn policy(&self, question: &Question) -> Answer {
        match question {
            Question::Rcpt(rcpt) => self.recipient(&rcpt.path),
            Question::Message { .. } => Answer::Say(QUEUED),
            Question::Auth(command) => match &command.initial {
                None => Answer::Challenge(Vec::new()),
                Some(initial) => judge(initial),
            },
            Question::AuthResponse(response) => judge(&response.0),
            Question::Command(command) if command.verb == Verb::Xclient => match Xclient::parse(&command.argument) {
                _ if self.setup.xclient != Trusted::Client => Answer::Refuse(NOT_TRUSTED),
                Err(error) => Answer::Refuse(Reply::foreign(501, Some(EnhancedCode(5, 5, 4)), &error.to_string())),
                Ok(told) => {
                    let greeting = Reply::plain(220, "mx.example.com ESMTP Mailsluice");
                    Answer::Restart { greeting, authenticated: told.login.is_some_and(|login| login.value().is_some()) }
                }
            },
            Question::Command(command) if command.verb == Verb::Xforward => match Xforward::parse(&command.argument) {
                _ if self.setup.xforward != Trusted::Client => Answer::Refuse(NOT_TRUSTED),
                Err(error) => Answer::Refuse(Reply::foreign(501, Some(EnhancedCode(5, 5, 4)), &error.to_string())),
                Ok(_) => Answer::Say(Reply::new(250, EnhancedCode(2, 0, 0), "Noted for the next message")),
            },
            _ => Answer::Go,
        }
    }

    fn recipient(&self, path: &ForwardPath) -> Answer {
        let Some(mailbox) = path.mailbox() else { return Answer::Go };
        let domain = mailbox.domain_key();
        if self.setup.relay_to.iter().any(|d| *d == domain) {
            return Answer::Go;
        }
        if !self.setup.local.iter().any(|d| *d == domain) {
            return Answer::Refuse(DENIED);
        }
        let local = mailbox.local_unquoted().to_lowercase();
        let user = local.split('+').next().unwrap_or_default();
        if self.setup.users.iter().any(|u| u == user) { Answer::Go } else { Answer::Refuse(UNKNOWN) }
    }
}

/// What a listener offers to proxies.
fn trust(setup: &Setup, profile: &mut Profile) {
    let extensions = &mut profile.extensions;
    if setup.xclient != Trusted::Nobody {
        extensions.speak_xclient();
    }
    if setup.xforward != Trusted::Nobody {
        extensions.speak_xforward();
    }
    for (trusted, keyword, attributes) in
        [(setup.xclient, "XCLIENT", xclient::XCLIENT), (setup.xforward, "XFORWARD", xclient::XFORWARD)]
    {
        if trusted == Trusted::Client {
            extensions.set_keyword(keyword, Some(attributes)).expect("a keyword");
        }
    }
}

/// Who says `yes` is known.
fn judge(response: &[u8]) -> Answer {
    if response == b"yes" { Answer::Go } else { Answer::Refuse(INVALID) }
}

fn point(question: &Question) -> String {
    match question {
        Question::Connect => "connect".into(),
        Question::Helo(_) => "helo".into(),
        Question::Mail(_) => "mail".into(),
        Question::Rcpt(_) => "rcpt".into(),
        Question::Data { .. } => "data".into(),
        Question::Headers { .. } => "headers".into(),
        Question::Message { .. } => "message".into(),
        Question::Oversize { .. } => "oversize".into(),
        Question::Command(command) => command.name.to_string(),
        Question::More(_) => "more".into(),
        Question::StartTls => "starttls".into(),
        Question::Tls => "tls".into(),
        Question::Auth(_) => "auth".into(),
        Question::AuthResponse(_) => "response".into(),
    }
}

/// What a sink would do.
fn stand_in(line: &str, profile: &mut Profile, answers: &mut HashMap<String, Answer>) {
    let words: Vec<&str> = line.splitn(4, ' ').collect();
    let extensions = &mut profile.extensions;
    match words[..] {
        ["claim", "verb", verb] => extensions.claim_verb(verb).expect(line),
        ["claim", "mail", keyword] => extensions.claim_mail(keyword).expect(line),
        ["claim", "rcpt", keyword] => extensions.claim_rcpt(keyword).expect(line),
        ["keyword", keyword] => extensions.set_keyword(keyword, None).expect(line),
        ["keyword", keyword, ref argument @ ..] => {
            extensions.set_keyword(keyword, Some(&argument.join(" "))).expect(line);
        }
        ["without", keyword] => extensions.remove_keyword(keyword),
        ["answer", point, kind, text] => {
            let answer = match kind {
                "say" => Answer::Say(reply(text)),
                "refuse" => Answer::Refuse(reply(text)),
                "close" => Answer::Close(reply(text)),
                "limit" => Answer::Limit(text.parse().expect(line)),
                "challenge" => Answer::Challenge(text.as_bytes().to_vec()),
                "line" | "octets" => {
                    let (reply, want) = more(kind, text);
                    Answer::More { reply, want }
                }
                "turn" => Answer::Turn(reply(text)),
                "restart" => Answer::Restart { greeting: reply(text), authenticated: false },
                "each" => Answer::Each(text.split('|').map(|t| reply(t.trim())).collect()),
                _ => panic!("{line}"),
            };
            answers.insert(point.to_owned(), answer);
        }
        _ => panic!("{line}"),
    }
}

/// `number reply`: a line of at most so many octets, or so many octets, and the reply that asks for them.
pub(crate) fn more(kind: &str, text: &str) -> (Reply, Want) {
    let (count, text) = text.split_once(' ').expect("a number and a reply");
    let count: u64 = count.parse().expect("a number");
    let want = match kind {
        // Here the CRLF counts.
        "line" => Want::Line { max: usize::try_from(count).expect("a line") - 2 },
        _ => Want::Octets { count },
    };
    (reply(text), want)
}

/// `code status text`, or `code text`.
pub(crate) fn reply(text: &str) -> Reply {
    let (code, text) = text.split_once(' ').expect("a code and a text");
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let code = code.parse().expect("a code");
    match first.parse() {
        Ok(status) => Reply::foreign(code, Some(status), rest),
        Err(_) => Reply::foreign(code, None, text),
    }
}

impl Driver for Memory {
    fn send(&mut self, octets: &[u8]) {
        self.closed |= self.handshaking;
        if !self.closed {
            self.input.extend_from_slice(octets);
            if self.take_header() {
                self.run();
            }
        }
    }

    fn handshake(&mut self) -> Result<(), String> {
        if !std::mem::take(&mut self.handshaking) {
            return Err("the server does not await one".to_owned());
        }
        self.session.secured();
        self.logins.bound = self.setup.auth.mechanism(Mechanism::ScramSha256Plus.name()).is_some();
        self.run();
        Ok(())
    }

    fn hear(&mut self) -> Heard {
        match self.output.pop_front() {
            Some(line) => Heard::Line(line),
            None if self.closed => Heard::Closed,
            None => Heard::Silence,
        }
    }

    fn accepted(&mut self) -> Result<Option<Vec<Accepted>>, String> {
        Ok(Some(std::mem::take(&mut self.accepted)))
    }
}
