//! Sessions in which somebody decides at the machine's questions.

use super::*;
use crate::mail::Reply;

/// Plays both ways, with what is decided at each question.
fn run_with(letters: &[Letter], mindful: bool, decide: fn(&Point) -> Decision, script: &str) -> Ending {
    let once = |split| {
        let mut client = client(false, true);
        client.mind_replies(mindful);
        letters.iter().for_each(|letter| client.start(letter.clone()));
        play_with(client, script, split, &mut |point| decide(point))
    };
    let whole = once(false);
    assert_eq!(whole, once(true), "whole and octet by octet");
    whole
}

fn change(insert: &[&str], replace: Option<(&str, &str)>, parameters: &[&str]) -> Decision {
    Decision::Change(Change {
        insert: insert.iter().map(|text| CommandLine::to_insert(text).unwrap()).collect(),
        replace: replace.map(|(text, verb)| CommandLine::to_replace(text, verb).unwrap()),
        parameters: parameters.iter().map(|text| Parameter::parse(text).unwrap()).collect(),
    })
}

fn refuse(code: u16) -> Decision {
    Decision::Refuse(Reply::plain(code, "said we"))
}

/// The verb and the code of a reply that is being asked about.
fn said(point: &Point) -> Option<(&str, u16)> {
    if let Point::Reply(said) = point { Some((said.verb.as_deref().unwrap_or(""), said.reply.code())) } else { None }
}

const OPEN: &str = "S: 220 hello\nC: EHLO me.example\nS: 250-mx\nS: 250 PIPELINING\n";
const CLOSE: &str = "C: QUIT\nS: 221 bye\n";
const CONTENT_SENT: &str = "C: Subject: x\nC: \nC: ..hi\nC: .\nS: 250 queued\n";

fn script(middle: &str) -> String {
    format!("{OPEN}{middle}{CLOSE}")
}

#[test]
fn parameters_and_other_words_go_in_the_group() {
    let ending = run_with(
        &[letter(&["b@y.example", "c@y.example"])],
        false,
        |point| match point {
            Point::Mail => change(&[], None, &["XTENANT=7", "XPLAIN"]),
            Point::Rcpt(1) => change(&[], Some(("RCPT TO:<c@y.example> XODD", "RCPT")), &["IGNORED"]),
            _ => Decision::Proceed,
        },
        &script(&format!(
            "C: MAIL FROM:<a@x.example> XTENANT=7 XPLAIN
             C: RCPT TO:<b@y.example>
             C: RCPT TO:<c@y.example> XODD
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 250 ok
             S: 354 go
             {CONTENT_SENT}"
        )),
    );
    assert_eq!(ending.outcomes, [["delivered 250", "delivered 250"]]);
}

#[test]
fn commands_that_are_put_in_go_alone_and_their_refusal_changes_nothing() {
    let ending = run_with(
        &[letter(&["b@y.example", "c@y.example"])],
        false,
        |point| match point {
            Point::Helo(_) => change(&["XFIRST"], Some(("EHLO other.example", "EHLO")), &[]),
            Point::Mail => change(&["XHELLO you", "XAGAIN"], None, &["X"]),
            Point::Rcpt(1) => change(&["XRCPT"], None, &[]),
            _ => Decision::Proceed,
        },
        &format!(
            "S: 220 hello
             C: XFIRST
             S: 500 what
             C: EHLO other.example
             S: 250-mx
             S: 250 PIPELINING
             C: XHELLO you
             S: 250 you too
             C: XAGAIN
             S: 550 no
             C: MAIL FROM:<a@x.example> X
             C: RCPT TO:<b@y.example>
             S: 250 ok
             S: 250 ok
             C: XRCPT
             S: 250 ok
             C: RCPT TO:<c@y.example>
             C: DATA
             S: 250 ok
             S: 354 go
             {CONTENT_SENT}{CLOSE}"
        ),
    );
    assert_eq!(ending.outcomes, [["delivered 250", "delivered 250"]]);
}

#[test]
fn what_was_put_in_may_be_repeated_but_not_for_ever() {
    let repeats = "C: XTRY\n             S: 450 busy\n".repeat(4);
    let ending = run_with(
        &[letter(&["b@y.example"])],
        false,
        |point| match (point, said(point)) {
            (Point::Mail, _) => change(&["XTRY"], None, &[]),
            (_, Some(("XTRY", _))) => Decision::Go(Next::Repeat),
            _ => Decision::Proceed,
        },
        &script(&format!(
            "{repeats}C: MAIL FROM:<a@x.example>
             C: RCPT TO:<b@y.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             {CONTENT_SENT}"
        )),
    );
    assert_eq!(ending.outcomes, [["delivered 250"]]);
}

