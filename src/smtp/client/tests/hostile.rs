//! Servers that refuse, break off, or lie.

use super::*;

/// Greeted, and MAIL and RCPT accepted, without PIPELINING.
const ACCEPTED: &str = "S: 220 hello
     C: EHLO me.example
     S: 250 mx
     C: MAIL FROM:<a@x.example>
     S: 250 ok
     C: RCPT TO:<b@y.example>
     S: 250 ok
     C: DATA\n";
const SENT: &str = "S: 354 go
     C: Subject: x
     C: 
     C: ..hi
     C: .\n";

fn one(script: &[&str]) -> (String, String) {
    let ending = run(&[letter(&["b@y.example"])], true, &script.concat());
    let [outcomes] = ending.outcomes.as_slice() else { panic!("{ending:?}") };
    (outcomes.concat(), ending.reason)
}

fn pair(outcome: &str, reason: &str) -> (String, String) {
    (outcome.to_owned(), reason.to_owned())
}

#[test]
fn the_greeting_can_refuse() {
    let farewell = "C: QUIT\nS: 221 bye\n";
    assert_eq!(one(&["S: 554 no mail here\n", farewell]), pair("failed Greeting 554", "Greeting 554"));
    assert_eq!(one(&["S: 450 not now\n", farewell]), pair("deferred Greeting 450", "Greeting 450"));
    assert_eq!(one(&["S: 421 too many of you\n"]), pair("deferred Greeting 421", "Greeting 421"));
    assert_eq!(one(&["S: <close>\n"]), pair("deferred Greeting Closed 4.4.2", "Greeting Closed 4.4.2"));
    assert_eq!(one(&["S: <hang>\n"]), pair("deferred Greeting TimedOut 4.4.2", "Greeting TimedOut 4.4.2"));
}

#[test]
fn hello_can_be_refused() {
    let script = "S: 220 hello\nC: EHLO me.example\nS: 550 no\nC: HELO me.example\nS: 550 no\nC: QUIT\nS: 221 bye\n";
    assert_eq!(one(&[script]), pair("failed Hello 550", "Hello 550"));
    let script = "S: 220 hello\nC: EHLO me.example\nS: 451 later\nC: QUIT\nS: <close>\n";
    assert_eq!(one(&[script]), pair("deferred Hello 451", "Hello 451"));
    let ending = run_lmtp(
        &[letter(&["b@y.example"])],
        true,
        "S: 220 hello\nC: LHLO me.example\nS: 500 what\nC: QUIT\nS: 221 bye\n",
    );
    assert_eq!(ending.outcomes, [["failed Hello 500"]], "HELO is no fallback for LHLO");
}

#[test]
fn a_loss_is_never_a_success_and_never_final() {
    assert_eq!(one(&[ACCEPTED, "S: <close>"]), pair("deferred Data Closed 4.4.2", "Data Closed 4.4.2"));
    assert_eq!(one(&[ACCEPTED, SENT, "S: <close>"]), pair("deferred Dot Closed 4.4.2", "Dot Closed 4.4.2"));
    assert_eq!(one(&[ACCEPTED, SENT, "S: <hang>"]), pair("deferred Dot TimedOut 4.4.2", "Dot TimedOut 4.4.2"));
    assert_eq!(one(&[ACCEPTED, SENT, "S: 250-almost\nS: <close>"]).0, "deferred Dot Closed 4.4.2");
}

#[test]
fn a_421_puts_off_whatever_is_open() {
    assert_eq!(one(&[ACCEPTED, "S: 421 shutting down"]), pair("deferred Data 421", "Data 421"));
    assert_eq!(one(&[ACCEPTED, SENT, "S: 421 shutting down"]), pair("deferred Dot 421", "Dot 421"));
    let ending = run(
        &[letter(&["b@y.example", "no@y.example", "c@y.example"]), letter(&["d@y.example"])],
        true,
        "S: 220 hello
         C: EHLO me.example
         S: 250 mx
         C: MAIL FROM:<a@x.example>
         S: 250 ok
         C: RCPT TO:<b@y.example>
         S: 250 ok
         C: RCPT TO:<no@y.example>
         S: 550 no
         C: RCPT TO:<c@y.example>
         S: 421 shutting down",
    );
    assert_eq!(ending.outcomes[0], ["deferred Rcpt 421", "failed Rcpt 550", "deferred Rcpt 421"]);
    assert_eq!(ending.outcomes[1], ["deferred Rcpt 421"], "a letter that waits is put off too");
}

#[test]
fn under_lmtp_what_was_delivered_stays_so() {
    let ending = run_lmtp(
        &[letter(&["b@y.example", "c@y.example"])],
        true,
        "S: 220 hello
         C: LHLO me.example
         S: 250 mx
         C: MAIL FROM:<a@x.example>
         S: 250 ok
         C: RCPT TO:<b@y.example>
         S: 250 ok
         C: RCPT TO:<c@y.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 for b
         S: <close>",
    );
    assert_eq!(ending.outcomes, [["delivered 250", "deferred Dot Closed 4.4.2"]]);
}

