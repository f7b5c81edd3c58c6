//! Content that goes by BDAT (RFC 3030).

use super::*;

/// A letter whose content goes by BDAT if the server takes groups.
fn large(recipients: &[&str]) -> Letter {
    Letter { size: 70_000, ..letter(recipients) }
}

fn binary(recipients: &[&str]) -> Letter {
    Letter { body: BodyType::BinaryMime, ..letter(recipients) }
}

const HELLO: &str = "S: 220 hello
     C: EHLO me.example
     S: 250-mx
     S: 250-CHUNKING
     S: 250-BINARYMIME
     S: 250 PIPELINING\n";

const LARGE: &str = "C: MAIL FROM:<a@x.example>
     C: RCPT TO:<b@y.example>
     C: RCPT TO:<c@y.example>\n";

const CHUNKS: &str = r"C: BDAT 8
     C: Subject:
     C: BDAT 8
     C:  x\r\n\r\n.h
";

/// Two letters to b and c at a server that takes groups, of which the first goes so.
fn two(rest: &str) -> Ending {
    let letters = [large(&["b@y.example", "c@y.example"]), letter(&["d@y.example"])];
    run(&letters, false, &[HELLO, LARGE, rest].concat())
}

/// How a second letter begins behind one that left the server in an unknown state.
const RESET: &str = "C: RSET
     S: 250 ok
     C: MAIL FROM:<a@x.example>
     C: RCPT TO:<d@y.example>
     C: DATA
     S: 450 not now
     S: 450 not now
     S: 503 no\n";

#[test]
fn large_content_goes_in_chunks_and_the_last_waits_for_the_others() {
    let rest = [
        "S: 250 ok\nS: 550 no\nS: 250 ok\n",
        CHUNKS,
        "S: 250 8 octets\nS: 250 8 octets\n",
        r"C: BDAT 3 LAST
          C: i\r\n
          S: 250 queued
        ",
    ];
    let rest = [&rest.concat().replacen("S: 250 ok\nS: 550 no\nS: 250 ok", "S: 250 ok\nS: 250 ok\nS: 550 no", 1), ""];
    let script = [HELLO, LARGE, rest[0]].concat();
    let ending = run(&[large(&["b@y.example", "c@y.example"])], true, &[&script, "C: QUIT\nS: 221 bye\n"].concat());
    assert_eq!(ending.outcomes, [["delivered 250", "failed Rcpt 550"]]);
    use Point::*;
    assert_eq!(ending.points, [Helo("EHLO"), Mail, Rcpt(0), Rcpt(1), Data, Quit]);
}

#[test]
fn a_binary_message_is_declared_and_each_chunk_awaited_where_groups_are_not_taken() {
    let ending = run(
        &[binary(&["b@y.example"])],
        false,
        r"S: 220 hello
          C: EHLO me.example
          S: 250-mx
          S: 250-BINARYMIME
          S: 250 CHUNKING
          C: MAIL FROM:<a@x.example> BODY=BINARYMIME
          S: 250 ok
          C: RCPT TO:<b@y.example>
          S: 250 ok
          C: BDAT 8
          C: Subject:
          S: 250 ok
          C: BDAT 8
          C:  x\r\n\r\n.h
          S: 250 ok
          C: BDAT 3 LAST
          C: i\r\n
          S: 250 queued",
    );
    assert_eq!(ending.outcomes, [["delivered 250"]]);
}

#[test]
fn small_content_and_content_that_would_have_to_wait_goes_by_data() {
    let data = "S: 250 ok
         C: RCPT TO:<b@y.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Subject: x
         C: 
         C: ..hi
         C: .
         S: 250 queued";
    let hello = "S: 220 hello\nC: EHLO me.example\nS: 250-mx\nS: 250 CHUNKING\nC: MAIL FROM:<a@x.example>\n";
    for letter in [letter(&["b@y.example"]), large(&["b@y.example"])] {
        assert_eq!(run(&[letter], false, &[hello, data].concat()).outcomes, [["delivered 250"]]);
    }
}

#[test]
fn a_refused_chunk_ends_the_transaction() {
    let rest = ["S: 250 ok\nS: 250 ok\nS: 250 ok\n", CHUNKS, "S: 552 5.3.4 too big\nS: 503 MAIL first\n", RESET];
    assert_eq!(two(&rest.concat()).outcomes.concat(), ["failed Chunk 552", "failed Chunk 552", "deferred Mail 450"]);
}

#[test]
fn a_refused_last_chunk_leaves_the_server_to_be_reset() {
    let last = r"C: BDAT 3 LAST
         C: i\r\n
         S: 451 no
    ";
    let rest = ["S: 250 ok\nS: 250 ok\nS: 250 ok\n", CHUNKS, "S: 250 ok\nS: 250 ok\n", last, RESET];
    assert_eq!(two(&rest.concat()).outcomes.concat(), ["deferred Dot 451", "deferred Dot 451", "deferred Mail 450"]);
}

#[test]
fn no_chunk_goes_to_nobody() {
    let rest = ["S: 250 ok\nS: 550 no\nS: 450 later\n", RESET];
    assert_eq!(two(&rest.concat()).outcomes.concat(), ["failed Rcpt 550", "deferred Rcpt 450", "deferred Mail 450"]);
}

#[test]
fn a_server_that_goes_away_between_chunks_has_no_message() {
    for (says, expected) in [
        ("S: 421 closing\n", "deferred Chunk 421"),
        ("S: 250 ok\nS: <close>\n", "deferred Chunk Closed 4.4.2"),
        ("S: 250 ok\nS: <hang>\n", "deferred Chunk TimedOut 4.4.2"),
        ("S: 354 go on\n", "deferred Chunk Misplaced 4.5.0"),
        ("S: 250 ok\nS: 250 ok\\r\\n250 ok\n", "deferred Chunk Unasked 4.5.0"),
    ] {
        let script = [HELLO, LARGE, "S: 250 ok\nS: 250 ok\nS: 250 ok\n", CHUNKS, says].concat();
        let letters = [large(&["b@y.example", "c@y.example"])];
        let ending = run_once(false, &letters, false, &script, false);
        assert_eq!(ending.outcomes, [[expected, expected]], "{says}");
    }
}

#[test]
fn a_binary_message_needs_both_extensions() {
    for offers in ["S: 250 BINARYMIME", "S: 250-CHUNKING\nS: 250 8BITMIME"] {
        let script = ["S: 220 hello\nC: EHLO me.example\nS: 250-mx\n", offers].concat();
        assert_eq!(run(&[binary(&["b@y.example"])], false, &script).outcomes, [["failed Mail NeedsBinary 5.6.3"]]);
    }
}

#[test]
fn lmtp_has_a_reply_per_recipient_behind_the_last_chunk_alone() {
    let hello = HELLO.replace("EHLO", "LHLO");
    let last = r"C: BDAT 3 LAST
         C: i\r\n
         S: 250 for b
         S: 452 4.2.2 c is full
    ";
    let rest = ["S: 250 ok\nS: 250 ok\nS: 250 ok\n", CHUNKS, "S: 250 ok\nS: 250 ok\n", last];
    let script = [&hello, LARGE, &rest.concat()].concat();
    let ending = run_lmtp(&[large(&["b@y.example", "c@y.example"])], false, &script);
    assert_eq!(ending.outcomes, [["delivered 250", "deferred Dot 452"]]);
}
