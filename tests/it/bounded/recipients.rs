//! A million recipients: of one message, of many transactions, known and unknown, with everything that is written down about
//! them.

use super::{Flood, HELLO, MIB, attacked, flood, warm};
use crate::server::Server;
use std::fmt::Write;

/// No client is closed on account of its errors, so that there is no end to them.
const PATIENT: &str = "errors = 4000000000\nidle-commands = 4000000000\n";

/// Sends the commands for each number, many at a time, and returns the last replies.
fn commands(server: &Server, first: &str, count: usize, command: impl Fn(&mut String, usize)) -> String {
    let mut flood = Flood::begin(server.address(0), &format!("{HELLO}{first}"));
    let mut octets = String::new();
    for n in 0..count {
        command(&mut octets, n);
        if octets.len() > 16 << 10 || n + 1 == count {
            flood.send(octets.as_bytes()).expect("commands are taken");
            octets.clear();
        }
    }
    flood.send(b"QUIT\r\n").expect("the end is taken");
    let replies = flood.end();
    assert!(replies.contains("\r\n221 "), "{replies}");
    replies
}

const MAIL: &str = "MAIL FROM:<a@client.example>\r\n";

/// 64 octets long, so that what is kept of it counts.
fn rcpt(octets: &mut String, name: &str, n: usize) {
    write!(octets, "RCPT TO:<{name}+{n:050}@example.com>\r\n").unwrap();
}

#[test]
fn a_million_recipients_of_one_message() {
    let server = warm(PATIENT);
    attacked("recipients over the limit", &server, 8 * MIB, || {
        let replies = commands(&server, MAIL, flood(), |octets, _| *octets += "RCPT TO:<alice@example.com>\r\n");
        assert!(replies.contains("452 4.5.3 "), "{replies}");
    });
    attacked("unknown recipients", &server, 8 * MIB, || {
        let replies = commands(&server, MAIL, flood(), |octets, n| rcpt(octets, "nobody", n));
        assert!(replies.contains("550 5.1.1 "), "{replies}");
    });
}

#[test]
fn a_million_recipients_of_many_transactions() {
    let server = warm(PATIENT);
    let each = |name: &'static str| {
        move |octets: &mut String, n: usize| {
            rcpt(octets, name, n);
            if n % 600 == 599 {
                *octets += "RSET\r\n";
                *octets += MAIL;
            }
        }
    };
    // The history may have 32 MiB of accounts before it: its file is written by the side, and mail does not wait for it.
    attacked("recipients of many transactions", &server, 48 * MIB, || {
        std::thread::scope(|scope| {
            for name in ["alice", "nobody", "nobody", "nobody"] {
                let server = &server;
                scope.spawn(move || commands(server, MAIL, flood() / 4, each(name)));
            }
        });
    });
    // It is all written down as far as a ledger goes.
    let told = server.told(&["why", "--client", "127.0.0.1", "--json"]);
    assert!(told.contains("(guard)") && told.contains("\"dropped\":"), "{}", &told[..told.len().min(1000)]);
}
