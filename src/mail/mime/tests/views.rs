//! What the view says of messages, sound and broken.

use super::*;
use std::fmt::Write as _;

/// One line for each part: index, parent, type, what else it says, and its decoded octets.
fn outline(message: &Message) -> String {
    let mime = Mime::of(message).unwrap();
    let mut out = String::new();
    for part in mime.parts() {
        let parent = part.parent.map_or(String::new(), |p| format!("<{p}"));
        write!(out, "{}{parent} {}", part.index, part.content_type).unwrap();
        for (what, value) in [("charset", &part.charset), ("name", &part.file_name), ("id", &part.content_id)] {
            if let Some(value) = value {
                write!(out, " {what}={value}").unwrap();
            }
        }
        for (what, is) in [("attachment", part.is_attachment), ("damaged", part.damaged)] {
            out.push_str(if is { what } else { "" });
            out.push_str(if is { " " } else { "" });
        }
        if !part.is_multipart {
            assert_eq!(part.size, mime.part_bytes(part.index).unwrap().len() as u64);
            write!(out, " {:?}", mime.part_text(part.index).unwrap()).unwrap();
        }
        out.push('\n');
    }
    out.replace("  ", " ")
}

#[test]
fn a_message_of_many_parts() {
    let m = message(
        "
        Subject: =?utf-8?q?gr=C3=BCn?=
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=\"out er\"

        preamble
        --out er
        Content-Type: multipart/alternative; boundary=in

        --in
        Content-Type: Text/Plain; charset=ISO-8859-1
        Content-Transfer-Encoding: quoted-printable

        caf=E9
        --in
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: base64

        PGI+Y2Fmw6k8L2I+
        --in--
        epilogue
        --out er
        Content-Type: application/pdf; name=a.pdf
        Content-Disposition: attachment; filename*=utf-8''gr%C3%BCn.pdf
        Content-ID: <1@x>

        %PDF
        --out er
        Content-Type: message/rfc822

        Subject: inner
        Content-Type: multipart/mixed; boundary=deep

        --deep

        hidden
        --deep--
        --out er--",
    );
    assert_eq!(
        outline(&m),
        "0 multipart/mixedattachment \n1<0 multipart/alternativeattachment \n\
         2<1 text/plain charset=iso-8859-1 \"café\"\n3<1 text/html charset=utf-8 \"<b>café</b>\"\n\
         4<0 application/pdf name=grün.pdf id=1@xattachment \"%PDF\"\n\
         5<0 message/rfc822attachment \"Subject: inner\\r\\nContent-Type: multipart/mixed; boundary=deep\\r\\n\\r\\n\
         --deep\\r\\n\\r\\nhidden\\r\\n--deep--\"\n\
         6<5 multipart/mixedattachment \n7<6 text/plain \"hidden\"\n"
    );
    let mime = Mime::of(&m).unwrap();
    assert_eq!((mime.text().unwrap(), mime.html().unwrap()), ("café".into(), "<b>café</b>".into()));
    assert_eq!(decoded_header(&m.header, "Subject").unwrap(), "grün");
    let whole = octets(&m);
    for part in mime.parts() {
        let raw = &whole[part.body.start as usize..part.body.end as usize];
        assert_eq!(raw, &mime.body[part.shape.body.clone()]);
        let header = &whole[part.header.start as usize..part.header.end as usize];
        assert_eq!(header, mime.part_header(part.index).unwrap().raw());
    }
}

#[test]
fn broken_messages_have_a_sane_view() {
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (text, view) in [
        ("", "0 text/plain \"\"\n"),
        ("\r\njust text\r\n", "0 text/plain \"just text\\r\\n\"\n"),
        ("no header at all\r\n", "0 text/plain \"\"\n"),
        ("Content-Type: nonsense\r\n\r\nx", "0 text/plain \"x\"\n"),
        ("Content-Type: multipart/mixed\r\n\r\nx", "0 multipart/mixedattachment \"x\"\n"),
        ("Content-Type: multipart/mixed; boundary=b\r\n\r\n--bb\r\n", "0 multipart/mixedattachment \"--bb\\r\\n\"\n"),
        ("Content-Transfer-Encoding: base64\r\n\r\naGVs*bG8\r\n", "0 text/plaindamaged \"hello\"\n"),
        ("Content-Transfer-Encoding: x-uu\r\n\r\nabc\r\n", "0 text/plain \"abc\\r\\n\"\n"),
    ] {
        assert_eq!(outline(&Message::from_bytes(text.into())), view, "{text:?}");
    }
    for (body, parts) in [
        ("--b\r\n\r\nends nowhere\r\n", "1<0 text/plain \"ends nowhere\\r\\n\"\n"),
        ("--b", ""),
        ("--b\r\n", "1<0 text/plain \"\"\n"),
        ("--b--\r\nepilogue\r\n--b\r\n\r\nno part\r\n", ""),
        ("--b\r\nX: y\r\n--b--\r\n", "1<0 text/plain \"\"\n"),
        ("--b\n\nlf\n--b--\n", "1<0 text/plain \"lf\"\n"),
        ("--b \t\r\n\r\nx--b\r\n --b\r\n--b-- \r\n", "1<0 text/plain \"x--b\\r\\n --b\"\n"),
        (
            "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--b\r\n\r\ny\r\n--c\r\n--b--",
            "1<0 multipart/mixedattachment \n2<1 text/plain \"x\"\n3<0 text/plain \"y\\r\\n--c\"\n",
        ),
    ] {
        let view = outline(&Message::from_bytes(format!("{head}{body}").into()));
        let view = view.strip_prefix("0 multipart/mixedattachment ").unwrap();
        let view = view.split_once('\n').unwrap().1;
        assert_eq!(view, parts, "{body:?}");
    }
}

#[test]
fn hostile_structure_is_an_error() {
    let many = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\n".repeat(PARTS_MAX));
    assert!(matches!(Mime::of(&Message::from_bytes(many.into())), Err(MimeError::TooManyParts)));
    let deep: String =
        (0..DEPTH_MAX).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
    assert!(matches!(Mime::of(&Message::from_bytes(deep.into())), Err(MimeError::TooDeep)));
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(DEPTH_MAX);
    assert!(matches!(Mime::of(&Message::from_bytes(messages.into())), Err(MimeError::TooDeep)));
    let long = format!("Content-Type: text/plain; a=\"{}\"\r\n\r\n", "x".repeat(5000));
    let error = Mime::of(&Message::from_bytes(long.into())).unwrap_err();
    assert_eq!(error.to_string(), "the Content-Type field of part 0 is longer than 4096 octets");
    let mime = Mime::of(&Message::from_bytes("\r\nx".into())).unwrap();
    let error = mime.part_bytes(1).unwrap_err();
    assert_eq!(error.to_string(), "there is no part 1: the message has 1, counted from 0");
}

#[test]
fn a_reader_sees_the_text_and_not_the_attachments() {
    let m = message(
        "
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Disposition: attachment; filename=notes.txt

        notes
        --b
        Content-Type: text/html

        <p>body
        --b

        footer
        --b--",
    );
    let mime = Mime::of(&m).unwrap();
    assert_eq!((mime.html().unwrap(), mime.text().unwrap()), ("<p>body".into(), "footer".into()));
}
