//! Messages made at random, sound ones and heaps of fragments: no edit panics, breaks a line, or touches another part.

use super::*;
use proptest::prelude::*;

/// Pieces of which messages are made, most of them broken.
const FRAGMENTS: [&str; 26] = [
    "--a\r\n",
    "--a--\r\n",
    "--b\r\n",
    "--b--\r\n",
    "--a",
    "--b",
    "\r\n",
    "\r\n\r\n",
    "Content-Type: multipart/mixed; boundary=a\r\n",
    "Content-Type: multipart/alternative; boundary=b\r\n",
    "Content-Type: multipart/related; boundary=\"b\"\r\n",
    "Content-Type: multipart/signed; boundary=b\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: text/html; charset=iso-8859-1\r\n",
    "Content-Type: text/plain; charset=utf-8\r\n",
    "Content-Type: application/x; name*0*=utf-8''%c3; name*1*=%a9\r\n",
    "Content-Disposition: attachment; filename=x\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Transfer-Encoding: 8bit\r\n",
    "aGVsbG8=\r\n",
    "a=\r\n",
    "<body>x</body>\r\n",
    "text",
    "grün\r\n",
    "X: y\r\n",
];

pub(super) fn heap() -> impl Strategy<Value = Message> {
    let start = prop::sample::select(&["Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n", ""][..]);
    let rest = prop::collection::vec(prop::sample::select(&FRAGMENTS[..]), 0..25);
    (start, rest).prop_map(|(start, rest)| Message::from_bytes(format!("{start}{}", rest.concat()).into()))
}

/// A sound part, to a depth, without a delimiter of its own.
fn part() -> impl Strategy<Value = String> {
    let text = prop::sample::select(&["", "text", "two\r\nlines\r\n", "-- \r\n", "--", "a--b"][..]);
    let head = prop::sample::select(
        &[
            "",
            "Content-Type: text/plain\r\n",
            "Content-Type: text/html\r\n",
            "Content-Type: image/png\r\n",
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            "Content-Disposition: attachment; filename=x\r\n",
            "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n",
        ][..],
    );
    let leaf = (head, text).prop_map(|(head, text)| format!("{head}\r\n{text}"));
    leaf.prop_recursive(3, 12, 4, |inner| {
        let kind = prop::sample::select(&["mixed", "alternative", "related", "signed", "x"][..]);
        (kind, prop::collection::vec(inner, 1..4), "[a-z]{8}").prop_map(|(kind, parts, boundary)| {
            let body: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
            format!("Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n{body}--{boundary}--\r\n")
        })
    })
}

pub(super) fn sound() -> impl Strategy<Value = Message> {
    part().prop_map(|part| Message::from_bytes(format!("Subject: x\r\nMIME-Version: 1.0\r\n{part}\r\n").into()))
}

fn edits() -> impl Strategy<Value = Vec<BodyEdit>> {
    let text = prop::sample::select(&["", "bye", "grün", "--a", "--b--\n", "two\nlines\n", "x\r"][..]);
    let data = prop::sample::select(vec![&b""[..], b"\0\xff", b"--a\r\n", b"a\nb"]);
    let html = prop::sample::select(&[None, Some("<b>h</b>"), Some("é")][..]);
    let one = (0..7, text, html, data, 0..6usize).prop_map(|(kind, text, html, data, part)| {
        let (text, html, file) = (text.to_owned(), html.map(str::to_owned), file("f.x", data));
        match kind {
            0 => BodyEdit::PrependText { text, html },
            1 => BodyEdit::AppendText { text, html },
            2 => BodyEdit::ReplaceText { text, html },
            3 => BodyEdit::ReplacePart(part, Bytes::from_static(data)),
            4 => BodyEdit::AddAttachment(file),
            5 => BodyEdit::ReplaceAttachment(part, file),
            _ => BodyEdit::RemovePart(part),
        }
    });
    prop::collection::vec(one, 1..4)
}

/// The leaves of a message, headers and undecoded bodies, without those of messages within.
fn raw_leaves(message: &Message) -> Vec<(Bytes, Bytes)> {
    let mime = Mime::of(message).unwrap();
    let own = mime.parts().iter().filter(|p| !p.is_multipart && mime.around(p.index).all(|p| p.is_multipart));
    own.map(|p| (mime.part_header(p.index).unwrap().raw().clone(), mime.body.slice(p.shape.body.clone()))).collect()
}

/// Edits that leave every part as it is.
fn additions() -> Vec<BodyEdit> {
    vec![BodyEdit::AddAttachment(file("one", b"1")), BodyEdit::AddAttachment(file("two", b"\0\r\n"))]
}

fn check_additions(message: &Message) -> Result<(), TestCaseError> {
    let out = edit(message, &additions()).unwrap();
    let (before, after) = (raw_leaves(message), raw_leaves(&out));
    let shown = text_of(&out);
    prop_assert_eq!(after.len(), before.len() + 2, "{}", shown);
    // The first may have been the root, whose header is another now. The last may have lacked the end of its line.
    for (old, new) in before.iter().zip(&after) {
        prop_assert_eq!(&old.1, &new.1, "{}", shown);
        prop_assert!(before.len() == 1 || old.0.trim_ascii_end() == new.0.trim_ascii_end(), "{}", shown);
    }
    let mime = Mime::of(&out).unwrap();
    let added: Vec<_> = mime.parts().iter().rev().filter(|p| p.is_attachment).take(2).collect();
    prop_assert_eq!(mime.part_bytes(added[0].index).unwrap(), &b"\0\r\n"[..]);
    prop_assert_eq!(mime.part_bytes(added[1].index).unwrap(), &b"1"[..]);
    Ok(())
}

