//! Killed with SIGKILL at random moments: what was acknowledged is delivered at least once, whole and unmixed; what was
//! refused is not.
//!
//! `MAILSLUICE_CRASHES` says how many times the server is killed; a few if it is not set.

use crate::hop::Hop;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CLIENTS: u64 = 4;

/// How often the server is killed.
pub(crate) fn crashes() -> u64 {
    std::env::var("MAILSLUICE_CRASHES").map_or(5, |n| n.parse().expect("MAILSLUICE_CRASHES: a number"))
}

/// Sends the message with this id and number, and notes what was said of it.
pub(crate) type Send = fn(&Shared, &mut SmtpClient, &str, u64) -> io::Result<()>;

/// What clients and the killer share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Where the server is, while there is one.
    address: Mutex<Option<SocketAddr>>,
    pub(crate) acknowledged: Mutex<BTreeSet<String>>,
    refused: Mutex<BTreeSet<String>>,
    count: AtomicU64,
    enough: AtomicBool,
}

impl Shared {
    /// One client, which sends until it is enough, over as many connections as it takes.
    fn client(&self, client: u64, send: Send) {
        let mut number = 0;
        while !self.enough.load(SeqCst) {
            let address = *self.address.lock().unwrap();
            // A connection that breaks is what this test is about: the message is forgotten, as it was not acknowledged.
            let broken = address.map(|address| self.talk(address, client, &mut number, send));
            if !matches!(broken, Some(Ok(()))) {
                std::thread::yield_now();
            }
        }
    }

    fn talk(&self, address: SocketAddr, client: u64, number: &mut u64, send: Send) -> io::Result<()> {
        let mut smtp = SmtpClient::try_connect(address)?;
        smtp.try_reply()?;
        smtp.try_send(b"EHLO client.example\r\n")?;
        smtp.try_reply()?.must_be(250);
        while !self.enough.load(SeqCst) {
            *number += 1;
            send(self, &mut smtp, &format!("{client}-{number}"), *number)?;
            self.count.fetch_add(1, SeqCst);
        }
        Ok(())
    }
}

