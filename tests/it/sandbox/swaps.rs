//! Reloads under load: modules, scripts, tables and manifests are exchanged, good ones and broken ones, while fifty clients
//! send. Every message is stamped by all four, and must have been stamped by one version of them; the ledger names it.
//!
//! `MAILSLUICE_SWAPS` says how many swaps there are; a few if it is not set.

use super::arena::{Stop, Use};
use super::guests::guest;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use mailsluice::admin::{Client, ClientError, Request, Response};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

const CLIENTS: usize = 50;
/// Modules are compiled, and so there are no more versions of them than this.
const MODULES: usize = 10;
/// Messages whose ledgers are read.
const READ: usize = 100;

fn swaps() -> usize {
    std::env::var("MAILSLUICE_SWAPS").map_or(40, |n| n.parse().expect("MAILSLUICE_SWAPS: a number"))
}

const CONFIG: &str = r#"
[[listener]]
address = "127.0.0.1:0"
[domains]
local = ["example.com"]
[limits]
free-space = "0 B"
[reload]
watch = false
"#;

fn manifest(version: usize) -> String {
    format!(
        r#"
[[sink]]
name = "stamps"
module = "modules/stamps.wasm"
tables = {{ versions = "lists/versions.txt" }}
[[sink]]
name = "script"
script = "scripts/stamp.js"
[[sink]]
name = "headers"
native = "headers"
config = {{ set = [{{ name = "X-Manifest", value = "{version}" }}] }}
"#
    )
}

fn script(version: usize) -> String {
    format!("export function onArrival(message) {{ message.setHeader('X-Script', '{version}'); }}")
}

/// The module with another number in it.
fn module(version: usize) -> Vec<u8> {
    let mut octets = guest("stamps");
    let text = b"module version 0000";
    let at = octets.windows(text.len()).position(|window| window == text).expect("the version in the module");
    octets[at..at + text.len()].copy_from_slice(format!("module version {:04}", version % MODULES).as_bytes());
    octets
}

/// Writes a version of everything.
fn write(site: &Site, version: usize) {
    site.write_octets("modules/stamps.wasm", &module(version));
    site.write("lists/versions.txt", &format!("now {version}\n"));
    site.write("scripts/stamp.js", &script(version));
    site.write("sinks.toml", &manifest(version));
}

/// A way in which a file can be broken: what is done to it, and a word of what is said about it.
type Way = (fn(&Site, usize), &'static str);

const WAYS: &[Way] = &[
    (|site, n| site.write_octets("modules/stamps.wasm", &module(n)[..5000]), "modules/stamps.wasm"),
    (|site, _| site.write_octets("modules/stamps.wasm", &guest("start-traps")), "modules/stamps.wasm"),
    (
        |site, _| site.write("scripts/stamp.js", "export function onArrival(message) { message.setHeader(; }"),
        "stamp.js:1:",
    ),
    (|site, n| site.write("lists/versions.txt", &format!("now {n}\nnow 0 and then\n")), "versions.txt"),
    (|site, n| site.write("sinks.toml", &manifest(n).replace("native =", "nativ =")), "did you mean `native`?"),
    (|site, n| site.write("sinks.toml", &manifest(n).replace("versions.txt", "gone.txt")), "lists/gone.txt"),
];

/// Has the server read everything again: the generation in force, or why there is no other.
fn reload(server: &Server) -> Result<u64, String> {
    let mut told = Err("no answer".to_owned());
    let take = |response| {
        match response {
            Response::Reloaded { generation } => told = Ok(generation),
            Response::Failed(why) => told = Err(why),
            _ => {}
        }
        Ok::<_, ClientError>(())
    };
    // That it failed is also the error of the whole.
    let asked = Client::connect(&server.socket()).and_then(|mut client| client.ask(&Request::Reload, take));
    told.map_err(|why| asked.err().map_or(why, |error| error.to_string()))
}

/// Swaps, every other one with something broken. Returns what was in force at each generation.
fn swap(server: &Server) -> BTreeMap<u64, usize> {
    let mut in_force = BTreeMap::from([(1, 0)]);
    let mut settled = None;
    for version in 1..=swaps() {
        let generation = *in_force.last_key_value().unwrap().0;
        if version % 2 == 0 {
            let (break_it, told) = WAYS[version / 2 % WAYS.len()];
            break_it(server, version);
            let why = reload(server).expect_err("what is broken was put in force");
            assert!(why.contains(told), "swap {version}: {why}");
            assert_eq!(server.status().generation, generation);
        } else {
            write(server, version);
            let next = reload(server).unwrap_or_else(|why| panic!("swap {version}: {why}"));
            assert_eq!(next, generation + 1);
            in_force.insert(next, version);
        }
        if version == swaps() / 2 {
            settled = Some(Use::of(server));
        }
    }
    settled.iter().for_each(|before| Use::must_come_back(server, before));
    in_force
}

/// Sends until it is enough, over one connection.
fn client(server: &Server, enough: &AtomicBool, sent: &Mutex<Vec<String>>) {
    let mut client = SmtpClient::greeted(server.address(0));
    while !enough.load(Relaxed) {
        let reply = client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\nbody\r\n");
        sent.lock().unwrap().push(reply.must_be(250).id().to_owned());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    client.quit();
}

#[test]
fn swaps_under_load_mix_nothing_and_fail_nothing() {
    let site = Site::new(CONFIG);
    write(&site, 0);
    let server = site.start();
    let (enough, sent) = (AtomicBool::new(false), Mutex::default());
    let in_force = std::thread::scope(|scope| {
        (0..CLIENTS).for_each(|_| drop(scope.spawn(|| client(&server, &enough, &sent))));
        let stop = Stop(&enough);
        let in_force = swap(&server);
        drop(stop);
        in_force
    });
    let sent = sent.into_inner().unwrap();
    let arrived = server.arrived("example.com", "alice", sent.len());
    assert_eq!(arrived.len(), sent.len(), "doubled");
    let versions: BTreeMap<String, usize> = arrived.iter().map(|octets| version(octets)).collect();
    assert_eq!(versions.len(), sent.len(), "each has its own id");
    let step = sent.len().div_ceil(READ);
    for id in sent.iter().step_by(step) {
        let ledger = server.account(id).ledger;
        assert_eq!(in_force.get(&ledger.generation), versions.get(id), "{ledger:?}");
        assert_eq!(ledger.entries.len(), 3, "{ledger:?}");
    }
    println!("{} swaps, {} messages", swaps(), sent.len());
    server.stop();
}

/// The id of a delivered message and the one version that stamped it.
fn version(octets: &[u8]) -> (String, usize) {
    let text = std::str::from_utf8(octets).unwrap();
    let stamp = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.and_then(|number| number.parse::<usize>().ok()).unwrap_or_else(|| panic!("no {name}: {text}"))
    };
    let version = stamp("X-Manifest");
    assert_eq!(
        (stamp("X-Script"), stamp("X-Table"), stamp("X-Module")),
        (version, version, version % MODULES),
        "{text}"
    );
    let id = text.split_once(" id ").and_then(|(_, rest)| rest.split([' ', ';', '\n']).next()).expect("an id");
    (id.to_owned(), version)
}
