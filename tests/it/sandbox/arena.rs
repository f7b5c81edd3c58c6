//! A server with hostile guests and a bystander: the real binary, in which each guest has its own recipient, and somebody
//! else's mail flows all the while.
//!
//! ```text
//! arena(&[Act::fault("loops", "spin", "overrun: it used 20 ms of its own time")], SHORT);
//! ```
//!
//! Every act is tried once, looked up in the ledger, and then repeated. In between the guest is sent something harmless, which
//! must pass: so the breaker stays closed, and a place that is not given back shows. At the end nothing may be left of it all.

use super::guests;
use crate::server::{Server, Site};
use crate::smtp_client::{Reply, SmtpClient};
use crate::wait::eventually;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

const CONFIG: &str = r#"
[[listener]]
address = "127.0.0.1:0"
[domains]
local = ["example.com"]
[limits]
free-space = "0 B"
errors = 1000000
"#;

/// Small limits: what is not given back is soon missed.
const LIMITS: &str = "[sink.limits]\nmemory = \"16 MiB\"\noutput = \"1 MiB\"\nconcurrency = 2\n";
/// Time enough for what is to be stopped.
pub(super) const SHORT: &str = "20 ms";
/// Time enough for what is to come to its end.
pub(super) const LONG: &str = "10 s";

/// What a guest does, and what comes of it.
#[derive(Clone, Copy)]
pub(super) struct Act {
    guest: &'static str,
    does: &'static str,
    comes_to: Outcome,
}

#[derive(Clone, Copy)]
enum Outcome {
    /// A fault, whose text begins like this; the client is told to come back.
    Fault(&'static str),
    /// This reply, in its first words.
    Reply(&'static str),
}

impl Act {
    /// It fails, and the ledger's words for it begin like this.
    pub(super) const fn fault(guest: &'static str, does: &'static str, text: &'static str) -> Self {
        Self { guest, does, comes_to: Outcome::Fault(text) }
    }

    /// The client is told this.
    pub(super) const fn reply(guest: &'static str, does: &'static str, text: &'static str) -> Self {
        Self { guest, does, comes_to: Outcome::Reply(text) }
    }

    /// It does no harm, and the message is accepted.
    pub(super) const fn harmless(guest: &'static str, does: &'static str) -> Self {
        Self::reply(guest, does, "250 2.0.0")
    }

    fn message(&self) -> String {
        format!("Subject: x\r\nX-Act: {}\r\n\r\nbody\r\n", self.does)
    }

    fn send(&self, client: &mut SmtpClient) -> Reply {
        client.deliver("a@client.example", &[&format!("{}@example.com", self.guest)], &self.message())
    }

    /// Tries it for the first time, and reads the ledger. What is not as it should be is told.
    fn try_out(&self, server: &Server, client: &mut SmtpClient) -> Option<String> {
        let (reply, at) = (self.send(client), format!("{} {}", self.guest, self.does));
        let account = server.account(reply.id());
        let Some(entry) = account.ledger.entries.iter().find(|entry| *entry.sink == *self.guest) else {
            return Some(format!("{at}: the ledger does not name it, but has {:?}", account.ledger.entries));
        };
        let reply = reply.to_string();
        let fault = entry.fault.as_deref();
        let right = match (self.comes_to, fault) {
            (Outcome::Fault(text), Some(fault)) => {
                let bounded = fault.len() < 8192 && !fault.contains(['\r', '\n']);
                bounded && fault.starts_with(text) && reply.starts_with("451 4.3.0 Local error in processing")
            }
            (Outcome::Reply(text), None) => reply.starts_with(text),
            _ => false,
        };
        (!right).then(|| format!("{at}: {fault:?}, and the reply {reply}"))
    }

    fn repeat(&self, client: &mut SmtpClient) {
        let (reply, at) = (self.send(client), format!("{} {}, again", self.guest, self.does));
        match self.comes_to {
            Outcome::Fault(_) => assert!(reply.to_string().starts_with("451 4.3.0 Local error"), "{at}: {reply}"),
            Outcome::Reply(text) => assert!(reply.to_string().starts_with(text), "{at}: {reply}"),
        }
    }
}

/// What does nothing must pass, whatever the guest did before.
fn harmless(guest: &str, client: &mut SmtpClient) {
    let reply = client.deliver("a@client.example", &[&format!("{guest}@example.com")], "Subject: harmless\r\n\r\n");
    assert_eq!(reply.code, 250, "{guest}, harmless: {reply}");
}

/// How often each act is repeated.
pub(super) fn repeats() -> usize {
    std::env::var("MAILSLUICE_REPEATS").map_or(50, |n| n.parse().expect("MAILSLUICE_REPEATS: a number"))
}

/// Has a server withstand all of these acts. Each call may use so much time.
pub(super) fn arena(acts: &[Act], cpu: &str) {
    let server = started(acts, cpu);
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let bystander = scope.spawn(|| bystander(&server, &enough));
        let stop = Stop(&enough);
        provoke(&server, acts);
        drop(stop);
        let sent = bystander.join().expect("the bystander");
        all_arrived(&server, &sent);
    });
    println!("{} acts, {} repeats", acts.len(), repeats());
    server.stop();
}

