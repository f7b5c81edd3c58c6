//! In which form a report goes: what is returned, and when it needs more than seven bits.

use super::super::{Action, compose};
use super::*;
use crate::mail::{Blob, BodyType, Content, OriginalRecipient, Piece, Ret};
use std::io;
use std::sync::Arc;

const LATIN: &[u8] = b"Subject: caf\xe9\r\n\r\nx\r\n";

fn is_whole(case: &Case) -> bool {
    third(&case.text()).starts_with("Content-Type: message/rfc822\n")
}

#[test]
fn the_whole_message_if_that_was_asked_for_and_it_fits() {
    let long = format!("A: b\r\n\r\n{}\r\n", "x".repeat(999));
    for (name, letter, ret, action, return_size, whole) in [
        ("not asked", LETTER, None, Action::Failed, 1000, false),
        ("HDRS", LETTER, Some(Ret::Hdrs), Action::Failed, 1000, false),
        ("FULL", LETTER, Some(Ret::Full), Action::Failed, 1000, true),
        ("as large as may be", LETTER, Some(Ret::Full), Action::Failed, LETTER.len() as u64, true),
        ("too large", LETTER, Some(Ret::Full), Action::Failed, LETTER.len() as u64 - 1, false),
        ("not failed", LETTER, Some(Ret::Full), Action::Delayed, 1000, false),
        ("a line too long", &long, Some(Ret::Full), Action::Failed, 10_000, false),
        ("NUL", "A: b\r\n\r\n\0\r\n", Some(Ret::Full), Action::Failed, 10_000, false),
        ("no body", "A: b\r\n", Some(Ret::Full), Action::Failed, 1000, true),
    ] {
        let mut case = Case::new(letter.to_owned()).told("bob@example.net", action, no_such_user());
        case.envelope.ret = ret;
        case.settings.return_size = return_size;
        assert_eq!(is_whole(&case), whole, "{name}");
        let text = case.text();
        let returned = third(&text).split_once("\n\n").unwrap().1;
        let header = letter.split_once("\r\n\r\n").map_or(letter, |(header, _)| &letter[..header.len() + 2]);
        let wanted = if whole { letter } else { header };
        assert_eq!(returned, format!("{}\n", wanted.replace("\r\n", "\n")), "{name}");
    }
}

#[test]
fn a_failure_among_others_brings_back_the_whole() {
    let mut case = Case::new(LETTER).told("carol@example.net", Action::Delayed, no_such_user()).failed();
    case.envelope.ret = Some(Ret::Full);
    assert!(is_whole(&case));
}

/// A blob that lies elsewhere, of which each reading is seen.
struct Elsewhere(Bytes);

impl Blob for Elsewhere {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        if self.0.starts_with(b"unreadable") {
            return Err(io::Error::other("gone"));
        }
        Blob::read_at(&self.0, offset, buf)
    }
}

fn lying_elsewhere(body: &'static str) -> Case {
    let mut case = Case::new("A: b\r\n\r\n").failed();
    case.message.body = Content::whole(Arc::new(Elsewhere(Bytes::from_static(body.as_bytes()))));
    case.envelope.ret = Some(Ret::Full);
    case
}

#[test]
fn a_body_is_not_copied() {
    let case = lying_elsewhere("the body\r\n");
    let composed = case.compose();
    assert!(Arc::ptr_eq(composed.content.blob(), case.message.body.blob()));
    assert!(composed.content.pieces().contains(&Piece::Blob(0..10)));
    let octets = octets(&composed);
    assert!(octets[composed.header_len as usize..].starts_with(b"\r\nThis is a report"));
    assert!(octets[..composed.header_len as usize].ends_with(b"Content-Transfer-Encoding: 7bit\r\n"));
}

