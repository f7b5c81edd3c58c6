//! What each edit does, as transcripts.

use super::*;

const MIXED: &str = "
    Received: a
    Content-Type: multipart/mixed; boundary=b
    MIME-Version: 1.0

    --b
    Content-Type: text/plain

    hello
    --b
    Content-Type: application/pdf
    Content-Disposition: attachment; filename=a.pdf
    Content-Transfer-Encoding: base64

    JVBERg==
    --b--";

fn edited(text: &str, edits: &[BodyEdit]) -> String {
    let out = edit(&message(text), edits).unwrap();
    assert!(has_clean_lines(&octets(&out)), "{}", text_of(&out));
    text_of(&out)
}

/// The text with `from` replaced by `to`, once.
fn but(text: &str, from: &str, to: &str) -> String {
    let text = text_of(&message(text));
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    text.replace(from, to)
}

#[test]
fn text_goes_around_a_plain_message() {
    for (body, edits, after) in [
        ("hello", vec![append("bye")], "hello\r\nbye\r\n"),
        ("hello", vec![append("one"), append("two\nthree\n")], "hello\r\none\r\ntwo\r\nthree\r\n"),
        ("hello", vec![prepend("one"), prepend("two")], "two\r\none\r\nhello\r\n"),
        ("hello", vec![append("lost"), replace("new", None), append("bye")], "new\r\nbye\r\n"),
        ("hello", vec![BodyEdit::ReplacePart(0, "x\r\n".into()), prepend("a")], "a\r\nx\r\n"),
    ] {
        assert_eq!(edited(&format!("Subject: x\n\n{body}"), &edits), format!("Subject: x\r\n\r\n{after}"));
    }
}

#[test]
fn an_empty_or_headless_message_gets_text() {
    for (before, after) in [
        ("", "\r\nbye\r\n"),
        ("Subject: x\r\n", "Subject: x\r\n\r\nbye\r\n"),
        ("Subject: x", "Subject: x\r\n\r\nbye\r\n"),
        ("Subject: x\r\n\r\n", "Subject: x\r\n\r\nbye\r\n"),
        ("\r\nno line end", "\r\nno line end\r\nbye\r\n"),
    ] {
        for text in [append("bye"), prepend("bye")] {
            let before = Message::from_bytes(before.into());
            let after = if before.body.is_empty() || matches!(text, BodyEdit::AppendText { .. }) {
                after.to_owned()
            } else {
                "\r\nbye\r\nno line end".to_owned()
            };
            assert_eq!(text_of(&edit(&before, &[text]).unwrap()), after);
        }
    }
}

#[test]
fn a_set_or_encoding_that_can_not_hold_the_text_gives_way() {
    let ascii = edited("Subject: x\n\nhello", &[append("grün")]);
    assert_eq!(
        ascii,
        "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\
         MIME-Version: 1.0\r\n\r\nhello\r\ngr=C3=BCn\r\n"
    );
    let flowed = edited(
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1; format=flowed\n\
         Content-Transfer-Encoding: quoted-printable\n\ncaf=E9",
        &[append("5 €")],
    );
    assert!(flowed.contains("Content-Type: text/plain; charset=utf-8; format=\"flowed\"\r\n"), "{flowed}");
    assert!(flowed.ends_with("\r\n\r\ncaf=C3=A9\r\n5 =E2=82=AC\r\n"), "{flowed}");
    let latin = edited(
        "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9",
        &[append("ü")],
    );
    assert!(
        latin.ends_with("charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n=FC\r\n")
    );
    let long = edited("Subject: x\n\nhello", &[append(&"x".repeat(1200))]);
    assert!(long.contains("MIME-Version: 1.0\r\n") && long.lines().all(|line| line.len() <= 78), "{long}");
    let eight = Message::from_bytes("Content-Type: text/plain; charset=utf-8\r\n\r\né\r\n".into());
    assert!(text_of(&edit(&eight, &[append("ü")]).unwrap()).ends_with("=utf-8\r\n\r\né\r\nü\r\n"));
    let unknown = message("Content-Type: text/plain; charset=x-martian\n\nhello");
    assert!(edit(&unknown, &[append("plain")]).is_ok());
    let error = edit(&unknown, &[append("grün")]).unwrap_err();
    assert!(error.to_string().contains("part 0 is in the character set `x-martian`"), "{error}");
}

