//! Sessions with servers that keep to the protocol.

use super::*;
use crate::mail::{Notify, OriginalRecipient, Ret};

#[test]
fn one_message_without_extensions() {
    let ending = run(
        &[letter(&["b@y.example", "c@y.example"])],
        true,
        "S: 220-mx.example
         S: 220 hello
         C: EHLO me.example
         S: 250 mx.example
         C: MAIL FROM:<a@x.example>
         S: 250 2.1.0 ok
         C: RCPT TO:<b@y.example>
         S: 250 ok
         C: RCPT TO:<c@y.example>
         S: 251 will forward
         C: DATA
         S: 354 go ahead
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 2.0.0 queued as 1
         C: QUIT
         S: 221 bye",
    );
    assert_eq!(ending.outcomes, [["delivered 250", "delivered 250"]]);
    assert_eq!(ending.reason, "quit");
    use Point::*;
    assert_eq!(ending.points, [Helo("EHLO"), Mail, Rcpt(0), Rcpt(1), Data, Quit]);
}

#[test]
fn commands_go_in_one_group_where_the_server_takes_it() {
    let ending = run(
        &[letter(&["b@y.example", "nobody@y.example", "full@y.example"])],
        false,
        "S: 220 hello
         C: EHLO me.example
         S: 250-mx.example
         S: 250 PIPELINING
         C: MAIL FROM:<a@x.example>
         C: RCPT TO:<b@y.example>
         C: RCPT TO:<nobody@y.example>
         C: RCPT TO:<full@y.example>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 550 5.1.1 no such user
         S: 452 4.2.2 full
         S: 354 go ahead
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 queued",
    );
    assert_eq!(ending.outcomes, [["delivered 250", "failed Rcpt 550", "deferred Rcpt 452"]]);
    assert_eq!(ending.reason, "");
}