#[test]
fn what_can_not_be_reported_is_an_error() {
    let case = lying_elsewhere("unreadable\r\n");
    assert_eq!(case.try_compose().unwrap_err().to_string(), "gone");
    let nobody = Case::new(LETTER);
    assert_eq!(nobody.try_compose().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let mut null = Case::new(LETTER).failed();
    null.envelope.sender = ReversePath::Null;
    assert_eq!(null.try_compose().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let _: fn(&Report<'_>, &Dsn) -> io::Result<Composed> = compose;
}

#[test]
fn eight_bits_go_as_they_are_or_encoded() {
    let body = "A: b\r\n\r\ncafé\r\n".as_bytes();
    for (name, letter, ret, media_type, encoding, eight_bit) in [
        ("a body that stays here", body, None, "text/rfc822-headers", "7bit", false),
        ("a body", body, Some(Ret::Full), "message/rfc822", "8bit", true),
        ("a header", LATIN, None, "text/rfc822-headers", "quoted-printable", false),
        ("all of it", LATIN, Some(Ret::Full), "message/rfc822", "8bit", true),
    ] {
        let mut case = Case::new(letter).failed();
        case.envelope.ret = ret;
        let composed = case.compose();
        let octets = octets(&composed);
        let text = String::from_utf8_lossy(&octets);
        let fields = format!("Content-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
        assert!(text.contains(&fields), "{name}: {text}");
        let whole = if eight_bit { "8bit" } else { "7bit" };
        assert!(text.contains(&format!("\"\r\nContent-Transfer-Encoding: {whole}\r\n\r\n")), "{name}: {text}");
        assert_eq!(composed.body == BodyType::EightBitMime, eight_bit, "{name}");
        assert_eq!(octets.is_ascii(), !eight_bit, "{name}");
        assert!(!composed.smtputf8, "{name}");
        assert_eq!(ret.is_some(), octets.windows(letter.len()).any(|w| w == letter), "{name}");
    }
}

#[test]
fn international_only_if_the_sender_can_read_it() {
    const PLAIN: &str = "Subject: x\r\n\r\nx\r\n";
    const GRUSS: &str = "Subject: Grüße\r\n\r\nx\r\n";
    for (name, letter, sender, recipient, smtputf8, international, returned) in [
        ("nothing needs it", PLAIN, "alice@example.com", "bob@example.net", true, false, "text/rfc822-headers"),
        ("the recipient", PLAIN, "alice@example.com", "bøb@example.net", true, true, "text/rfc822-headers"),
        ("the sender", PLAIN, "älice@example.com", "bob@example.net", false, true, "text/rfc822-headers"),
        ("the header", GRUSS, "alice@example.com", "bob@example.net", true, true, "message/global-headers"),
        (
            "a recipient rewritten here",
            PLAIN,
            "alice@example.com",
            "bøb@example.net",
            false,
            false,
            "text/rfc822-headers",
        ),
        ("a header that just came", GRUSS, "alice@example.com", "bob@example.net", false, false, "text/rfc822-headers"),
    ] {
        let mut case = Case::new(letter).told(recipient, Action::Failed, Reply::foreign(550, None, "nö"));
        case.envelope.sender = ReversePath::parse(sender).unwrap();
        case.envelope.smtputf8 = smtputf8;
        let composed = case.compose();
        assert_eq!(composed.smtputf8, international, "{name}");
        assert_eq!(composed.body == BodyType::EightBitMime, international, "{name}");
        let text = case.text();
        assert_eq!(text.is_ascii(), !international, "{name}: {text}");
        assert!(third(&text).starts_with(&format!("Content-Type: {returned}\n")), "{name}: {text}");
        let kind = if international { "global-delivery-status" } else { "delivery-status" };
        assert!(text.contains(&format!("report-type={kind};")), "{name}: {text}");
        assert!(text.contains(&format!("\nContent-Type: message/{kind}\n")), "{name}: {text}");
        let said = if international { "smtp; 550 nö\n" } else { "smtp; 550 n\\x{F6}\n" };
        assert!(text.contains(said), "{name}: {text}");
        let last = match (recipient.is_ascii(), international) {
            (true, _) => "rfc822; bob@example.net",
            (false, true) => "utf-8; bøb@example.net",
            (false, false) => "utf-8; b\\x{F8}b@example.net",
        };
        assert!(text.contains(&format!("\nFinal-Recipient: {last}\n")), "{name}: {text}");
    }
}

#[test]
fn what_the_sender_gave_comes_back_to_it() {
    let mut case = Case::new(LETTER).failed();
    case.envelope.envid = Some("QQ+3D+20x".to_owned());
    case.envelope.recipients[0].orcpt =
        Some(OriginalRecipient { kind: "rfc822".to_owned(), address: "b+2Bob@example.org".to_owned() });
    let text = case.text();
    assert!(text.contains("\n\nOriginal-Envelope-Id: QQ= x\nReporting-MTA: dns; mx.example.com\n"), "{text}");
    assert!(text.contains("\n\nOriginal-Recipient: rfc822; b+ob@example.org\nFinal-Recipient: "), "{text}");
}

#[test]
fn a_template_and_a_postmaster_of_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    let template = "[failed]\nSubject: Nicht zugestellt: {subject}\n\nAn {sender}: „{subject}“ für\n{recipients}\n\
        Fragen an {postmaster}, {id}\n";
    std::fs::write(dir.path().join("dsn.txt"), template).unwrap();
    let settings = "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[dsn]\ntemplate = 'dsn.txt'\n\
        postmaster = 'post@example.com'\n";
    let (settings, _) = crate::config::Settings::parse(&dir.path().join("mailsluice.toml"), settings).unwrap();
    let mut case = Case::new(LETTER).failed();
    case.settings = settings.dsn;
    let text = case.text();
    assert!(text.starts_with(
        "From: Mail Delivery System <post@example.com>\nTo: <alice@example.com>\nSubject: Nicht zugestellt: Lunch\n"
    ));
    let wanted = "Content-Transfer-Encoding: quoted-printable\n\nAn alice@example.com: =E2=80=9ELunch=E2=80=9C f=C3=BCr\n    \
        <bob@example.net>\n        mx.example.net: 550 5.1.1 No such user here\nFragen an post@example.com, 0000000000001\n\n--";
    assert!(text.contains(wanted), "{text}");
}