/// Ends those who send until it is enough, also when a test fails.
pub(super) struct Stop<'a>(pub(super) &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn started(acts: &[Act], cpu: &str) -> Server {
    let (site, mut manifest) = (Site::new(CONFIG), String::new());
    let named: BTreeSet<&str> = acts.iter().map(|act| act.guest).collect();
    for name in named.into_iter().chain(["nothing"]) {
        let rule = format!("event = \"transport.submit\"\nwhen = {{ recipient = \"{name}@example.com\" }}");
        let code = code(&site, name);
        write!(manifest, "[[sink]]\nname = \"{name}\"\n{code}\n{LIMITS}cpu = \"{cpu}\"\n").unwrap();
        write!(manifest, "[[sink.on]]\n{rule}\n").unwrap();
    }
    site.write("sinks.toml", &manifest);
    site.start()
}

/// Where the code of a guest is, as a manifest says it. Scripts are below its folder.
fn code(site: &Site, name: &str) -> String {
    let path = guests::path(name);
    if path.extension().is_none_or(|it| it != "js") {
        return format!("module = {path:?}");
    }
    site.write(&format!("{name}.js"), &std::fs::read_to_string(path).unwrap());
    format!("script = \"{name}.js\"")
}

fn provoke(server: &Server, acts: &[Act]) {
    let mut client = SmtpClient::greeted(server.address(0));
    let mut wrong = Vec::new();
    for act in acts {
        wrong.extend(act.try_out(server, &mut client));
        harmless(act.guest, &mut client);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let before = Use::of(server);
    let mut by_guest: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    acts.iter().for_each(|act| by_guest.entry(act.guest).or_default().push(act));
    std::thread::scope(|scope| {
        for acts in by_guest.values() {
            scope.spawn(|| {
                let mut client = SmtpClient::greeted(server.address(0));
                let all = (0..repeats()).flat_map(|_| acts.iter());
                for (n, act) in all.enumerate() {
                    act.repeat(&mut client);
                    if n % 4 == 3 {
                        harmless(act.guest, &mut client);
                    }
                }
                client.quit();
            });
        }
    });
    Use::must_come_back(server, &before);
    client.quit();
}

/// Sends one message after the other to a sink that does nothing, until it is enough; their ids.
fn bystander(server: &Server, enough: &AtomicBool) -> BTreeSet<String> {
    let mut client = SmtpClient::greeted(server.address(0));
    let mut sent = BTreeSet::new();
    while !enough.load(Relaxed) || sent.is_empty() {
        let message = format!("Subject: bystander {}\r\n\r\nbody\r\n", sent.len());
        let reply = client.deliver("b@client.example", &["nothing@example.com"], &message).must_be(250);
        sent.insert(reply.id().to_owned());
        // It is not to be the load.
        std::thread::park_timeout(Duration::from_millis(10));
    }
    client.quit();
    sent
}

/// All of the bystander's mail is there, each message once and as it was sent.
fn all_arrived(server: &Server, sent: &BTreeSet<String>) {
    let arrived = server.arrived("example.com", "nothing", sent.len());
    let subject = |octets: &Vec<u8>| {
        let text = String::from_utf8_lossy(octets).into_owned();
        assert!(!text.contains("X-Act") && text.ends_with("\n\nbody\n"), "{text}");
        text.lines().find_map(|line| line.strip_prefix("Subject: bystander ")).map(|n| n.parse::<usize>().unwrap())
    };
    let numbers: BTreeSet<usize> = arrived.iter().filter_map(subject).collect();
    assert!(numbers.iter().copied().eq(0..sent.len()), "lost: {} sent, {} there", sent.len(), numbers.len());
    assert_eq!(arrived.len(), sent.len(), "doubled");
}

/// What the process uses.
#[derive(Debug)]
pub(super) struct Use {
    files: usize,
    threads: usize,
    resident: usize,
}

impl Use {
    pub(super) fn of(server: &Server) -> Self {
        let of = |what: &str| format!("/proc/{}/{what}", server.pid());
        let status = std::fs::read_to_string(of("status")).unwrap();
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
        };
        let files = std::fs::read_dir(of("fd")).unwrap().count();
        Self { files, threads: number("Threads:"), resident: number("VmRSS:") << 10 }
    }

    /// Nothing of the repeats is left, once what is on its way out is gone. Caches and the histories of messages may have grown a
    /// little.
    pub(super) fn must_come_back(server: &Server, before: &Self) {
        let mut now = Self::of(server);
        eventually(&format!("{before:?} again"), || {
            now = Self::of(server);
            let grown = now.files > before.files + 8 || now.resident > before.resident + (64 << 20);
            (!grown && now.threads <= before.threads + 64).then_some(())
        });
        println!("{before:?}, and then {now:?}");
    }
}
