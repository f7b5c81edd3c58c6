//! What comes from outside says what it says, and nothing more.

use super::super::Action;
use super::*;
use crate::mail::{OriginalRecipient, Ret};

/// No line is too long, none ends in anything but CRLF, and the header and the status have no field that is not ours.
#[track_caller]
fn check(case: &Case, name: &str) -> String {
    let octets = case.octets();
    for line in octets.split(|&b| b == b'\n') {
        assert!(line.len() <= 999, "{name}: {} octets", line.len());
    }
    let text = String::from_utf8_lossy(&octets).into_owned();
    assert_eq!(text.replace("\r\n", "").find(['\r', '\n', '\0']), None, "{name}");
    let text = text.replace(&boundary(&text), "BOUNDARY").replace("\r\n", "\n");
    assert_eq!(text.matches("\n--BOUNDARY").count(), 4, "{name}: {text}");
    let header = text.split_once("\n\n").unwrap().0;
    let ours = "From To Subject Date Message-ID In-Reply-To References Auto-Submitted MIME-Version Content-Type \
        Content-Transfer-Encoding";
    only_fields(header, ours, name);
    let status = text.split("--BOUNDARY").nth(2).unwrap();
    let ours = "Content-Type Content-Transfer-Encoding Original-Envelope-Id Reporting-MTA Received-From-MTA Arrival-Date \
        X-Mailsluice-Id Original-Recipient Final-Recipient Action Status Remote-MTA Diagnostic-Code Last-Attempt-Date \
        Will-Retry-Until";
    only_fields(status, ours, name);
    assert_eq!(status.matches("\nAction: ").count(), case.abouts.len(), "{name}: {status}");
    text
}

#[track_caller]
fn only_fields(block: &str, names: &str, case: &str) {
    for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')) {
        let name = line.split_once(':').unwrap_or((line, "")).0;
        assert!(names.split_ascii_whitespace().any(|ours| ours == name), "{case}: {line:?}");
    }
}

#[test]
fn replies() {
    let long = "x".repeat(2048);
    let many = "y\n".repeat(1024);
    for (name, text) in [
        ("a field", "no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@y"),
        ("a bare line break", "no\nAction: delivered\n\nStatus: 2.0.0"),
        ("a boundary", "no\n--=_0123\n\n--=_0123--\n"),
        ("control characters", "\u{1b}[2J\0\u{85}\u{2028}Action: delivered\u{2029}x"),
        ("a long word", &long),
        ("many lines", &many),
        ("no text", ""),
        ("a placeholder", "{recipients} {{ {id}"),
        ("other letters", &"ü".repeat(1024)),
    ] {
        // As it comes from a connection, and as a constant would come.
        let foreign = Reply::foreign(550, None, text);
        let plain = Reply::plain(550, text.to_owned());
        for reply in [foreign, plain] {
            check(&Case::new(LETTER).told("bob@example.net", Action::Failed, reply), name);
        }
    }
}

#[test]
fn a_reply_of_many_lines_is_folded_where_its_lines_end() {
    let reply = Reply::foreign(550, Some(EnhancedCode(5, 7, 1)), "We don't want this\n\nSee our page");
    let text = check(&Case::new(LETTER).told("bob@example.net", Action::Failed, reply), "lines");
    assert!(
        text.contains(
            "\nDiagnostic-Code: smtp; 550-5.7.1 We don't want this\n 550-5.7.1\n 550 5.7.1 See our page\nLast"
        ),
        "{text}"
    );
    assert!(
        text.contains("\n        mx.example.net: 550 5.7.1 We don't want this\n        See our page\n\n"),
        "{text}"
    );
}

#[test]
fn everything_else() {
    let mut case = Case::new(
        "Subject: a =?utf-8?q?b=0D=0ABcc=3A_c?= {id}\r\nMessage-ID: <a@b>\r\n c: d\r\nX: --=_1\r\n\r\n--=_1\r\n",
    )
    .failed();
    case.origin.helo = Some("x\r\nX: y".into());
    case.envelope.envid = Some("a+0D+0AX: y".to_owned());
    case.abouts[0].remote = Some("mx\r\nX: y:25".to_owned());
    case.envelope.recipients[0].path = ForwardPath::Postmaster("x>\r\nX: y".into());
    case.envelope.recipients[0].original = Some(ForwardPath::Postmaster("o\r\nX: y".into()));
    case.envelope.recipients[0].orcpt =
        Some(OriginalRecipient { kind: "rfc822\r\nX".to_owned(), address: "a\r\nb".to_owned() });
    let text = check(&case, "everything");
    assert!(text.contains("\nSubject: Not delivered: a b  Bcc: c {id}\n"), "{text}");
    assert!(!text.contains("In-Reply-To"), "{text}");
    assert!(text.contains("\nFinal-Recipient: rfc822; x>  X: y@mx.example.com\n"), "{text}");
}

#[test]
fn a_long_subject_is_cut() {
    for word in ["word ", "wörter ", "x", "\u{1F600}"] {
        let letter = format!("Subject: {}\r\n\r\n", word.repeat(150));
        let text = check(&Case::new(letter).failed(), word);
        assert!(text.contains('\n'), "{text}");
    }
}

#[test]
fn a_boundary_that_was_guessed_is_not_used() {
    let text = String::from_utf8(Case::new(LETTER).failed().octets()).unwrap();
    let guessed = boundary(&text);
    let mut case = Case::new(format!("Subject: x\r\n\r\n--{guessed}--\r\n")).failed();
    case.envelope.ret = Some(Ret::Full);
    let text = check(&case, "guessed");
    assert!(text.contains(&format!("\n--{guessed}--\n")), "{text}");
}