#[test]
fn both_alternatives_get_the_text() {
    let text = "
        Content-Type: multipart/alternative; boundary=b

        --b
        Content-Type: text/plain

        hello
        --b
        Content-Type: text/html; charset=iso-8859-1

        <html><body>
        hello
        </body></html>
        --b--";
    let out = edited(text, &[append("a < €")]);
    assert!(out.contains("\r\nhello\r\na < =E2=82=AC\r\n--b\r\n"), "{out}");
    assert!(out.contains("hello\r\n<div>a &lt; &#8364;</div>\r\n</body></html>"), "{out}");
    let own = BodyEdit::PrependText { text: "t".into(), html: Some("<i>h</i>".into()) };
    let out = edited(text, &[own]);
    let want = but(text, "\r\nhello\r\n--b\r\n", "\r\nt\r\nhello\r\n--b\r\n");
    assert_eq!(out, want.replace("<body>\r\n", "<body>\r\n<i>h</i>\r\n\r\n"));
    let out = edited(text, &[replace("t", Some("<p>h</p>"))]);
    assert!(out.contains("\r\n\r\nt\r\n--b\r\n") && out.contains("\r\n\r\n<p>h</p>\r\n--b--"), "{out}");
}

#[test]
fn a_plain_body_becomes_both_forms_when_html_is_given() {
    let out = edit(&message(MIXED), &[replace("t", Some("<p>h</p>")), append("u")]).unwrap();
    let mime = Mime::of(&out).unwrap();
    assert_eq!((mime.text().unwrap(), mime.html().unwrap()), ("t\r\nu".into(), "<p>h</p>\r\n<div>u</div>".into()));
    assert_eq!(mime.parts()[1].content_type, "multipart/alternative");
    let out = edit(&message("Subject: x\n\nhello"), &[replace("t", Some("<p>h</p>"))]).unwrap();
    assert_eq!(leaves(&octets(&out)).iter().map(|l| l.0.as_str()).collect::<Vec<_>>(), ["text/plain", "text/html"]);
}

#[test]
fn text_that_looks_like_a_boundary_is_hidden() {
    let out = edit(&message(MIXED), &[append("--b--\n--b")]).unwrap();
    assert_eq!(Mime::of(&out).unwrap().text().unwrap(), "hello\r\n--b--\r\n--b");
    assert_eq!(leaves(&octets(&out)).len(), 2);
    let out =
        edit(&message("Subject: x\n\nhello"), &[append("--=_x"), BodyEdit::AddAttachment(file("f", b"1"))]).unwrap();
    assert_eq!(Mime::of(&out).unwrap().text().unwrap(), "hello\r\n--=_x\r\n");
}

#[test]
fn attachments_come_change_and_go() {
    let out = edited(MIXED, &[BodyEdit::AddAttachment(file("n.bin", b"new"))]);
    let part = "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
                Content-Disposition: attachment; filename=\"n.bin\"\r\n\r\nbmV3\r\n--b--";
    assert_eq!(out, but(MIXED, "--b--", part));
    let out = edited(MIXED, &[BodyEdit::ReplaceAttachment(2, file("n.bin", b"new"))]);
    let at = text_of(&message(MIXED)).find("Content-Type: application/pdf").unwrap();
    assert_eq!(out, format!("{}{}\r\n", &text_of(&message(MIXED))[..at], part.strip_prefix("--b\r\n").unwrap()));
    assert_eq!(edited(MIXED, &[BodyEdit::ReplacePart(2, "new".into())]), but(MIXED, "JVBERg==", "bmV3"));
    let out = edited(MIXED, &[BodyEdit::RemovePart(2)]);
    assert_eq!(leaves(out.as_bytes()), [("text/plain".to_owned(), None, b"hello".to_vec())]);
    let out = edited(MIXED, &[BodyEdit::RemovePart(1), BodyEdit::RemovePart(2)]);
    assert_eq!(leaves(out.as_bytes()), [("text/plain".to_owned(), None, b"".to_vec())]);
    let out = edited(MIXED, &[BodyEdit::RemovePart(0)]);
    assert_eq!(out, "Received: a\r\nMIME-Version: 1.0\r\n\r\n");
    let out = edited(MIXED, &[BodyEdit::RemovePart(1), append("only"), BodyEdit::RemovePart(2)]);
    assert_eq!(Mime::of(&Message::from_bytes(out.into())).unwrap().text().unwrap(), "only");
}

#[test]
fn a_single_part_becomes_one_of_several() {
    let text = "Subject: x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\nX: y\n\naGk=";
    let out = edited(text, &[BodyEdit::AddAttachment(file("n.bin", b"new")), append("ü")]);
    let boundary = out.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(
        out,
        format!(
            "Subject: x\r\nX: y\r\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\r\nMIME-Version: 1.0\r\n\r\n\
             --{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
             aGkNCsO8DQo=\r\n\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"n.bin\"\r\n\r\nbmV3\r\n\
             --{boundary}--\r\n"
        )
    );
}