/// Kills the server again and again while clients send. The site is as the last kill has left it.
pub(crate) fn kill_while_sending(mut site: Site, shared: &Arc<Shared>, send: Send) -> Site {
    let client = |n| {
        let shared = shared.clone();
        std::thread::spawn(move || shared.client(n, send))
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64 ^ u64::from(std::process::id());
    for _ in 0..crashes() {
        let server = site.start();
        *shared.address.lock().unwrap() = Some(server.address(0));
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let until = shared.count.load(SeqCst) + 10 + (random >> 32) % 80;
        eventually("messages to be sent", || (shared.count.load(SeqCst) >= until).then_some(()));
        // Anywhere within a message, a commit or a delivery.
        std::thread::park_timeout(Duration::from_micros((random >> 40) % 5000));
        *shared.address.lock().unwrap() = None;
        site = server.kill();
    }
    shared.enough.store(true, SeqCst);
    clients.into_iter().for_each(|client| client.join().expect("a client"));
    site
}

/// Small ones that share a group commit, some that leave the draft's memory, some that get a file of their own.
pub(crate) fn size(number: u64) -> usize {
    match number % 50 {
        10 | 30 => 300 << 10,
        20 => (1 << 20) + 7,
        n => 50 + n as usize * 40,
    }
}

/// A message all of which tells whose it is.
pub(crate) fn message(id: &str, size: usize, refuse: &str) -> String {
    let line = format!("this is {id} and nothing else\r\n");
    format!("Subject: {id}\r\nX-Refuse: {refuse}\r\n\r\n{}the end\r\n", line.repeat(size / line.len() + 1))
}

pub(crate) const REFUSING: &str = r#"
[[sink]]
name = "refuse"
native = "policy"
[[sink.config.rule]]
event = "transport.submit"
when = { header = { X-Refuse = "yes" } }
reject = "As asked"
"#;

/// Sends a message to a user, which one time in seven asks to be refused.
fn send_to_alice(shared: &Shared, smtp: &mut SmtpClient, id: &str, number: u64) -> io::Result<()> {
    smtp.try_send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n")?;
    for code in [250, 250, 354] {
        smtp.try_reply()?.must_be(code);
    }
    let refuse = number % 7 == 3;
    let message = message(id, size(number), if refuse { "yes" } else { "no" });
    smtp.try_send(format!("{message}.\r\n").as_bytes())?;
    let reply = smtp.try_reply()?;
    let heard = match (refuse, reply.code) {
        (false, 250) => &shared.acknowledged,
        (true, 550) => &shared.refused,
        _ => panic!("{id}: {reply}"),
    };
    heard.lock().unwrap().insert(id.to_owned());
    Ok(())
}

#[test]
fn what_was_acknowledged_is_delivered_however_often_the_server_is_killed() {
    let site = Site::new(Site::PLAIN);
    site.write("sinks.toml", REFUSING);
    let shared = Arc::new(Shared::default());
    let site = kill_while_sending(site, &shared, send_to_alice);
    let acknowledged = std::mem::take(&mut *shared.acknowledged.lock().unwrap());
    let refused = std::mem::take(&mut *shared.refused.lock().unwrap());
    assert!(acknowledged.len() > 50 && refused.len() > 3, "{} and {}", acknowledged.len(), refused.len());
    check(&site.start(), &acknowledged, &refused);
}

/// Waits until all is delivered, and looks at every message there is.
fn check(server: &Server, acknowledged: &BTreeSet<String>, refused: &BTreeSet<String>) {
    let folder = server.data_dir().join("mail/example.com/alice/new");
    let mut seen: BTreeMap<PathBuf, String> = BTreeMap::new();
    eventually("every acknowledged message in the Maildir", || {
        for file in std::fs::read_dir(&folder).ok()?.map(|f| f.unwrap().path()) {
            seen.entry(file.clone()).or_insert_with(|| identify(&std::fs::read_to_string(file).unwrap()));
        }
        let there: BTreeSet<&String> = seen.values().collect();
        acknowledged.iter().all(|id| there.contains(id)).then_some(())
    });
    for id in seen.values() {
        assert!(!refused.contains(id), "{id} was refused and delivered all the same");
    }
    let mut copies = BTreeMap::<&String, u64>::new();
    seen.values().for_each(|id| *copies.entry(id).or_default() += 1);
    // A crash between a delivery and its record makes one more copy, and so may each further one.
    let most = copies.values().max().copied().unwrap_or(0);
    assert!(most <= crashes() + 1, "{most} copies of one message");
    println!("{} acknowledged, {} refused, {} delivered", acknowledged.len(), refused.len(), seen.len());
}

/// The id of a message, all of which must be that message's.
pub(crate) fn identify(delivered: &str) -> String {
    let subject = delivered.find("\nSubject: ").expect("a subject") + 1;
    let (trace, own) = delivered.split_at(subject);
    let names = trace.lines().filter(|l| !l.starts_with([' ', '\t'])).map(|l| l.split(':').next().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["Return-Path", "Delivered-To", "Received"], "{trace}");
    let id = own.lines().next().unwrap()["Subject: ".len()..].to_owned();
    let number = id.split('-').nth(1).and_then(|n| n.parse().ok()).expect("an id");
    let whole = message(&id, size(number), "no").replace("\r\n", "\n");
    assert!(own == whole, "{id} is {} octets long, not {}, or mixed", own.len(), whole.len());
    id
}

#[test]
fn killed_while_a_slow_next_hop_thinks_about_it() {
    let hop = Hop::start();
    let route = format!("[[route]]\ndomain = \"uni.example\"\nto = {{ smtp = \"{}\" }}\n", hop.address);
    let config = Site::PLAIN.replace("[recipients]", "relay-to = [\"uni.example\"]\n[recipients]") + &route;
    let server = Site::new(&config).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let subject = |n: usize| format!("Subject: number {n}\r\n\r\nx\r\n");
    for n in 0..5 {
        client.deliver("a@client.example", &["x@uni.example"], &subject(n)).must_be(250);
    }
    // All of it was sent, and none of it acknowledged.
    let unheard: Vec<_> = (0..5).map(|_| hop.next()).collect();
    let server = server.kill().start();
    // Said too late: nobody hears it.
    unheard.into_iter().for_each(|arrival| arrival.answer("250 mine"));
    let again: BTreeSet<String> = (0..5).map(|_| taken(&hop)).collect();
    assert_eq!(again, (0..5).map(|n| format!("number {n}")).collect(), "each of them comes again");
    // Once the hop has them and the server knows it, that is all.
    let server = server.stop().start();
    SmtpClient::greeted(server.address(0)).deliver("a@client.example", &["x@uni.example"], &subject(9)).must_be(250);
    assert_eq!(taken(&hop), "number 9");
    assert!(hop.at_once().is_none(), "one of them came a third time");
}

/// Accepts the next message, and returns its subject.
fn taken(hop: &Hop) -> String {
    let arrival = hop.next();
    let subject = arrival.message.lines().find_map(|l| l.strip_prefix("Subject: ")).expect("a subject").to_owned();
    arrival.answer("250 mine");
    subject
}
