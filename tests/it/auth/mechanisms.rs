//! Each mechanism lets the right one in.

use super::{LISTENER, server, talk};
use crate::inside::Inside;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailsluice::sasl::client::{self, Login, Proof};
use mailsluice::sasl::{Binding, Hidden, Mechanism};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

#[test]
fn what_is_offered_follows_from_who_can_come_in() {
    let offered = |listener: &str, keys: bool, wanted: &str| {
        talk(&server(listener, keys), &format!("S: 220 *\nC: EHLO c\nS* {wanted}\nC: NOOP\nS: 250 *"));
    };
    offered(LISTENER, true, "AUTH SCRAM-SHA-256 PLAIN LOGIN");
    offered(LISTENER, false, "AUTH PLAIN LOGIN");
    let own = LISTENER.to_owned() + "auth = [\"login\", \"PLAIN\"]\nauth-old-spelling = true\n";
    offered(&own, true, "AUTH LOGIN PLAIN");
    offered(&own, true, "AUTH=LOGIN PLAIN");
    // What shows the password is not offered in the clear.
    let strict = LISTENER.replace("clear-text-without-tls = true", "");
    offered(&strict, true, "AUTH SCRAM-SHA-256");
    let mx = LISTENER.replace("submission", "mx");
    talk(&server(&mx, true), "S: 220 *\nC: HELO c\nS: 250 *\nC: AUTH PLAIN\nS: 502 5.5.1 *");
}

#[test]
fn plain_and_login_with_and_without_an_initial_response() {
    let server = server(LISTENER, true);
    for exchange in [
        "C: AUTH PLAIN {\\0alice\\0pencil}",
        "C: auth plain\nS: 334 \nC: {\\0ALICE\\0pencil}",
        "C: AUTH PLAIN {alice\\0alice\\0pencil}",
        "C: AUTH LOGIN\nS: 334 {Username:}\nC: {alice}\nS: 334 {Password:}\nC: {pencil}",
        "C: AUTH LOGIN {alice}\nS: 334 {Password:}\nC: {pencil}",
    ] {
        talk(
            &server,
            &format!("S: 220 *\nC: EHLO c\n{EHLO}\n{exchange}\nS: 235 2.7.0 Authenticated\nC: NOOP\nS: 250 *"),
        );
    }
}

/// The whole reply to EHLO.
pub(super) const EHLO: &str = "S* AUTH *";

#[test]
fn scram_and_both_sides_are_sure() {
    let server = server(LISTENER, true);
    assert_eq!(logs_in(&server, "alice", "pencil"), Ok(()));
    assert_eq!(logs_in(&server, "alice", "Pencil"), Err("535 5.7.8 Authentication credentials invalid".to_owned()));
    assert_eq!(logs_in(&server, "carol", "pencil"), Err("535 5.7.8 Authentication credentials invalid".to_owned()));
    assert_eq!(logs_in(&server, "nobody", "pencil"), Err("535 5.7.8 Authentication credentials invalid".to_owned()));
}

/// With our own client, which fails if the server can't prove itself.
fn logs_in(server: &Inside, user: &str, password: &str) -> Result<(), String> {
    let stream = TcpStream::connect(server.address(0)).unwrap();
    stream.set_read_timeout(Some(crate::wait::PATIENCE)).unwrap();
    let mut stream = BufReader::new(stream);
    let mut hear = |said: Option<String>| {
        if let Some(said) = said {
            write!(stream.get_mut(), "{said}\r\n").unwrap();
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            if line.as_bytes().get(3) == Some(&b' ') {
                return line.trim_end().to_owned();
            }
        }
    };
    hear(None);
    hear(Some("EHLO c".to_owned()));
    let login = Login { user: user.into(), authzid: None, proof: Proof::Password(Hidden::new(password)) };
    let mut client = client::start(Mechanism::ScramSha256, &login, "abc".into(), &Binding::default()).unwrap().unwrap();
    let first = STANDARD.encode(client.initial().unwrap());
    let mut reply = hear(Some(format!("AUTH SCRAM-SHA-256 {first}")));
    while let Some(challenge) = reply.strip_prefix("334 ") {
        let response = client.respond(&STANDARD.decode(challenge).unwrap()).map_err(|e| e.to_string())?;
        reply = hear(Some(STANDARD.encode(response)));
    }
    if reply.starts_with("235 ") { client.finish().map_err(|e| e.to_string()) } else { Err(reply) }
}

#[test]
fn who_is_in_may_send_and_is_named_in_the_trace_and_its_origin() {
    let server = server(LISTENER, true);
    let text = format!(
        "S: 220 *\nC: EHLO c\n{EHLO}\nC: MAIL FROM:<alice@example.com>\nS: 530 5.7.0 Authentication required\n\
        C: AUTH PLAIN {{\\0alice\\0pencil}}\nS: 235 *\n\
        C: MAIL FROM:<alice@example.com> AUTH=<>\nS: 250 *\nC: RCPT TO:<x@elsewhere.example>\nS: 250 *\nC: DATA\nS: 354 *\n\
        C: Subject: x\nC: \nC: x\nC: .\nS: 250 *\n"
    );
    talk(&server, &text);
    let kept = server.wait(server.kept());
    let (entry, octets) = &kept[0];
    assert_eq!(entry.origin.auth.as_deref(), Some("Alice"), "as the user file spells it");
    let trace = String::from_utf8_lossy(octets);
    assert!(trace.contains("with ESMTPA"), "{trace}");
}

#[test]
fn the_parameter_auth_is_read_where_auth_is_offered() {
    let own = LISTENER.to_owned() + "auth-required = false\n";
    let server_of = |listener: &str| server(listener, true);
    let mail =
        |value: &str, code: &str| format!("C: MAIL FROM:<a@b.example> AUTH={value}\nS: {code}*\nC: RSET\nS: 250 *\n");
    let all = [mail("<>", "250 "), mail("e+3Dmc2@example.com", "250 "), mail("<a@b>", "501 "), mail("+ZZ", "501 ")];
    talk(&server_of(&own), &format!("S: 220 *\nC: EHLO c\n{EHLO}\n{}", all.concat()));
    let mx = LISTENER.replace("submission", "mx");
    talk(&server_of(&mx), &format!("S: 220 *\nC: HELO c\nS: 250 *\n{}", mail("<>", "555 ")));
}