#[test]
fn hello_is_said_again_and_the_letter_goes_as_it_was_granted() {
    let ending = run_with(
        &[letter(&["b@y.example"])],
        false,
        |point| match (point, said(point)) {
            (Point::Mail, _) => change(&["XCLIENT NAME=x"], None, &["XP"]),
            (_, Some(("XCLIENT", 220))) => Decision::Go(Next::Hello),
            _ => Decision::Proceed,
        },
        &script(&format!(
            "C: XCLIENT NAME=x
             S: 220 again
             C: EHLO me.example
             S: 250 mx
             C: MAIL FROM:<a@x.example> XP
             S: 250 ok
             C: RCPT TO:<b@y.example>
             S: 250 ok
             C: DATA
             S: 354 go
             {CONTENT_SENT}"
        )),
    );
    assert_eq!(ending.outcomes, [["delivered 250"]]);
    let asked = ending.points.iter().filter(|point| **point == Point::Mail).count();
    assert_eq!(asked, 1, "{:?}", ending.points);
}

#[test]
fn a_recipient_is_left_out() {
    let ending = run_with(
        &[letter(&["b@y.example", "c@y.example", "d@y.example"])],
        false,
        |point| match point {
            Point::Rcpt(0) => refuse(550),
            Point::Rcpt(2) => refuse(450),
            _ => Decision::Proceed,
        },
        &script(&format!(
            "C: MAIL FROM:<a@x.example>
             C: RCPT TO:<c@y.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             {CONTENT_SENT}"
        )),
    );
    assert_eq!(ending.outcomes, [["failed Rcpt ours 550", "delivered 250", "deferred Rcpt ours 450"]]);
}

#[test]
fn when_all_are_left_out_nothing_is_said() {
    for decide in [
        |point: &Point| if matches!(point, Point::Rcpt(_)) { refuse(550) } else { Decision::Proceed },
        |point: &Point| if *point == Point::Mail { refuse(550) } else { Decision::Proceed },
    ] {
        let ending = run_with(&[letter(&["b@y.example", "c@y.example"])], false, decide, &script(""));
        assert!(ending.outcomes[0].iter().all(|o| o.starts_with("failed") && o.ends_with("ours 550")), "{ending:?}");
    }
}

#[test]
fn a_veto_before_the_data_resets_what_the_server_has() {
    let decide: fn(&Point) -> Decision = |point| if *point == Point::Data { refuse(450) } else { Decision::Proceed };
    // In a group nothing has been said yet.
    let ending = run_with(&[letter(&["b@y.example"])], false, decide, &script(""));
    assert_eq!(ending.outcomes, [["deferred Data ours 450"]]);
    // Otherwise who was refused has that outcome.
    let ending = run_with(
        &[letter(&["b@y.example", "c@y.example"]), letter(&["d@y.example"])],
        true,
        decide,
        &script(
            "C: MAIL FROM:<a@x.example>
             C: RCPT TO:<b@y.example>
             C: RCPT TO:<c@y.example>
             S: 250 ok
             S: 250 ok
             S: 550 never
             C: RSET
             S: 250 ok
             C: MAIL FROM:<a@x.example>
             C: RCPT TO:<d@y.example>
             S: 250 ok
             S: 250 ok
",
        ),
    );
    assert_eq!(ending.outcomes[0], ["deferred Data ours 450", "failed Rcpt 550"]);
    assert_eq!(ending.outcomes[1], ["deferred Data ours 450"]);
}

#[test]
fn a_server_that_is_not_wanted_is_left() {
    for (decide, outcome) in [
        (
            (|point: &Point| if matches!(point, Point::Helo(_)) { refuse(550) } else { Decision::Proceed })
                as fn(&Point) -> Decision,
            "failed Hello ours 550",
        ),
        (
            |point| if said(point) == Some(("", 220)) { refuse(450) } else { Decision::Proceed },
            "deferred Greeting ours 450",
        ),
        (
            |point| if said(point) == Some(("", 220)) { Decision::Go(Next::Quit) } else { Decision::Proceed },
            "deferred Greeting Left 4.3.0",
        ),
    ] {
        let ending = run_with(&[letter(&["b@y.example"])], true, decide, &format!("S: 220 hello\n{CLOSE}"));
        assert_eq!(ending.outcomes, [[outcome]]);
    }
}

