//! Stopped, killed and reloaded in the middle of everything, again and again: nothing that was acknowledged is lost, and where
//! every end was a clean one, each message is delivered exactly once.
//!
//! `MAILSLUICE_STOPS` says how many rounds there are; a few if it is not set.

use crate::hop::Hop;
use crate::server::{Server, Site, messages_in};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CLIENTS: u64 = 4;

fn rounds() -> u64 {
    std::env::var("MAILSLUICE_STOPS").map_or(3, |n| n.parse().expect("MAILSLUICE_STOPS: a number"))
}

/// Manifests: two that pass, and one that does not, in place of which the last good one is in force.
const MANIFESTS: [&str; 3] = [
    "[[sink]]\nname = \"mark\"\nnative = \"headers\"\nconfig = { set = [{ name = \"X-Version\", value = \"1\" }] }\n",
    "[[sink]]\nname = \"mark\"\nnative = \"headers\"\nconfig = { set = [{ name = \"X-Version\", value = \"2\" }] }\n",
    "[[sink]]\nname = \"mark\"\nnative = \"no such sink\"\n",
];

/// What clients, the next hop and the one who ends servers share.
#[derive(Default)]
struct Shared {
    /// Where the server is, while there is one.
    address: Mutex<Option<SocketAddr>>,
    acknowledged: Mutex<BTreeSet<String>>,
    /// How often each message came to the next hop.
    relayed: Mutex<BTreeMap<String, u64>>,
    sent: AtomicU64,
    enough: AtomicBool,
    over: AtomicBool,
}

impl Shared {
    /// One client, which sends until it is enough, over as many connections as it takes.
    fn client(&self, client: u64) {
        let mut number = 0;
        while !self.enough.load(SeqCst) {
            let address = *self.address.lock().unwrap();
            // A message whose end was not acknowledged is forgotten.
            let told = address.map(|address| self.talk(address, client, &mut number));
            if !matches!(told, Some(Ok(()))) {
                std::thread::yield_now();
            }
        }
    }

    /// Sends as long as there is a server.
    fn talk(&self, address: SocketAddr, client: u64, number: &mut u64) -> io::Result<()> {
        let mut smtp = SmtpClient::try_connect(address)?;
        smtp.try_reply()?;
        smtp.try_send(b"EHLO client.example\r\n")?;
        smtp.try_reply()?;
        while !self.enough.load(SeqCst) {
            *number += 1;
            let id = format!("{client}-{number}");
            let to_both = ["RCPT TO:<alice@example.com>", "RCPT TO:<x@uni.example>"];
            for line in ["MAIL FROM:<a@client.example>"].iter().chain(&to_both).chain(&["DATA"]) {
                smtp.try_send(format!("{line}\r\n").as_bytes())?;
                if smtp.try_reply()?.code == 421 {
                    return Ok(());
                }
            }
            smtp.try_send(format!("Subject: {id}\r\n\r\nx\r\n.\r\n").as_bytes())?;
            let reply = smtp.try_reply()?;
            if reply.code == 421 {
                return Ok(());
            }
            reply.must_be(250);
            self.acknowledged.lock().unwrap().insert(id);
            self.sent.fetch_add(1, SeqCst);
        }
        Ok(())
    }

    /// The next hop takes what comes.
    fn relay(&self, hop: &Hop) {
        while !self.over.load(SeqCst) {
            match hop.at_once() {
                Some(arrival) => {
                    *self.relayed.lock().unwrap().entry(subject(&arrival.message)).or_default() += 1;
                    arrival.answer("250 mine");
                }
                None => std::thread::park_timeout(Duration::from_millis(1)),
            }
        }
    }

    fn acknowledged(&self) -> BTreeSet<String> {
        self.acknowledged.lock().unwrap().clone()
    }
}

fn subject(message: &str) -> String {
    message.lines().find_map(|line| line.strip_prefix("Subject: ")).expect("a subject").to_owned()
}