#[test]
fn what_is_signed_stays_as_it_was_signed() {
    let text = "
        Subject: x
        MIME-Version: 1.0
        Content-Type: multipart/signed; boundary=s;
        |protocol=\"application/pgp-signature\"

        --s
        Content-Type: text/plain

        signed -- text
        --s
        Content-Type: application/pgp-signature

        sig
        --s--";
    let m = message(text);
    let body = m.body.to_bytes().unwrap();
    for edits in [
        vec![append("bye")],
        vec![prepend("hi")],
        vec![BodyEdit::AddAttachment(file("a", b"b")), prepend("hi"), append("bye")],
    ] {
        let out = octets(&edit(&m, &edits).unwrap());
        let field = "Content-Type: multipart/signed; boundary=s;\r\n";
        assert!(memchr::memmem::find(&out, field.as_bytes()).is_some());
        assert!(memchr::memmem::find(&out, &body).is_some());
        assert_eq!(leaves(&out).len(), 2 + edits.len());
    }
    for edits in [replace("x", None), BodyEdit::ReplacePart(1, "x".into()), BodyEdit::RemovePart(2)] {
        assert!(matches!(edit(&m, &[edits]), Err(MimeError::Sealed(_))));
    }
}

#[test]
fn a_message_within_is_not_the_body() {
    let text = "
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: message/rfc822

        Subject: inner

        forwarded
        --b--";
    let out = edited(text, &[append("bye")]);
    let part = "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nbye\r\n--b--";
    assert_eq!(out, but(text, "--b--", part));
    assert!(matches!(edit(&message(text), &[BodyEdit::RemovePart(2)]), Err(MimeError::OnlyContent(2))));
    assert_eq!(edited(text, &[BodyEdit::ReplacePart(2, "changed".into())]), but(text, "forwarded", "changed"));
}

#[test]
fn edits_that_can_not_be_done_change_nothing() {
    let m = message(MIXED);
    for (edits, error) in [
        (vec![BodyEdit::RemovePart(9)], "there is no part 9: the message has 3, counted from 0"),
        (vec![BodyEdit::ReplacePart(0, "x".into())], "part 0 is a multipart: name one of the parts in it"),
        (
            vec![BodyEdit::RemovePart(2), BodyEdit::ReplacePart(2, "x".into())],
            "part 2 was removed or replaced by an earlier edit",
        ),
        (
            vec![BodyEdit::AddAttachment(Attachment { content_type: "a/b\r\nX: y".into(), ..file("a", b"b") })],
            "`a/b\\r\\nX: y` is not a media type that an attachment can have, such as `application/pdf`",
        ),
    ] {
        assert_eq!(edit(&m, &edits).unwrap_err().to_string(), error);
    }
    assert_eq!(octets(&edit(&m, &[]).unwrap()), octets(&m));
}

#[test]
fn parts_without_blank_line_or_end_are_completed() {
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let add = BodyEdit::AddAttachment(file("f", b"1"));
    for body in ["--b\r\n", "--b\r\nX: y", "--b\r\n\r\nends nowhere\r\n", "--b\r\n--b--", "--b\r\nX: y\r\n--b--\r\n"] {
        let m = Message::from_bytes(format!("{head}{body}").into());
        let old = Mime::of(&m).unwrap().part_bytes(1).unwrap();
        let out = edit(&m, std::slice::from_ref(&add)).unwrap();
        let mime = Mime::of(&out).unwrap();
        assert_eq!((mime.parts().len(), mime.part_bytes(1).unwrap()), (3, old), "{body:?} {}", text_of(&out));
        let out = edit(&m, &[append("text"), add.clone()]).unwrap();
        let mime = Mime::of(&out).unwrap();
        assert_eq!(mime.parts().len(), 3, "{body:?} {}", text_of(&out));
        assert!(mime.text().unwrap().trim_end().ends_with("text"), "{body:?} {}", text_of(&out));
    }
}

#[test]
fn what_is_not_touched_is_not_copied() {
    let big = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n\r\n{}\r\n--b--\r\n",
        "x".repeat(9000)
    );
    let octets = Bytes::from(big);
    let m = Message::split(&crate::mail::Content::whole(std::sync::Arc::new(octets)), 43).unwrap();
    let out = edit(&m, &[append("bye")]).unwrap();
    let inline: u64 =
        out.body.pieces().iter().filter(|p| matches!(p, crate::mail::Piece::Inline(_))).map(|p| p.len()).sum();
    assert_eq!(inline, "\r\nbye".len() as u64);
}
