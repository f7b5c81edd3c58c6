//! Probes: recipients are asked for, and nothing is sent.

use super::*;

/// Asks for these, each in a transaction of its own, and then sends a letter to each of `then`.
fn ask(lmtp: bool, recipients: &[&str], then: &[&str], quit: bool, script: &str) -> Ending {
    let [whole, split] = [false, true].map(|split| {
        let mut client = client(lmtp, quit);
        for recipient in recipients {
            client.probe(Letter::question(ForwardPath::parse(recipient).unwrap()));
        }
        then.iter().for_each(|recipient| client.start(letter(&[recipient])));
        play(client, script, split)
    });
    assert_eq!(whole, split, "whole and octet by octet");
    whole
}

const PLAIN: &str = "S: 220 hello
     C: EHLO me.example
     S: 250-mx
     S: 250 SIZE 1000
     C: MAIL FROM:<>\n";
const GROUPS: &str = "S: 220 hello
     C: EHLO me.example
     S: 250-mx
     S: 250-CHUNKING
     S: 250 PIPELINING
     C: MAIL FROM:<>
     C: RCPT TO:<b@y.example>\n";

#[test]
fn a_recipient_is_asked_for_and_no_data_follows() {
    for (reply, outcome) in [
        ("250 ok", "delivered 250"),
        ("251 will forward", "delivered 251"),
        ("550 5.1.1 no such user", "failed Rcpt 550"),
        ("450 later", "deferred Rcpt 450"),
        ("552 too many", "deferred Rcpt 552"),
    ] {
        let leave = "C: QUIT\nS: 221 bye\n";
        let plain = format!("{PLAIN}S: 250 ok\nC: RCPT TO:<b@y.example>\nS: {reply}\n{leave}");
        let groups = format!("{GROUPS}S: 250 ok\nS: {reply}\n{leave}");
        for script in [plain, groups] {
            let ending = ask(false, &["b@y.example"], &[], true, &script);
            assert_eq!((ending.outcomes, ending.reason.as_str()), (vec![vec![outcome.to_owned()]], "quit"), "{reply}");
            assert_eq!(ending.points, [Point::Helo("EHLO"), Point::Mail, Point::Rcpt(0), Point::Quit]);
        }
    }
}

#[test]
fn lmtp_can_be_asked() {
    let script = "S: 220 hello
         C: LHLO me.example
         S: 250-mx
         S: 250 PIPELINING
         C: MAIL FROM:<>
         C: RCPT TO:<b@y.example>
         S: 250 ok
         S: 250 ok
         C: RSET
         S: 250 ok
         C: MAIL FROM:<>
         C: RCPT TO:<no@y.example>
         S: 250 ok
         S: 550 no";
    let ending = ask(true, &["b@y.example", "no@y.example"], &[], false, script);
    assert_eq!(
        (ending.outcomes.concat(), ending.reason.as_str()),
        (vec!["delivered 250".into(), "failed Rcpt 550".into()], "")
    );
}

#[test]
fn a_message_after_a_probe_goes_by_itself() {
    let script = "S: 250 ok
         C: RCPT TO:<b@y.example>
         S: 250 ok
         C: RSET
         S: 250 ok
         C: MAIL FROM:<a@x.example> SIZE=19
         S: 250 ok
         C: RCPT TO:<c@y.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 ok";
    let ending = ask(false, &["b@y.example"], &["c@y.example"], false, &[PLAIN, script].concat());
    assert_eq!(ending.outcomes, [["delivered 250"], ["delivered 250"]]);
}

#[test]
fn what_is_no_reply_to_rcpt_is_not_taken_for_one() {
    for (rest, outcome) in [
        ("S: 550 no null senders here\nS: 550 no MAIL yet\n", "failed Mail 550"),
        ("S: 451 later\nS: 250 ok\n", "deferred Mail 451"),
        ("S: 250 ok\nS: 421 closing\n", "deferred Rcpt 421"),
        ("S: 250 ok\nS: <close>\n", "deferred Rcpt Closed 4.4.2"),
        ("S: 250 ok\nS: <hang>\n", "deferred Rcpt TimedOut 4.4.2"),
        ("S: 250 ok\nS: what?\n", "deferred Rcpt Garbage 4.5.0"),
        ("S: 250 ok\nS: 354 go on\n", "deferred Rcpt Misplaced 4.5.0"),
    ] {
        let ending = ask(false, &["b@y.example"], &[], false, &[GROUPS, rest].concat());
        assert_eq!(ending.outcomes, [[outcome]], "{rest}");
    }
    let script = "S: 220 hello\nC: EHLO me.example\nS: 250 mx\n";
    assert_eq!(ask(false, &["ü@y.example"], &[], false, script).outcomes, [["failed Mail NeedsSmtpUtf8 5.6.7"]]);
}

#[test]
fn a_server_that_never_greets_settles_the_probe() {
    assert_eq!(ask(false, &["b@y.example"], &[], false, "S: <close>").outcomes, [["deferred Greeting Closed 4.4.2"]]);
}