fn check_removal(message: &Message, pick: usize) -> Result<(), TestCaseError> {
    let before = Mime::of(message).unwrap();
    let own = |p: &&Part| !p.is_multipart && before.around(p.index).all(|p| p.is_multipart);
    let leaves: Vec<usize> = before.parts().iter().filter(own).map(|p| p.index).collect();
    let gone = pick % leaves.len();
    let Ok(out) = edit(message, &[BodyEdit::RemovePart(leaves[gone])]) else { return Ok(()) };
    let mut left = raw_leaves(message);
    left.remove(gone);
    let after = raw_leaves(&out);
    let nothing = left.is_empty() && after.len() == 1 && after[0].1.is_empty();
    prop_assert!(nothing || left == after, "{}", text_of(&out));
    Ok(())
}

/// Fields of octets that the grammar has a use for.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(&["Content-Type:", "Content-Disposition:", "Subject:", "Content-ID:"][..]);
    let scrap = prop::sample::select(vec![
        &b"text"[..],
        b"/",
        b";",
        b"=",
        b"\"",
        b"\\",
        b"(",
        b")",
        b" ",
        b"\r\n ",
        b"\r\n\t",
        b"*",
        b"*0",
        b"*1*",
        b"'",
        b"%",
        b"%e",
        b"%c3",
        b"=?",
        b"utf-8",
        b"?q?",
        b"?b?",
        b"?=",
        b"_",
        b"\xe9",
        b"\0",
        b"boundary",
        b"charset",
        b"name",
        b"filename",
        b"\n ",
        b"\r",
        b"A",
    ]);
    (name, prop::collection::vec(scrap, 0..30)).prop_map(|(name, scraps)| [name.as_bytes(), &scraps.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_message_and_no_edit_does_harm(message in prop_oneof![heap(), sound()], edits in edits()) {
        let clean = has_clean_lines(&octets(&message));
        if let Ok(out) = edit(&message, &edits) {
            let again = Mime::of(&out);
            prop_assert!(again.is_ok(), "{}", text_of(&out));
            prop_assert!(!clean || has_clean_lines(&octets(&out)), "{}", text_of(&out));
            let shown = again.unwrap();
            let _ = (shown.text(), shown.html());
        }
    }

    #[test]
    fn no_field_does_harm(fields in prop::collection::vec(field(), 1..4)) {
        let text = [fields.join(&b"\r\n"[..]), b"\r\n\r\nbody\r\n".to_vec()].concat();
        let message = Message::from_bytes(text.into());
        let mime = Mime::of(&message).unwrap();
        prop_assert!(mime.parts()[0].file_name.iter().all(|name| !name.contains(char::is_control)));
        for field in message.header.fields() {
            prop_assert!(!decoded(&field).contains(['\r', '\n']));
        }
        let out = edit(&message, &[append("grün"), BodyEdit::AddAttachment(file("f", b"1"))]);
        prop_assert!(out.is_ok_and(|out| Mime::of(&out).is_ok()));
    }

    #[test]
    fn attachments_leave_every_part_alone(message in prop_oneof![heap(), sound()]) {
        check_additions(&message)?;
    }

    #[test]
    fn removal_leaves_every_other_part_alone(message in prop_oneof![heap(), sound()], pick in 0..8usize) {
        let has_leaf = !raw_leaves(&message).is_empty();
        prop_assume!(has_leaf);
        check_removal(&message, pick)?;
    }

    #[test]
    fn appended_text_is_at_the_end_and_nothing_else_changes(message in prop_oneof![heap(), sound()]) {
        let before = Mime::of(&message).unwrap();
        let body = before.shown().texts;
        if let Ok(out) = edit(&message, &[append("bye grün")]) {
            let after = Mime::of(&out).unwrap();
            let shown = text_of(&out);
            if body.is_empty() {
                prop_assert_eq!(raw_leaves(&out).len(), raw_leaves(&message).len() + 1, "{}", shown);
                return Ok(());
            }
            prop_assert_eq!(after.parts().len(), before.parts().len(), "{}", shown);
            for (old, new) in before.parts().iter().zip(after.parts()) {
                let (was, is) = (&before.body[old.shape.body.clone()], &after.body[new.shape.body.clone()]);
                if body.contains(&old.index) {
                    let text = after.part_text(new.index).unwrap();
                    let tail = if old.content_type == "text/html" { "bye gr" } else { "bye grün" };
                    prop_assert!(text.contains(tail), "{}", shown);
                } else if !old.is_multipart && old.content_type != "message/rfc822" {
                    prop_assert_eq!(was, is, "{}", shown);
                }
            }
        }
    }

    #[test]
    fn another_reader_finds_the_same_parts(message in sound()) {
        let out = octets(&edit(&message, &additions()).unwrap());
        let ours = Mime::of(&Message::from_bytes(out.clone())).unwrap();
        let theirs = leaves(&out);
        let (one, two) = (&theirs[theirs.len() - 2], &theirs[theirs.len() - 1]);
        prop_assert_eq!((one.1.as_deref(), &one.2[..]), (Some("one"), &b"1"[..]));
        prop_assert_eq!((two.1.as_deref(), &two.2[..]), (Some("two"), &b"\0\r\n"[..]));
        let own = ours.parts().iter().filter(|p| !p.is_multipart && ours.around(p.index).all(|p| p.is_multipart));
        prop_assert_eq!(own.count(), theirs.len(), "{}", String::from_utf8_lossy(&out));
    }
}