/// A site whose mail goes to a user and to a next hop. One that hesitates between two tries would be waited for.
fn site(hop: &Hop) -> Site {
    let route = format!("[[route]]\ndomain = \"uni.example\"\nto = {{ smtp = \"{}\" }}\n", hop.address);
    let config = Site::PLAIN.replace("[recipients]", "relay-to = [\"uni.example\"]\n[recipients]");
    Site::new(&format!("{config}{route}[queue]\nretry = [\"1s\"]\n"))
}

/// Plays the rounds under load: in each a server is started, sends are waited for, and `end` ends it. Returns what was shared, and
/// how often each message is in the Maildir.
fn play(mut end: impl FnMut(Server, &mut Random) -> Site) -> (Arc<Shared>, BTreeMap<String, u64>) {
    let (hop, shared) = (Hop::start(), Arc::new(Shared::default()));
    let mut site = site(&hop);
    site.write("sinks.toml", MANIFESTS[0]);
    let with = |work: fn(&Shared, u64), n| {
        let shared = shared.clone();
        std::thread::spawn(move || work(&shared, n))
    };
    let clients: Vec<_> = (0..CLIENTS).map(|n| with(Shared::client, n)).collect();
    let relaying = shared.clone();
    let relay = std::thread::spawn(move || relaying.relay(&hop));
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ u64::from(std::process::id()));
    for _ in 0..rounds() {
        let server = site.start();
        *shared.address.lock().unwrap() = Some(server.address(0));
        let until = shared.sent.load(SeqCst) + 20 + random.below(60);
        eventually("messages to be sent", || (shared.sent.load(SeqCst) >= until).then_some(()));
        std::thread::park_timeout(Duration::from_micros(random.below(5000)));
        *shared.address.lock().unwrap() = None;
        site = end(server, &mut random);
    }
    shared.enough.store(true, SeqCst);
    clients.into_iter().for_each(|client| client.join().expect("a client"));
    let server = site.start();
    eventually("an empty queue", || (server.status().queue.messages == 0).then_some(()));
    shared.over.store(true, SeqCst);
    relay.join().expect("the next hop");
    let mut local = BTreeMap::new();
    for message in messages_in(&server.data_dir().join("mail/example.com/alice/new")) {
        *local.entry(subject(&String::from_utf8(message).expect("text"))).or_default() += 1;
    }
    (shared, local)
}

/// Numbers that need not be good.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % end
    }
}

#[test]
fn stopped_in_the_middle_of_everything_and_each_message_is_delivered_once() {
    let (shared, local) = play(|server, _| server.stop());
    let acknowledged = shared.acknowledged();
    println!("{} acknowledged over {} stops, each delivered once", acknowledged.len(), rounds());
    for (place, there) in [("the Maildir", &local), ("the next hop", &*shared.relayed.lock().unwrap())] {
        assert!(there.keys().eq(&acknowledged), "{place} has others than those that were acknowledged");
        assert!(there.values().all(|copies| *copies == 1), "{place} has some more than once: {there:?}");
    }
}

#[test]
fn stopped_killed_and_reloaded_at_any_time_and_nothing_is_lost() {
    let (mut kills, mut reloads) = (0, 0);
    let (shared, local) = play(|server, random| {
        // A storm of reloads, which the end may meet at any point.
        for _ in 0..10 + random.below(20) {
            server.write("sinks.toml", MANIFESTS[random.below(3) as usize]);
            server.reload();
            reloads += 1;
            std::thread::park_timeout(Duration::from_micros(random.below(3000)));
        }
        if random.below(2) == 0 {
            return server.stop();
        }
        kills += 1;
        server.kill()
    });
    let acknowledged = shared.acknowledged();
    println!("{} acknowledged over {} rounds, {kills} kills, {reloads} reloads", acknowledged.len(), rounds());
    for (place, there) in [("the Maildir", &local), ("the next hop", &*shared.relayed.lock().unwrap())] {
        let lost: Vec<_> = acknowledged.iter().filter(|id| !there.contains_key(*id)).collect();
        assert!(lost.is_empty(), "{place} lacks {lost:?}");
        // A crash between a delivery and its record makes one more copy.
        let most = there.values().max().copied().unwrap_or(0);
        assert!(most <= kills + 1, "{most} copies of one message at {place}");
    }
}
