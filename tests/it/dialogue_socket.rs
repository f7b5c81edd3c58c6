//! The same dialogues with the server, over a socket: listener, connection, guards, dispatcher, intake and spool around
//! the machine. What sinks do in them is done by a sink.

use crate::dialogue::{self, Accepted, Driver, Heard, Packets, Setup, Trusted};
use crate::inside::{Inside, Plan};
use crate::reference::memory::reply;
use crate::stream::{Stream, trusting};
use crate::tls::authority::{Authority, Leaf};
use crate::wait::PATIENCE;
use ipnet::IpNet;
use mailsluice::config::Settings;
use mailsluice::config::recipients::User;
use mailsluice::event::scene::View;
use mailsluice::event::{Answer, Claims, Edit, Edits, Event, Hearing, Interest, Needs, Scene, Sink, Verdict};
use mailsluice::mail::{Class, Fate, Reply};
use mailsluice::smtp::TlsOffer;
use serde::de::IgnoredAny;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::Runtime;

/// A connection to a server that lives as long.
struct Socket<'a> {
    runtime: &'a Runtime,
    inside: Inside,
    stream: BufReader<Stream>,
    /// The greeting is awaited before anything is sent, unless the dialogue is about that.
    greeted: bool,
}

impl<'a> Socket<'a> {
    fn new(runtime: &'a Runtime, setup: &Setup) -> Self {
        let inside = runtime.block_on(plan(setup).open());
        let stream = TcpStream::connect(inside.address(0)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { runtime, inside, stream: BufReader::new(Stream::Clear(stream)), greeted: setup.early }
    }
}

impl Driver for Socket<'_> {
    fn send(&mut self, octets: &[u8]) {
        if !self.greeted {
            self.stream.fill_buf().expect("the greeting");
            self.greeted = true;
        }
        // A server that has closed does not hear the rest.
        let _ = self.stream.get_mut().write_all(octets).and_then(|()| self.stream.get_mut().flush());
    }

    fn hear(&mut self) -> Heard {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => Heard::Closed,
            Ok(_) => {
                self.greeted = true;
                Heard::Line(line.strip_suffix("\r\n").expect("a line that ends in CR LF").to_owned())
            }
            Err(error) => panic!("the connection broke: {error}"),
        }
    }

    fn handshake(&mut self) -> Result<(), String> {
        if !self.stream.buffer().is_empty() {
            return Err("the server spoke before it".to_owned());
        }
        self.stream.get_mut().secure(&trusting(&IDENTITY.0)).map_err(|e| e.to_string())
    }

    fn leave(&mut self) {
        self.stream.get_mut().leave();
    }

    fn accepted(&mut self) -> Result<Option<Vec<Accepted>>, String> {
        let kept = self.runtime.block_on(self.inside.kept());
        let accepted = kept.into_iter().map(|(entry, octets)| {
            let recipients = entry.envelope.recipients.iter();
            let forward = recipients.map(|r| r.original.as_ref().unwrap_or(&r.path).to_string());
            let envelope = std::iter::once(entry.envelope.sender.to_string()).chain(forward).collect();
            Accepted { envelope, octets: without_trace(&octets).to_vec() }
        });
        Ok(Some(accepted.collect()))
    }
}

/// What the client sent: all but the folded field on top.
fn without_trace(octets: &[u8]) -> &[u8] {
    assert!(octets.starts_with(b"Received: "), "no trace field: {}", String::from_utf8_lossy(octets));
    let ends = octets.windows(2).enumerate().filter(|(_, pair)| pair == b"\r\n").map(|(at, _)| at + 2);
    let end = ends.into_iter().find(|&at| !matches!(octets.get(at), Some(b' ' | b'\t')));
    &octets[end.expect("the end of the trace field")..]
}

/// The authority that clients trust, and the server's certificate.
static IDENTITY: LazyLock<(String, Leaf)> = LazyLock::new(|| {
    let authority = Authority::new("Test CA");
    (authority.certificate(), authority.server(&["mx.example.com"]))
});

