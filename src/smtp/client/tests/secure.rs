//! STARTTLS on the way out (RFC 3207).

use super::*;

fn run_tls(when: StartTls, script: &str) -> Ending {
    let once = |split| {
        let mut client = client(false, true);
        client.start_tls(when);
        client.start(letter(&["b@y.example"]));
        play(client, script, split)
    };
    let whole = once(false);
    assert_eq!(whole, once(true), "whole and octet by octet");
    whole
}

const HELLO: &str = "S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250-SIZE 10\nS: 250 STARTTLS\n";
const MAIL: &str = "C: MAIL FROM:<a@x.example>\nS: 250 ok\nC: RCPT TO:<b@y.example>\nS: 250 ok\nC: DATA\nS: 354 go\n\
    C: Subject: x\nC: \nC: ..hi\nC: .\nS: 250 taken\nC: QUIT\nS: 221 bye";

#[test]
fn after_the_handshake_hello_comes_again_and_old_offers_are_forgotten() {
    for when in [StartTls::IfOffered, StartTls::Required] {
        // SIZE 10 was said before: were it believed, the message would be too large.
        let script = format!("{HELLO}C: STARTTLS\nS: 220 go\nT:\nC: EHLO me.example\nS: 250 mx\n{MAIL}");
        let ending = run_tls(when, &script);
        assert_eq!(
            (ending.outcomes, ending.reason.as_str()),
            (vec![vec!["delivered 250".to_owned()]], "quit"),
            "{when:?}"
        );
    }
}

#[test]
fn a_second_offer_under_tls_is_not_taken() {
    let script = format!("{HELLO}C: STARTTLS\nS: 220 go\nT:\nC: EHLO me.example\nS: 250-mx\nS: 250 STARTTLS\n{MAIL}");
    assert_eq!(run_tls(StartTls::Required, &script).reason, "quit");
}

#[test]
fn tls_that_is_not_required_is_done_without() {
    let plain = "S: 220 mx\nC: EHLO me.example\nS: 250 mx\n";
    let refused = "S: 220 mx\nC: EHLO me.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 4.7.0 no\n";
    for opening in [plain, refused] {
        assert_eq!(run_tls(StartTls::IfOffered, &format!("{opening}{MAIL}")).outcomes, [["delivered 250"]]);
    }
    let never = HELLO.replace("SIZE 10", "X");
    assert_eq!(run_tls(StartTls::Never, &format!("{never}{MAIL}")).outcomes, [["delivered 250"]]);
}

#[test]
fn tls_that_is_required_is_never_done_without() {
    for (opening, outcome) in [
        ("S: 220 mx\nC: EHLO me.example\nS: 250 mx\n", "deferred StartTls NoStartTls 4.7.10"),
        (
            "S: 220 mx\nC: EHLO me.example\nS: 502 what\nC: HELO me.example\nS: 250 mx\n",
            "deferred StartTls NoStartTls 4.7.10",
        ),
        (&format!("{HELLO}C: STARTTLS\nS: 454 4.7.0 no\n"), "deferred StartTls 454"),
        // Nobody's mail is to fail because a server has lost its certificate.
        (&format!("{HELLO}C: STARTTLS\nS: 554 5.7.3 no\n"), "deferred StartTls 554"),
    ] {
        let ending = run_tls(StartTls::Required, &format!("{opening}C: QUIT\nS: 221 bye"));
        assert_eq!(ending.outcomes, [[outcome]]);
    }
    let gone = run_tls(StartTls::Required, &format!("{HELLO}C: STARTTLS\nS: 421 4.3.2 later"));
    assert_eq!(gone.outcomes, [["deferred StartTls 421"]]);
}

/// The answer to EHLO that stands behind the go-ahead was put there by somebody on the way; it would offer what he likes.
#[test]
fn plaintext_behind_the_go_ahead_is_no_reply() {
    for when in [StartTls::IfOffered, StartTls::Required] {
        for injected in ["250 mx", "250-mx\\r\\n250 AUTH PLAIN", "2", "\\0"] {
            let mut client = client(false, true);
            client.start_tls(when);
            client.start(letter(&["b@y.example"]));
            let script = format!("{HELLO}C: STARTTLS\nS: 220 go\\r\\n{injected}\\r\\n");
            let ending = play(client, &script, false);
            assert_eq!(ending.outcomes, [["deferred StartTls Injected 4.7.5"]], "{injected}");
            assert_eq!(ending.reason, "StartTls Injected 4.7.5");
        }
    }
}

#[test]
fn what_comes_while_the_handshake_is_due_breaks_it_off() {
    let mut client = client(false, false);
    client.start_tls(StartTls::Required);
    let mut input = BytesMut::from("220 mx\r\n250-mx\r\n250 STARTTLS\r\n");
    let mut sent = Vec::new();
    loop {
        match client.next(&mut input) {
            Step::Ask(_) => client.answer(Decision::Proceed),
            // Only the greeting may be there before EHLO is sent.
            Step::Send(octets) => sent.push(octets),
            step => {
                assert!(
                    matches!(&step, Step::Closed(Reason::Because(cause)) if short_cause(cause) == "Hello Unasked 4.5.0"),
                    "{step:?}"
                );
                break;
            }
        }
    }
    assert!(sent.is_empty());
    assert!(!client.is_secure());
}

#[test]
fn a_failed_handshake_settles_what_waits() {
    let mut client = client(false, true);
    client.start_tls(StartTls::Required);
    client.start(letter(&["b@y.example"]));
    let mut input = BytesMut::new();
    let mut replies = ["250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"].into_iter();
    input.extend_from_slice(b"220 mx\r\n");
    loop {
        match client.next(&mut input) {
            Step::Ask(_) => client.answer(Decision::Proceed),
            Step::Send(_) => {}
            Step::Read => input.extend_from_slice(replies.next().unwrap().as_bytes()),
            Step::StartTls => client.lost(Trouble::Tls("the certificate is another's".into())),
            Step::Settled(outcomes) => {
                assert_eq!(outcomes.iter().map(short).collect::<Vec<_>>(), ["deferred StartTls Tls 4.7.5"])
            }
            Step::Closed(_) => break,
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn implicit_tls_comes_before_the_greeting() {
    let mut client = client(false, true);
    client.start_tls(StartTls::Never);
    client.secured();
    assert!(client.is_secure());
    client.start(letter(&["b@y.example"]));
    assert_eq!(play(client, &format!("S: 220 mx\nC: EHLO me.example\nS: 250 mx\n{MAIL}"), false).reason, "quit");
}