#[test]
fn the_reply_to_quit_is_not_the_reply_to_the_data() {
    let ending = run(
        &[letter(&["b@y.example"])],
        true,
        &[ACCEPTED, SENT, "S: 554 5.7.1 no\nC: QUIT\nS: 250 ok, or so it seems"].concat(),
    );
    assert_eq!(ending.outcomes, [["failed Dot 554"]]);
    // A server that goes away after the dot is not asked for its farewell, which could be taken for an acceptance.
    assert_eq!(one(&[ACCEPTED, SENT, "S: <close>"]).0, "deferred Dot Closed 4.4.2");
}

#[test]
fn replies_that_do_not_fit_end_the_session() {
    for (line, outcome) in [
        ("S: 250 thanks", "deferred Data Misplaced 4.5.0"),
        ("S: 334 go", "deferred Data Misplaced 4.5.0"),
        ("S: hello", "deferred Data Garbage 4.5.0"),
        ("S: 354 go\\n", "deferred Data Garbage 4.5.0"),
        ("S: 354-go\nS: 355 on", "deferred Data Garbage 4.5.0"),
    ] {
        assert_eq!(one(&[ACCEPTED, line]).0, outcome, "{line}");
    }
    assert_eq!(one(&[ACCEPTED, SENT, "S: 354 more"]).0, "deferred Dot Misplaced 4.5.0");
    assert_eq!(one(&["S: 354 go"]).0, "deferred Greeting Misplaced 4.5.0");
}

/// Everything the server says in one piece: `run_once`, for cut into octets the surplus is not there in time.
fn in_one_piece(script: &str) -> Ending {
    run_once(false, &[letter(&["b@y.example"]), letter(&["c@y.example"])], false, script, false)
}

#[test]
fn a_server_that_talks_out_of_turn_is_left() {
    let ending = in_one_piece("S: 220 hello\\r\\n250 mx\\r\\n");
    assert_eq!(ending.reason, "Hello Unasked 4.5.0");
    let ending = in_one_piece(&[ACCEPTED, "S: 354 go\\r\\n250 queued\\r\\n"].concat());
    assert_eq!(ending.outcomes[0], ["deferred Data Unasked 4.5.0"], "an early acceptance is none");
    let ending = in_one_piece(&[ACCEPTED, SENT, "S: 250 queued\\r\\n250 queued\\r\\n"].concat());
    assert_eq!(ending.outcomes.concat(), ["delivered 250", "deferred Idle Unasked 4.5.0"]);
    let ending = in_one_piece(&[ACCEPTED, SENT, "S: 250 queued\\r\\n421 bye\\r\\n"].concat());
    assert_eq!(ending.outcomes.concat(), ["delivered 250", "deferred Idle 421"]);
    let early = "S: 220 hello\nC: EHLO me.example\nS: 250 mx\nC: MAIL FROM:<a@x.example>\nS: 250 ok\\r\\n250 ok\\r\\n";
    assert_eq!(in_one_piece(early).outcomes.concat(), ["deferred Rcpt Unasked 4.5.0", "deferred Rcpt Unasked 4.5.0"]);
}

#[test]
fn a_shifted_group_of_replies_is_noticed() {
    let ending = run_once(
        false,
        &[letter(&["b@y.example"])],
        false,
        "S: 220 hello
         C: EHLO me.example
         S: 250-mx
         S: 250 PIPELINING
         C: MAIL FROM:<a@x.example>
         C: RCPT TO:<b@y.example>
         C: DATA
         S: 250 ok
         S: 250 one too many
         S: 250 ok",
        false,
    );
    assert_eq!(ending.outcomes, [["deferred Data Misplaced 4.5.0"]]);
}

#[test]
fn a_go_ahead_without_a_transaction_is_not_followed() {
    let group = "S: 220 hello
         C: EHLO me.example
         S: 250-mx
         S: 250 PIPELINING
         C: MAIL FROM:<a@x.example>
         C: RCPT TO:<b@y.example>
         C: DATA
         S: 550 not you
         S: 250 ok
         S: 354 go";
    let ending = run(&[letter(&["b@y.example"])], true, group);
    assert_eq!(ending.outcomes, [["failed Mail 550"]]);
    assert_eq!(ending.reason, "Data Misplaced 4.5.0");
    let group = &group
        .replace("EHLO", "LHLO")
        .replace("550 not you", "250 ok")
        .replace("250 ok\n         S: 354", "550 no\n         S: 354");
    let ending = run_lmtp(&[letter(&["b@y.example"])], true, group);
    assert_eq!(ending.outcomes, [["failed Rcpt 550"]]);
    assert_eq!(ending.reason, "Data Misplaced 4.5.0", "no reply would follow a lone dot");
}