fn plan(setup: &Setup) -> Plan {
    let role = if setup.lmtp { "lmtp" } else { "mx" };
    let required = setup.tls == TlsOffer::Required;
    let tls = match setup.tls {
        TlsOffer::None => String::new(),
        _ => format!("tls = {{ mode = \"starttls\", certificate = \"c\", key = \"k\", required = {required} }}\n"),
    };
    let own = setup.listener.join("\n");
    let role = if own.contains("role =") { String::new() } else { format!("role = \"{role}\"") };
    let config =
        format!("[[listener]]\naddress = \"127.0.0.1:0\"\n{role}\n{own}\n{tls}[limits]\nfree-space = \"0 B\"\n");
    let (setup, sinks) = (setup.clone(), setup.sinks.clone());
    let plan = Plan::new(&config).file("c", &IDENTITY.1.certificate).file("k", &IDENTITY.1.key);
    let plan = plan.delivers_nothing().adjust(move |settings| adjust(settings, setup));
    if sinks.is_empty() {
        return plan;
    }
    let open = move |_: IgnoredAny, _: &mut _| Ok::<_, Infallible>(StandIn::new(&sinks));
    plan.natives(|natives| natives.with("stand-in", open))
        .manifest("[[sink]]\nname = \"stand-in\"\nnative = \"stand-in\"\n")
}

/// The settings of a dialogue; some of its limits are smaller than a configuration may set them.
fn adjust(settings: &mut Settings, setup: Setup) {
    settings.domains.local = setup.local;
    settings.domains.relay_to = setup.relay_to;
    settings.recipients.users = Some(setup.users.iter().map(|u| User::Everywhere(u.as_str().into())).collect());
    (settings.smtp.vrfy, settings.smtp.expn, settings.smtp.help) = (setup.vrfy, setup.expn, setup.help);
    let proxies = &mut settings.listeners[0].proxies;
    (proxies.xclient_from, proxies.xforward_from) = (networks(setup.xclient), networks(setup.xforward));
    // A dialogue says itself what is offered.
    settings.listeners.iter_mut().for_each(|listener| listener.extensions.requiretls = false);
    let (to, from) = (&mut settings.limits, setup.limits);
    (to.line, to.recipients, to.hops) = (from.line, from.recipients, from.hops);
    (to.idle_commands, to.errors) = (from.idle_commands as usize, from.errors as usize);
    (to.message_size, to.message_size_max, to.header_size) = (from.message_size, u64::MAX, from.header_size);
    if setup.early {
        // It ends with the first octet, long before this is over.
        to.greeting_delay = Duration::from_secs(60);
    }
}

fn networks(trusted: Trusted) -> Vec<IpNet> {
    match trusted {
        Trusted::Nobody => Vec::new(),
        Trusted::Others => vec!["192.0.2.0/24".parse().unwrap()],
        Trusted::Client => vec!["127.0.0.0/8".parse().unwrap()],
    }
}

/// Does what a dialogue's set-up says that sinks do.
struct StandIn {
    claims: Claims,
    without: Vec<String>,
    /// Where, what, and its words.
    answers: Vec<(String, String, String)>,
    /// The next reply is that to MAIL.
    mail: AtomicBool,
}

impl StandIn {
    fn new(lines: &[String]) -> Self {
        let (claims, mail) = (Claims::default(), AtomicBool::new(false));
        let mut it = Self { claims, without: Vec::new(), answers: Vec::new(), mail };
        for line in lines {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words[..] {
                ["claim", "verb", verb] => it.claims.verbs.push(verb.into()),
                ["claim", "mail", keyword] => it.claims.mail_params.push(keyword.to_owned()),
                ["claim", "rcpt", keyword] => it.claims.rcpt_params.push(keyword.to_owned()),
                ["keyword", ..] => it.claims.keywords.push(line["keyword ".len()..].to_owned()),
                ["without", keyword] => it.without.push(keyword.to_owned()),
                ["answer", point, kind, text] => {
                    it.answers.push((point.to_owned(), kind.to_owned(), text.to_owned()));
                }
                _ => panic!("{line}"),
            }
        }
        it
    }

