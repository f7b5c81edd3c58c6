//! AUTH against a server with users: each mechanism, each refusal, sinks that decide, locks, and what an account is shown as.
//!
//! A talk is written line by line: `C:` is said, `S:` is what the server answers, `S*` a line of a reply of many, `*` stands for any
//! text. `{…}` is put into base64.

mod mechanisms;
mod refusals;
mod sinks;

use crate::inside::{Inside, Plan};
use crate::reference::logins::PENCIL;
use crate::wait::PATIENCE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailsluice::accounts::{Account, Accounts, Hash};
use mailsluice::event::Natives;
use mailsluice::mail::Glob;
use mailsluice::sasl::scram::Keys;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

const LISTENER: &str =
    "[[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"submission\"\nclear-text-without-tls = true\n";

/// alice has a hash and SCRAM keys, bob a hash, carol is disabled.
fn accounts(everybody_has_keys: bool) -> Accounts {
    let mut accounts = Accounts::default();
    let keys = || Some(Box::new(Keys::of_password("pencil", b"0123456789abcdef", 4096)));
    let hash = || Hash::parse(PENCIL).ok();
    let senders = Some(vec![Glob::new("alice@example.com")]);
    accounts.add(Account { hash: hash(), keys: keys(), senders, ..Account::new("Alice") });
    let bob = if everybody_has_keys { keys() } else { None };
    accounts.add(Account { hash: hash(), keys: bob, ..Account::new("bob") });
    accounts.add(Account { hash: hash(), keys: keys(), disabled: true, ..Account::new("carol") });
    accounts
}

/// A server with those users and this listener.
fn server(listener: &str, everybody_has_keys: bool) -> Inside {
    with(listener, everybody_has_keys, "", |natives| natives)
}

fn with(listener: &str, everybody_has_keys: bool, manifest: &str, natives: impl FnOnce(Natives) -> Natives) -> Inside {
    let accounts = Arc::new(accounts(everybody_has_keys));
    let config = format!("{listener}[domains]\nlocal = [\"example.com\"]\n[limits]\nfree-space = \"0 B\"\n");
    Plan::new(&config)
        .delivers_nothing()
        .natives(natives)
        .manifest(manifest)
        .adjust(move |settings| settings.auth.accounts = Some(accounts))
        .start()
}

/// Talks to the server as written. What it says must be as written, and nothing more must come.
#[track_caller]
fn talk(server: &Inside, text: &str) {
    talk_to(server.address(0), text);
}

/// Talks to whoever listens there as written.
#[track_caller]
pub(crate) fn talk_to(address: SocketAddr, text: &str) {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = BufReader::new(stream);
    for line in text.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        if let Some(said) = line.strip_prefix("C: ").or(line.strip_prefix("C:")) {
            write!(stream.get_mut(), "{}\r\n", encoded(said)).unwrap();
            continue;
        }
        if let Some(wanted) = line.strip_prefix("S* ") {
            // A whole reply, which has this line among its own.
            let mut lines = Vec::new();
            while lines.last().is_none_or(|line: &String| line.as_bytes().get(3) == Some(&b'-')) {
                let mut heard = String::new();
                stream.read_line(&mut heard).unwrap_or_else(|e| panic!("{wanted}: {e}"));
                assert!(!heard.is_empty(), "the server has closed\n{text}");
                lines.push(heard.trim_end().to_owned());
            }
            let found = |line: &String| line.get(4..).is_some_and(|said| Glob::new(wanted).matches(said));
            assert!(lines.iter().any(found), "wanted {wanted:?} in {lines:?}");
            continue;
        }
        let wanted = line.strip_prefix("S: ").unwrap_or_else(|| panic!("{line}"));
        let mut heard = String::new();
        stream.read_line(&mut heard).unwrap_or_else(|e| panic!("{wanted}: {e}"));
        let heard = heard.strip_suffix("\r\n").unwrap_or(&heard);
        if wanted == "<close>" {
            assert_eq!(heard, "", "the server should have closed");
        } else {
            assert!(Glob::new(&encoded(wanted)).matches(heard), "wanted {wanted:?}, heard {heard:?}\n{text}");
        }
    }
}

/// With `{…}` in base64; `\0` and `\1` in it are those octets.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, after) = after.split_once("}}").unwrap_or_else(|| after.split_once('}').unwrap());
        out.push_str(before);
        out.push_str(&STANDARD.encode(inner.replace("\\0", "\0").replace("\\1", "\u{1}")));
        rest = after;
    }
    out + rest
}
