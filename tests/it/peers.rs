//! Mail with foreign programs: swaks, curl, Python's smtplib and Postfix send to us; those, msmtp, GNU SASL and OpenSSL log in and
//! speak TLS; fetchmail asks for its mail; Postfix, its smtp-sink and Dovecot take from us, and Python's `email` reads our reports.
//! testssl.sh and nmap look for what is wrong with us. BIND has signed zones for DANE, Pebble issues
//! certificates to us.
//!
//! A program that is absent is named on standard error and its tests do nothing, unless `MAILSLUICE_REQUIRE_PEERS` is set: then
//! they fail. `make peers` installs them all.
//!
//! Contents are compared octet for octet. A foreign server or a Maildir may put trace fields on top and may keep lines with a bare
//! LF; nothing else may differ.

#[cfg(feature = "acme")]
mod acme;
#[cfg(feature = "dns")]
mod bind;
mod clients;
#[cfg(feature = "dns")]
mod dane;
mod dovecot;
mod dsn;
mod fetchmail;
mod gsasl;
mod mailboxes;
mod msmtp;
mod nmap;
mod openssl;
#[cfg(feature = "acme")]
mod pebble;
mod postfix;
mod postfix_submits;
mod proxies;
mod relay;
mod sink;
mod smtp_sink_faults;
mod smtplib;
mod submission;
mod swaks;
mod testssl;
mod tls_hop;
#[cfg(feature = "http")]
mod tokens;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

/// A foreign program by name, if it is there.
pub(crate) fn peer(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual: OsString = "/usr/sbin:/usr/local/sbin".into();
    let mut folders = std::env::split_paths(&path).chain(std::env::split_paths(&usual));
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|file| file.is_file()));
    if found.is_none() {
        absent(program);
    }
    found
}

/// Says once that a peer is absent, where the test runner does not swallow it.
fn absent(peer: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(std::env::var_os("MAILSLUICE_REQUIRE_PEERS").is_none(), "absent peer: {peer} (run `make peers`)");
    if SAID.lock().unwrap().insert(peer.to_owned()) {
        writeln!(std::io::stderr(), "absent peer: {peer}").expect("writing to standard error");
    }
}

/// Runs a program to its end; its output is the message if that is a bad one.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{said}");
    said
}

/// A port that was free a moment ago, for programs that can't be told to take any.
///
/// Somebody else may take it before they do, so whoever uses this tries again with another one when the program can't bind it.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

/// Addresses with an IP that no other test uses, so that whoever listens there can be started again in the same place.
fn own_addresses<const N: usize>() -> [SocketAddr; N] {
    static LAST: AtomicU8 = AtomicU8::new(0);
    let [.., high, low] = std::process::id().to_be_bytes();
    // Its first bit keeps it apart from 127.0.0.1, where all the others are.
    let ip = Ipv4Addr::new(127, high | 0x80, low, 1 + LAST.fetch_add(1, Ordering::Relaxed) % 250);
    // Servers of the machine itself listen at all of its addresses. All are kept until the last is found, so that they differ.
    let free = [(); N].map(|()| TcpListener::bind((ip, 0)).expect("a free port"));
    free.map(|listener| listener.local_addr().expect("its address"))
}

/// Runs a Python script with arguments and standard input; what it prints must be JSON.
#[track_caller]
fn python(program: &Path, script: &str, args: &[&str], input: &[u8]) -> serde_json::Value {
    let mut command = Command::new(program);
    command.args(["-c", script]).args(args).env("PYTHONIOENCODING", "utf-8");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("starting python3");
    // A script that ends early does not read it, and says why.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON from the script")
}

/// A message that is easily spoilt: dots, blanks at line ends, long lines, octets above 127, empty lines at the end.
fn letter(subject: &str) -> String {
    let long = "0123456789".repeat(99);
    [
        "From: Sender <sender@client.example>",
        "To: alice@example.com",
        &format!("Subject: {subject}"),
        "Date: Mon, 23 Nov 2026 12:00:00 +0000",
        &format!("Message-ID: <{subject}@client.example>"),
        "X-Folded: one",
        "\ttwo ",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        "Grüße, 日本語",
        ".",
        "..",
        ".dot first",
        "From the start of a line",
        "blanks at the end  \t",
        &long,
        "",
        "",
        "",
    ]
    .join("\r\n")
}

/// The fields that were put on top of a letter, by name, once it is certain that the rest is the letter, octet for octet but for
/// the form of its line ends.
#[track_caller]
fn added(letter: &str, arrived: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(arrived).replace("\r\n", "\n");
    let wanted = letter.replace("\r\n", "\n");
    let Some(top) = text.strip_suffix(&wanted) else {
        panic!("not the letter that was sent.\n-- sent:\n{wanted}\n-- arrived:\n{text}");
    };
    let fields = top.lines().filter(|line| !line.starts_with([' ', '\t']));
    fields.map(|field| field.split(':').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_spoilt_letter_is_noticed() {
    let letter = letter("x");
    assert_eq!(added(&letter, format!("Received: a\r\n\tb\r\nX: y\r\n{letter}").as_bytes()), ["Received", "X"]);
    let spoilt = letter.replace("end  \t", "end");
    assert!(std::panic::catch_unwind(|| added(&letter, spoilt.as_bytes())).is_err());
}