    fn answer(&self, point: &str) -> Option<(&str, &str)> {
        let found = self.answers.iter().find(|(p, ..)| p == point);
        found.map(|(_, kind, text)| (kind.as_str(), text.as_str()))
    }
}

impl Sink for StandIn {
    fn interest(&self) -> Interest {
        use Event::*;
        let events = vec![
            InConnect,
            InTls,
            InHelo,
            InMail,
            InRcpt,
            InData,
            InHeaders,
            InMessage,
            InCommand,
            InReply,
            TransportOversize,
        ];
        Interest { events, claims: self.claims.clone(), needs: Needs::default() }
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        let point = match (scene.event, scene.view) {
            (Event::InCommand, View::Verb { verb, .. }) => verb,
            (Event::InReply, _) if self.mail.swap(false, Relaxed) => "mail",
            (Event::InReply, _) => "no point",
            (event, _) => event.name().rsplit('.').next().unwrap(),
        };
        self.mail.fetch_or(scene.event == Event::InMail, Relaxed);
        if scene.event == Event::InHelo {
            self.without.iter().for_each(|k| edits.push(Edit::RemoveKeyword(k.clone())));
        }
        let verdict = match (scene.event, self.answer(point)) {
            (Event::InConnect, Some(("say", text))) => {
                edits.push(Edit::Greeting(reply(text).text().to_owned()));
                Verdict::Next
            }
            (Event::InReply, Some(("say", text))) => {
                edits.push(Edit::ReplyText(reply(text).text().to_owned()));
                Verdict::Next
            }
            (Event::InMessage, Some(("each", texts))) => {
                let fates = texts.split('|').map(|t| fate(reply(t.trim())));
                fates.enumerate().for_each(|(index, fate)| edits.push(Edit::Fate(index, fate)));
                Verdict::Next
            }
            (Event::InCommand, Some(("say", text))) => Verdict::Answer(reply(text).into()),
            (_, Some(("limit", octets))) => Verdict::Answer(Answer::Limit(octets.parse().unwrap())),
            (_, Some(("close", text))) => Verdict::Disconnect(Some(reply(text))),
            (Event::InReply, _) => Verdict::Next,
            (_, Some(("refuse", text))) => refusal(reply(text)),
            _ => Verdict::Next,
        };
        Hearing::Now(Ok(verdict))
    }
}

fn refusal(reply: Reply) -> Verdict {
    if reply.class() == Class::Transient { Verdict::Defer(Some(reply), None) } else { Verdict::Reject(Some(reply)) }
}

fn fate(reply: Reply) -> Fate {
    match reply.class() {
        Class::Transient => Fate::Deferred(reply),
        Class::Permanent => Fate::Rejected(reply),
        Class::Positive | Class::Intermediate => Fate::Accepted,
    }
}

/// A sink decides about recipients that there are; that an answer is missing shows in memory only.
const NOT_HERE: &[&str] = &["rfc2033-4.2-a-reply-too-few.smtp"];

/// Whether the server speaks it already: AUTH and verbs that want more are the machine's alone so far.
fn is_spoken(setup: &Setup) -> bool {
    let kinds = ["challenge", "line", "octets", "turn", "restart"];
    let more = setup.sinks.iter().any(|line| line.split(' ').nth(2).is_some_and(|kind| kinds.contains(&kind)));
    setup.auth.mechanisms.is_empty() && !more
}

fn run_all(packets: &[Packets]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut wrong = Vec::new();
    let here = |d: &dialogue::Dialogue| !NOT_HERE.contains(&d.name.as_str()) && is_spoken(&d.setup);
    for dialogue in dialogue::all().into_iter().filter(here) {
        for packets in packets {
            if let Err(what) = dialogue.run(&mut Socket::new(&runtime, &dialogue.setup), *packets) {
                wrong.push(format!("{} ({packets:?}): {what}", dialogue.name));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} dialogues failed:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn as_written() {
    run_all(&[Packets::AsWritten]);
}

#[test]
fn in_one_packet_and_split_at_random() {
    run_all(&[Packets::One, Packets::Random(1), Packets::Random(2), Packets::Random(3)]);
}
