//! The same dialogues with the server, over a socket: listener, connection, guards, dispatcher, intake and spool around
//! the machine. What sinks do in them is done by a sink.

use crate::dialogue::{self, Accepted, Driver, Heard, Packets, Setup, Trusted};
use crate::inside::{Inside, Plan};
use crate::reference::logins::ACCOUNTS;
use crate::reference::memory::{more, reply};
use crate::stream::{Stream, trusting};
use crate::tls::authority::{Authority, Leaf};
use crate::wait::PATIENCE;
use ipnet::IpNet;
use mailsluice::config::Settings;
use mailsluice::config::listener::ListenerAuth;
use mailsluice::config::recipients::User;
use mailsluice::event::scene::View;
use mailsluice::event::{
    Answer, Claims, CommandAnswer, Credentials, Edit, Edits, Event, Hearing, Identity, Interest, Login, Needs, Proof,
    Scene, Sink, Verdict,
};
use mailsluice::mail::{Class, Fate, Reply};
use mailsluice::sasl::Mechanism;
use mailsluice::smtp::{AuthMechanism, AuthOffer, TlsOffer};
use serde::de::IgnoredAny;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, ErrorKind, Write};
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
    /// The greeting is awaited before anything is sent, unless the dialogue is about that, or a PROXY header comes first.
    greeted: bool,
}

impl<'a> Socket<'a> {
    fn new(runtime: &'a Runtime, setup: &Setup) -> Self {
        let inside = runtime.block_on(plan(setup).open());
        let stream = TcpStream::connect(inside.address(0)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let greeted = setup.early || setup.proxied;
        Self { runtime, inside, stream: BufReader::new(Stream::Clear(stream)), greeted }
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
            // The server has closed before it had read everything.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Heard::Closed,
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
    let proxied = if setup.proxied { "proxy-protocol = [\"127.0.0.0/8\"]" } else { "" };
    let config = format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\n{role}\n{own}\n{proxied}\n{tls}[limits]\nfree-space = \"0 B\"\n{}\n",
        setup.config.join("\n")
    );
    let (setup, sinks, manifest) = (setup.clone(), setup.sinks.clone(), setup.manifest.join("\n"));
    let plan = Plan::new(&config).file("c", &IDENTITY.1.certificate).file("k", &IDENTITY.1.key);
    let plan = plan.delivers_nothing().adjust({
        let setup = setup.clone();
        move |settings| adjust(settings, setup)
    });
    let own = StandIn::new(&sinks, &setup);
    if sinks.is_empty() && own.claims.auth_mechanisms.is_empty() {
        return plan.manifest(&manifest);
    }
    let open = move |_: IgnoredAny, _: &mut _| Ok::<_, Infallible>(StandIn::new(&sinks, &setup));
    plan.natives(|natives| natives.with("stand-in", open))
        .manifest(&format!("[[sink]]\nname = \"stand-in\"\nnative = \"stand-in\"\n{manifest}"))
}

/// The settings of a dialogue; some of its limits are smaller than a configuration may set them.
fn adjust(settings: &mut Settings, setup: Setup) {
    settings.domains.local = setup.local;
    settings.domains.relay_to = setup.relay_to;
    settings.recipients.users = Some(setup.users.iter().map(|u| User::Everywhere(u.as_str().into())).collect());
    (settings.smtp.vrfy, settings.smtp.expn, settings.smtp.help) = (setup.vrfy, setup.expn, setup.help);
    if !setup.auth.mechanisms.is_empty() {
        settings.auth.accounts = Some(ACCOUNTS.clone());
    }
    offer(&mut settings.listeners[0].auth, &setup.auth);
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

/// What the dialogue offers of AUTH.
fn offer(auth: &mut ListenerAuth, offer: &AuthOffer) {
    if offer.mechanisms.is_empty() {
        // What a line for the listener says, if any does.
        return;
    }
    auth.mechanisms = Some(offer.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect());
    (auth.required, auth.old_spelling) = (offer.required, offer.old_spelling);
    let showing = |m: &&AuthMechanism| Mechanism::named(&m.name).is_none_or(Mechanism::is_clear);
    let mut strict = offer.mechanisms.iter().filter(showing).map(|mechanism| mechanism.needs_tls);
    auth.clear_text_without_tls = !strict.next().unwrap_or(true);
    assert!(strict.all(|strict| strict != auth.clear_text_without_tls), "one setting is for all of {offer:?}");
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
    fn new(lines: &[String], setup: &Setup) -> Self {
        let others = setup.auth.mechanisms.iter().filter(|m| Mechanism::named(&m.name).is_none());
        let auth_mechanisms = others.map(|mechanism| mechanism.name.clone()).collect();
        let (claims, mail) = (Claims { auth_mechanisms, ..Claims::default() }, AtomicBool::new(false));
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
            InAuth,
            InCommand,
            InReply,
            TransportOversize,
        ];
        Interest { events, claims: self.claims.clone(), needs: Needs::default() }
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        let point = match (scene.event, scene.view) {
            (Event::InCommand, View::Verb { further: Some(_), .. }) => "more",
            (Event::InCommand, View::Verb { verb, .. }) => verb,
            (Event::InAuth, _) if scene.credentials().is_some_and(is_response) => "response",
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
            (Event::InCommand, Some((kind @ ("line" | "octets"), text))) => {
                let (reply, want) = more(kind, text);
                Verdict::Answer(CommandAnswer::More { reply, want }.into())
            }
            (Event::InAuth, Some(("say", _))) => Verdict::Answer(Login::from(Identity::of("alice")).into()),
            (Event::InAuth, Some(("challenge", text))) => {
                Verdict::Answer(Login::Challenge(text.to_owned().into()).into())
            }
            (_, Some(("limit", octets))) => Verdict::Answer(Answer::Limit(octets.parse().unwrap())),
            (_, Some(("close", text))) => Verdict::Disconnect(Some(reply(text))),
            (Event::InReply, _) => Verdict::Next,
            (_, Some(("refuse", text))) => refusal(reply(text)),
            _ => Verdict::Next,
        };
        Hearing::Now(Ok(verdict))
    }
}

/// Whether these are an answer to a challenge.
fn is_response(credentials: &Credentials) -> bool {
    matches!(credentials.proof, Proof::Step { number: 1.., .. })
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

fn run_all(packets: &[Packets]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut wrong = Vec::new();
    let here = |d: &dialogue::Dialogue| !NOT_HERE.contains(&d.name.as_str());
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