#[test]
fn the_class_of_a_refusal_is_changed() {
    let ending = run_with(
        &[letter(&["b@y.example", "c@y.example", "d@y.example"])],
        true,
        |point| match (point, said(point)) {
            (Point::Reply(said), Some(("RCPT", 550))) if said.rcpt == Some(0) => refuse(450),
            (_, Some(("RCPT", 450))) => refuse(550),
            (_, Some((".", 554))) => refuse(451),
            _ => Decision::Proceed,
        },
        &script(
            "C: MAIL FROM:<a@x.example>
             C: RCPT TO:<b@y.example>
             C: RCPT TO:<c@y.example>
             C: RCPT TO:<d@y.example>
             S: 250 ok
             S: 550 no
             S: 450 not now
             S: 250 ok
             C: DATA
             S: 354 go
             C: Subject: x
             C: 
             C: ..hi
             C: .
             S: 554 spam
",
        ),
    );
    assert_eq!(ending.outcomes, [["deferred Rcpt ours 450", "failed Rcpt ours 550", "deferred Dot ours 451"]]);
}

#[test]
fn a_transaction_is_left_at_a_reply() {
    for (next, rest) in [
        (
            Next::Reset,
            "C: RSET\nS: 250 ok\nC: MAIL FROM:<a@x.example>\nC: RCPT TO:<b@y.example>\nS: 450 no\nS: 503 no\n",
        ),
        (Next::Quit, ""),
    ] {
        let once = |split| {
            let mut client = client(false, true);
            client.mind_replies(true);
            client.start(letter(&["b@y.example", "c@y.example"]));
            client.start(letter(&["b@y.example"]));
            let middle = format!(
                "C: MAIL FROM:<a@x.example>
                 C: RCPT TO:<b@y.example>
                 C: RCPT TO:<c@y.example>
                 S: 250 ok
                 S: 250 on second thoughts
                 S: 550 no
                 {rest}"
            );
            let mut decide = |point: &Point| match point {
                Point::Reply(said) if said.reply.text() == "on second thoughts" => Decision::Go(next),
                _ => Decision::Proceed,
            };
            play_with(client, &script(&middle), split, &mut decide)
        };
        let ending = once(false);
        assert_eq!(ending, once(true));
        assert_eq!(ending.outcomes[0], ["deferred Rcpt Left 4.3.0", "deferred Rcpt Left 4.3.0"], "{next}");
        let second = if next == Next::Reset { "deferred Mail 450" } else { "deferred Idle Closed 4.4.2" };
        assert_eq!(ending.outcomes[1], [second]);
    }
}

#[test]
fn what_the_server_has_taken_on_stays_taken() {
    let ending = run_with(
        &[letter(&["b@y.example"])],
        true,
        |point| match said(point) {
            Some(("RCPT", 250) | ("DATA", 354) | (".", 250)) => refuse(550),
            Some(("MAIL", _)) => Decision::Go(Next::Repeat),
            Some(("EHLO", _)) => Decision::Go(Next::Hello),
            _ => Decision::Proceed,
        },
        &script(&format!(
            "C: MAIL FROM:<a@x.example>
             C: RCPT TO:<b@y.example>
             S: 250 ok
             S: 250 ok
             C: DATA
             S: 354 go
             {CONTENT_SENT}"
        )),
    );
    assert_eq!(ending.outcomes, [["delivered 250"]]);
}

#[test]
fn what_was_put_in_before_a_part_decides_about_it() {
    let ending = run_with(
        &[letter(&["b@y.example", "c@y.example"])],
        false,
        |point| match (point, said(point)) {
            (Point::Rcpt(0), _) => change(&["XMAY b"], None, &[]),
            (Point::Reply(said), Some(("XMAY", 550))) if said.rcpt == Some(0) => refuse(550),
            _ => Decision::Proceed,
        },
        &script(&format!(
            "C: MAIL FROM:<a@x.example>
             S: 250 ok
             C: XMAY b
             S: 550 no
             C: RCPT TO:<c@y.example>
             C: DATA
             S: 250 ok
             S: 354 go
             {CONTENT_SENT}"
        )),
    );
    assert_eq!(ending.outcomes, [["failed Rcpt ours 550", "delivered 250"]]);
}

#[test]
fn a_server_that_closes_or_babbles_behind_what_was_put_in_is_left() {
    for (reply, outcome) in [
        ("S: 421 bye", "deferred Mail 421"),
        ("S: 354 go on", "deferred Mail Misplaced 4.5.0"),
        ("S: 250 ok\\r\\n250 more\\r\\n", "deferred Mail Unasked 4.5.0"),
        ("S: <close>", "deferred Mail Closed 4.4.2"),
    ] {
        let mut client = client(false, true);
        client.start(letter(&["b@y.example"]));
        let mut decide = |point: &Point| match point {
            Point::Mail => change(&["XTRY"], None, &[]),
            _ => Decision::Proceed,
        };
        let ending = play_with(client, &format!("{OPEN}C: XTRY\n{reply}\n"), false, &mut decide);
        assert_eq!(ending.outcomes, [[outcome]], "{reply}");
    }
}