#[test]
fn a_large_group_is_cut() {
    let names: Vec<String> = (0..150).map(|n| format!("u{n}@y.example")).collect();
    let letter = letter(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut script =
        "S: 220 hello\nC: EHLO me.example\nS: 250-mx\nS: 250 PIPELINING\nC: MAIL FROM:<a@x.example>\n".to_owned();
    let rcpts =
        |range: std::ops::Range<usize>| range.map(|n| format!("C: RCPT TO:<u{n}@y.example>\n")).collect::<String>();
    script += &rcpts(0..99);
    script += &"S: 250 ok\n".repeat(100);
    script += &rcpts(99..150);
    script += "C: DATA\n";
    script += &"S: 250 ok\n".repeat(51);
    script += "S: 354 go\nC: Subject: x\nC: \nC: ..hi\nC: .\nS: 250 queued\n";
    let ending = run(&[letter], false, &script);
    assert_eq!(ending.outcomes, [vec!["delivered 250".to_owned(); 150]]);
}

#[test]
fn helo_follows_a_refused_ehlo() {
    let ending = run(
        &[letter(&["b@y.example"])],
        true,
        "S: 220 old
         C: EHLO me.example
         S: 502 what
         C: HELO me.example
         S: 250-PIPELINING
         S: 250 SIZE 1
         C: MAIL FROM:<a@x.example>
         S: 250 ok
         C: RCPT TO:<b@y.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 ok
         C: QUIT
         S: <close>",
    );
    assert_eq!((ending.outcomes, ending.reason.as_str()), (vec![vec!["delivered 250".to_owned()]], "quit"));
}

#[test]
fn parameters_are_used_as_offered() {
    let mut letter = letter(&["ü@y.example"]);
    letter.body = BodyType::EightBitMime;
    letter.ret = Some(Ret::Full);
    letter.envid = Some("Q1+3D".into());
    letter.recipients[0].notify = Some(Notify { failure: true, ..Notify::default() });
    letter.recipients[0].orcpt = Some(OriginalRecipient { kind: "utf-8".into(), address: "ü@z".into() });
    let ending = run(
        &[letter],
        false,
        "S: 220 hello
         C: EHLO me.example
         S: 250-mx
         S: 250-8bitmime
         S: 250-SmtpUtf8
         S: 250-DSN
         S: 250-SIZE 1000
         S: 250 PIPELINING
         C: MAIL FROM:<a@x.example> SIZE=19 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=Q1+3D
         C: RCPT TO:<ü@y.example> NOTIFY=FAILURE ORCPT=utf-8;ü@z
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 ok",
    );
    assert_eq!(ending.outcomes, [["delivered 250"]]);
}

const PLAIN_HELLO: &str = "S: 220 hello\nC: EHLO me.example\nS: 250-mx\nS: 250 SIZE 1000\n";

#[test]
fn what_the_server_can_not_take_is_not_sent() {
    let mut wide = letter(&["b@y.example"]);
    wide.smtputf8 = true;
    let mut eight = letter(&["b@y.example"]);
    eight.body = BodyType::EightBitMime;
    let mut large = letter(&["b@y.example"]);
    large.size = 1001;
    let mut sender = letter(&["b@y.example"]);
    sender.sender = ReversePath::parse("ü@x.example").unwrap();
    let ending = run(&[wide, eight, large, sender], false, PLAIN_HELLO);
    assert_eq!(
        ending.outcomes.concat(),
        [
            "failed Mail NeedsSmtpUtf8 5.6.7",
            "failed Mail NeedsEightBit 5.6.3",
            "failed Mail TooLarge 5.3.4",
            "failed Mail NeedsSmtpUtf8 5.6.7"
        ]
    );
}

#[test]
fn a_recipient_that_can_not_be_written_does_not_keep_the_others_from_it() {
    let script = "C: MAIL FROM:<a@x.example> SIZE=19
         S: 250 ok
         C: RCPT TO:<b@y.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 ok";
    let ending = run(&[letter(&["ü@y.example", "b@y.example"])], false, &[PLAIN_HELLO, script].concat());
    assert_eq!(ending.outcomes, [["failed Mail NeedsSmtpUtf8 5.6.7", "delivered 250"]]);
}

#[test]
fn a_refused_transaction_is_reset_before_the_next() {
    let ending = run(
        &[letter(&["no@y.example"]), letter(&["b@y.example"]), letter(&["c@y.example"]), letter(&["d@y.example"])],
        true,
        "S: 220 hello
         C: EHLO me.example
         S: 250 mx
         C: MAIL FROM:<a@x.example>
         S: 250 ok
         C: RCPT TO:<no@y.example>
         S: 550 no
         C: RSET
         S: 250 ok
         C: MAIL FROM:<a@x.example>
         S: 451 later
         C: MAIL FROM:<a@x.example>
         S: 250 ok
         C: RCPT TO:<c@y.example>
         S: 250 ok
         C: DATA
         S: 554 no
         C: RSET
         S: 250 ok
         C: MAIL FROM:<a@x.example>
         S: 250 ok
         C: RCPT TO:<d@y.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 554 5.6.0 bad content
         C: QUIT
         S: 221 bye",
    );
    assert_eq!(ending.outcomes.concat(), ["failed Rcpt 550", "deferred Mail 451", "failed Data 554", "failed Dot 554"]);
}

const GROUP: &str = "S: 220 hello
     C: EHLO me.example
     S: 250-mx
     S: 250 PIPELINING
     C: MAIL FROM:<a@x.example>
     C: RCPT TO:<b@y.example>
     C: RCPT TO:<c@y.example>
     C: DATA\n";

fn group(rest: &str) -> Ending {
    run(&[letter(&["b@y.example", "c@y.example"])], true, &[GROUP, rest].concat())
}

#[test]
fn a_lone_dot_ends_a_transfer_that_nobody_gets() {
    let ending = group(
        "S: 250 ok
         S: 550 no
         S: 450 later
         S: 354 go on
         C: .
         S: 250 queued
         C: QUIT
         S: 221 bye",
    );
    assert_eq!(ending.outcomes, [["failed Rcpt 550", "deferred Rcpt 450"]]);
}

#[test]
fn the_refusal_of_mail_is_what_its_recipients_are_told() {
    let ending = group(
        "S: 550 5.7.1 not you
         S: 503 MAIL first
         S: 503 MAIL first
         S: 503 MAIL first
         C: QUIT
         S: 221 bye",
    );
    assert_eq!(ending.outcomes, [["failed Mail 550", "failed Mail 550"]]);
}

#[test]
fn too_many_recipients_is_no_failure() {
    let ending = group(
        "S: 250 ok
         S: 250 ok
         S: 552 too many
         S: 451 no data today
         C: QUIT
         S: 221 bye",
    );
    assert_eq!(ending.outcomes, [["deferred Data 451", "deferred Rcpt 552"]]);
}

#[test]
fn lmtp_has_a_reply_per_accepted_recipient() {
    let ending = run_lmtp(
        &[letter(&["b@y.example", "no@y.example", "c@y.example", "d@y.example"])],
        true,
        "S: 220 hello
         C: LHLO me.example
         S: 250-mx
         S: 250 PIPELINING
         C: MAIL FROM:<a@x.example>
         C: RCPT TO:<b@y.example>
         C: RCPT TO:<no@y.example>
         C: RCPT TO:<c@y.example>
         C: RCPT TO:<d@y.example>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 550 no
         S: 250 ok
         S: 250 ok
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 for b
         S: 452 4.2.2 c is full
         S: 552 5.2.2 d is full for good
         C: QUIT
         S: 221 bye",
    );
    assert_eq!(ending.outcomes, [["delivered 250", "failed Rcpt 550", "deferred Dot 452", "failed Dot 552"]]);
}

#[test]
fn a_letter_to_nobody_is_settled_at_once() {
    assert_eq!(run(&[letter(&[])], false, PLAIN_HELLO).outcomes, [Vec::<String>::new()]);
}
