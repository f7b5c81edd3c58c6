//! AUTH on the way out (RFC 4954).

use super::*;

/// Uses the first mechanism of its list that is offered. Its initial response and answers are texts.
#[derive(Clone, Debug, Default)]
struct Script {
    initial: Option<&'static str>,
    answers: Vec<&'static str>,
    /// Only under TLS.
    clear: bool,
    /// What it says to the 235.
    distrust: bool,
    seen: Vec<String>,
}

impl Authenticator for Script {
    fn choose(&mut self, offered: &[String], secure: bool) -> Result<Opening, String> {
        self.seen = offered.to_vec();
        if self.clear && !secure {
            return Err("nothing for plaintext".to_owned());
        }
        let mechanism = offered.iter().find(|name| *name == "LOGIN" || *name == "PLAIN").ok_or("none fits")?.clone();
        Ok(Opening { mechanism, initial: self.initial.map(|text| text.as_bytes().to_vec()) })
    }

    fn respond(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
        if self.answers.is_empty() {
            return Err("no answer is left".to_owned());
        }
        Ok(self.answers.remove(0).as_bytes().to_vec())
    }

    fn finish(&mut self) -> Result<(), String> {
        if self.distrust { Err("the server has not proven itself".to_owned()) } else { Ok(()) }
    }
}

fn run_auth(who: &Script, script: &str) -> Ending {
    let once = |split| {
        let mut client = client(false, true);
        client.start_tls(StartTls::IfOffered);
        client.authenticate(Box::new(who.clone()));
        client.start(letter(&["b@y.example"]));
        play(client, script, split)
    };
    let whole = once(false);
    assert_eq!(whole, once(true), "whole and octet by octet");
    whole
}

const MAIL: &str = "C: MAIL FROM:<a@x.example>\nS: 250 ok\nC: RCPT TO:<b@y.example>\nS: 250 ok\nC: DATA\nS: 354 go\n\
    C: Subject: x\nC: \nC: ..hi\nC: .\nS: 250 taken\nC: QUIT\nS: 221 bye";

fn hello(offers: &str) -> String {
    format!("S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250 {offers}\n")
}

#[test]
fn credentials_come_before_the_first_letter() {
    let plain = Script { initial: Some("\0u\0p"), ..Script::default() };
    let login = Script { answers: vec!["u", "p"], ..Script::default() };
    let empty = Script { initial: Some(""), ..Script::default() };
    for (who, offers, exchange) in [
        (&plain, "AUTH PLAIN", "C: AUTH PLAIN AHUAcA==\nS: 235 2.7.0 welcome\n"),
        // Old servers.
        (&plain, "AUTH=PLAIN", "C: AUTH PLAIN AHUAcA==\nS: 235 welcome\n"),
        (
            &login,
            "auth GSSAPI login",
            "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dQ==\nS: 334 UGFzc3dvcmQ6\nC: cA==\nS: 235 ok\n",
        ),
        (&empty, "AUTH PLAIN", "C: AUTH PLAIN =\nS: 235 ok\n"),
    ] {
        let ending = run_auth(who, &format!("{}{exchange}{MAIL}", hello(offers)));
        assert_eq!(ending.outcomes, [["delivered 250"]], "{offers}");
    }
}

#[test]
fn a_long_initial_response_waits_to_be_asked_for() {
    let text: &'static str = Box::leak("x".repeat(600).into_boxed_str());
    let who = Script { initial: Some(text), ..Script::default() };
    let encoded = "eHh4".repeat(200);
    let script = format!("{}C: AUTH PLAIN\nS: 334 \nC: {encoded}\nS: 235 ok\n{MAIL}", hello("AUTH PLAIN"));
    assert_eq!(run_auth(&who, &script).outcomes, [["delivered 250"]]);
}

#[test]
fn under_tls_what_was_offered_before_does_not_count() {
    let who = Script { initial: Some("x"), clear: true, ..Script::default() };
    let script = format!(
        "S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250-AUTH LOGIN\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nT:\n\
         C: EHLO me.example\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN eA==\nS: 235 ok\n{MAIL}"
    );
    assert_eq!(run_auth(&who, &script).outcomes, [["delivered 250"]]);
}

#[test]
fn refused_credentials_put_mail_off_and_never_fail_it() {
    let plain = || Script { initial: Some("x"), ..Script::default() };
    let auth = "C: AUTH PLAIN eA==\n";
    let bye = "C: QUIT\nS: 221 bye";
    for (who, offers, exchange, outcome) in [
        (plain(), "AUTH PLAIN", format!("{auth}S: 535 5.7.8 no\n{bye}"), "deferred Auth 535"),
        (plain(), "AUTH PLAIN", format!("{auth}S: 454 4.7.0 later\n{bye}"), "deferred Auth 454"),
        (plain(), "AUTH PLAIN", format!("{auth}S: 421 4.7.0 go"), "deferred Auth 421"),
        (plain(), "AUTH CRAM-MD5", bye.to_owned(), "deferred Auth Auth 4.7.0"),
        (plain(), "SIZE", bye.to_owned(), "deferred Auth Auth 4.7.0"),
        (Script { clear: true, ..plain() }, "AUTH PLAIN", bye.to_owned(), "deferred Auth Auth 4.7.0"),
        // Not base64, then a question that nobody can answer: both are cancelled.
        (plain(), "AUTH PLAIN", format!("{auth}S: 334 ???\nC: *\nS: 501 ok\n{bye}"), "deferred Auth Auth 4.7.0"),
        (plain(), "AUTH PLAIN", format!("{auth}S: 334 eA==\nC: *\nS: 501 ok\n{bye}"), "deferred Auth Auth 4.7.0"),
        (
            Script { distrust: true, ..plain() },
            "AUTH PLAIN",
            format!("{auth}S: 235 ok\n{bye}"),
            "deferred Auth Auth 4.7.0",
        ),
        // A server that takes a cancelled exchange for a login has not understood.
        (plain(), "AUTH PLAIN", format!("{auth}S: 334 ???\nC: *\nS: 235 ok"), "deferred Auth Misplaced 4.5.0"),
        (plain(), "AUTH PLAIN", format!("{auth}S: 354 go"), "deferred Auth Misplaced 4.5.0"),
    ] {
        let ending = run_auth(&who, &format!("{}{exchange}", hello(offers)));
        assert_eq!(ending.outcomes, [[outcome]], "{offers} {exchange}");
    }
}

#[test]
fn a_server_that_asks_without_end_is_left() {
    let who = Script { initial: None, answers: vec!["x"; 100], ..Script::default() };
    let rounds = "S: 334 eA==\nC: eA==\n".repeat(16);
    let script =
        format!("{}C: AUTH PLAIN\n{rounds}S: 334 eA==\nC: *\nS: 501 ok\nC: QUIT\nS: 221 bye", hello("AUTH PLAIN"));
    assert_eq!(run_auth(&who, &script).outcomes, [["deferred Auth Auth 4.7.0"]]);
}