const TLS: &str = "S: 220 hello\nC: EHLO me.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n";
const MAIL: &str = "C: MAIL FROM:<a@x.example>\nS: 250 ok\nC: RCPT TO:<b@y.example>\nS: 250 ok\nC: DATA\nS: 354 go\n";

/// Plays with TLS in this way, and credentials that are refused or not.
fn run_secure(when: StartTls, decide: fn(&Point) -> Decision, script: &str) -> Ending {
    #[derive(Debug)]
    struct Plain;
    impl Authenticator for Plain {
        fn choose(&mut self, _: &[String], _: bool) -> Result<Opening, String> {
            Ok(Opening { mechanism: "PLAIN".to_owned(), initial: Some(b"x".to_vec()) })
        }
        fn respond(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
            Ok(Vec::new())
        }
        fn finish(&mut self) -> Result<(), String> {
            Ok(())
        }
    }
    let mut client = client(false, true);
    client.start_tls(when);
    if script.contains("AUTH") {
        client.authenticate(Box::new(Plain));
    }
    client.start(letter(&["b@y.example"]));
    play_with(client, script, false, &mut |point| decide(point))
}

#[test]
fn no_decision_goes_on_without_tls_where_the_policy_would_not() {
    let refused = format!("{TLS}S: 454 4.7.0 not now\n");
    // The policy's own ways.
    let proceed = |_: &Point| Decision::Proceed;
    assert_eq!(run_secure(StartTls::Required, proceed, &format!("{refused}{CLOSE}")).reason, "StartTls 454");
    let plain = format!("{refused}{MAIL}{CONTENT_SENT}{CLOSE}");
    assert_eq!(run_secure(StartTls::IfOffered, proceed, &plain).outcomes, [["delivered 250"]]);
    // To go on is what the policy says, and no more.
    let go_on = |point: &Point| match said(point) {
        Some(("STARTTLS", 454)) => Decision::Go(Next::Continue),
        _ => Decision::Proceed,
    };
    assert_eq!(run_secure(StartTls::Required, go_on, &format!("{refused}{CLOSE}")).reason, "StartTls 454");
    // Where mail may go without, somebody may insist on TLS all the same.
    let insist = |point: &Point| match said(point) {
        Some(("STARTTLS", 454)) => refuse(450),
        _ => Decision::Proceed,
    };
    assert_eq!(run_secure(StartTls::IfOffered, insist, &format!("{refused}{CLOSE}")).reason, "StartTls ours 450");
    let leave = |point: &Point| match said(point) {
        Some(("STARTTLS", 454)) => Decision::Go(Next::Quit),
        _ => Decision::Proceed,
    };
    assert_eq!(run_secure(StartTls::IfOffered, leave, &format!("{refused}{CLOSE}")).reason, "StartTls Left 4.3.0");
    // A go-ahead can't be made a refusal: the handshake comes.
    let hello = "T:\nC: EHLO me.example\nS: 250 mx\n";
    let never = |point: &Point| match said(point) {
        Some(("STARTTLS", _)) => refuse(550),
        _ => Decision::Proceed,
    };
    let whole = format!("{TLS}S: 220 go\n{hello}{MAIL}{CONTENT_SENT}{CLOSE}");
    assert_eq!(run_secure(StartTls::IfOffered, never, &whole).outcomes, [["delivered 250"]]);
}

#[test]
fn what_is_said_to_auth_is_heard_and_a_refusal_may_be_made_another() {
    let hello = "S: 220 hello\nC: EHLO me.example\nS: 250 AUTH PLAIN\nC: AUTH PLAIN eA==\n";
    let another = |point: &Point| match said(point) {
        Some(("AUTH", 535)) => refuse(450),
        Some(("AUTH", 235 | 334)) => refuse(550),
        _ => Decision::Proceed,
    };
    let script = format!("{hello}S: 535 5.7.8 no\n{CLOSE}");
    assert_eq!(run_secure(StartTls::Never, another, &script).reason, "Auth ours 450");
    let script = format!("{hello}S: 334 \nC: \nS: 235 ok\n{MAIL}{CONTENT_SENT}{CLOSE}");
    assert_eq!(run_secure(StartTls::Never, another, &script).outcomes, [["delivered 250"]], "nobody is in the way");
}
