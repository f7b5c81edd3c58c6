//! Messages made fit for a way that carries less than they hold.

use super::*;
use proptest::prelude::*;

/// A conversion that changes the message into exactly this.
fn becomes(goal: Goal, from: &Message, to: &Message) {
    let out = convert(from, goal).unwrap_or_else(|e| panic!("{e}: {}", text_of(from)));
    assert_eq!(text_of(&out), text_of(to));
}

fn raw(octets: &[u8]) -> Message {
    Message::from_bytes(Bytes::copy_from_slice(octets))
}

#[test]
fn a_text_without_fields_gets_those_that_it_needs() {
    for (body, charset, encoded) in
        [(&b"gr\xc3\xbcn\r\n"[..], "utf-8", "gr=C3=BCn"), (b"gr\xfcn\r\n", "unknown-8bit", "gr=FCn")]
    {
        let to = format!(
            "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}\r\n"
        );
        becomes(Goal::SevenBit, &raw(&[b"Subject: x\r\n\r\n", body].concat()), &raw(to.as_bytes()));
    }
    let ascii = message("Subject: x\n\nplain");
    becomes(Goal::SevenBit, &ascii, &ascii);
}

#[test]
fn each_part_is_encoded_as_its_type_suggests_and_the_others_stay() {
    becomes(
        Goal::SevenBit,
        &message(
            "MIME-Version: 1.0
             Content-Type: multipart/mixed; boundary=a
             Content-Transfer-Encoding: 8bit

             prelude ü
             --a
             Content-Type: text/plain; charset=utf-8
             Content-Transfer-Encoding: 8bit

             grün
             --a
             Content-Type: multipart/alternative; boundary=b
             Content-Transfer-Encoding: 8BIT

             --b

             ascii  
             --b
             Content-Type: text/html; charset=utf-8
             content-transfer-encoding: 8bit

             <b>ü</b>
             --b--
             --a
             Content-Type: image/png
             Content-Transfer-Encoding: 8bit

             ü
             --a
             Content-Type: message/rfc822
             Content-Transfer-Encoding: 8bit

             Subject: within

             ü
             --a--
             epilogue ü",
        ),
        &message(
            "MIME-Version: 1.0
             Content-Type: multipart/mixed; boundary=a
             Content-Transfer-Encoding: 7bit

             prelude =C3=BC
             --a
             Content-Type: text/plain; charset=utf-8
             Content-Transfer-Encoding: quoted-printable

             gr=C3=BCn
             --a
             Content-Type: multipart/alternative; boundary=b
             Content-Transfer-Encoding: 7bit

             --b

             ascii  
             --b
             Content-Type: text/html; charset=utf-8
             Content-Transfer-Encoding: quoted-printable

             <b>=C3=BC</b>
             --b--
             --a
             Content-Type: image/png
             Content-Transfer-Encoding: base64

             w7w=
             --a
             Content-Type: message/rfc822
             Content-Transfer-Encoding: 7bit

             Subject: within
             MIME-Version: 1.0
             Content-Type: text/plain; charset=utf-8
             Content-Transfer-Encoding: quoted-printable

             =C3=BC
             --a--
             epilogue =C3=BC",
        ),
    );
}

#[test]
fn what_is_signed_stays_or_keeps_the_message_back() {
    let signed = |text: &str| {
        message(&format!(
            "MIME-Version: 1.0
             Content-Type: multipart/mixed; boundary=a

             --a

             ü
             --a
             Content-Type: multipart/signed; boundary=b
             Content-Transfer-Encoding: 8bit

             --b
             Content-Transfer-Encoding: 8bit

             {text}
             --b
             Content-Type: application/pgp-signature

             x
             --b--
             --a--"
        ))
    };
    let to = text_of(&signed("ascii")).replacen(
        "--a\r\n\r\nü",
        "--a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC",
        1,
    );
    becomes(Goal::SevenBit, &signed("ascii"), &raw(to.as_bytes()));
    assert!(matches!(convert(&signed("ü"), Goal::SevenBit), Err(NotConvertible::Sealed(2))));
    becomes(Goal::EightBitLines, &signed("ü"), &signed("ü"));
}

#[test]
fn binary_parts_are_encoded_and_labels_told_down() {
    let from = |text: &str, text_label: &str, image: &str, image_label: &str, label: &str| {
        let text = format!("Content-Type: text/plain\r\nContent-Transfer-Encoding: {text_label}\r\n\r\n{text}");
        let image = format!("Content-Type: image/x\r\nContent-Transfer-Encoding: {image_label}\r\n\r\n{image}");
        let top = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\nContent-Transfer-Encoding";
        raw(format!("{top}: {label}\r\n\r\n--a\r\n{text}\r\n--a\r\n{image}\r\n--a--\r\n").as_bytes())
    };
    let binary = from("a\rb\nü", "binary", "\0\r\n", "binary", "binary");
    let encoded = "a=0Db=0A=C3=BC";
    becomes(Goal::SevenBitLines, &binary, &from(encoded, "quoted-printable", "AA0K", "base64", "7bit"));
    // What lies in it is more than it need be; its own label is left as far as it may.
    becomes(Goal::EightBitLines, &binary, &from(encoded, "quoted-printable", "AA0K", "base64", "8bit"));
    let lines = from("ü", "binary", "x", "binary", "binary");
    becomes(Goal::EightBitLines, &lines, &from("ü", "8bit", "x", "7bit", "8bit"));
    becomes(Goal::SevenBitLines, &lines, &from("=C3=BC", "quoted-printable", "x", "7bit", "7bit"));
    let long = raw(&[b"\r\n", &[b'x'; 999][..], b"\r\n"].concat());
    let out = convert(&long, Goal::SevenBitLines).unwrap();
    assert!(text_of(&out).starts_with("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"));
}

#[test]
fn what_can_not_be_encoded_keeps_the_message_back() {
    let why = |text: &str| match convert(&message(text), Goal::SevenBit) {
        Err(why) => why.to_string(),
        Ok(out) => panic!("{}", text_of(&out)),
    };
    for (text, reason) in [
        ("Subject: ü\n\nx", "its header has octets beyond ASCII"),
        (
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Description: ü\n\nx\n--a--",
            "the header of part 1 has octets beyond ASCII",
        ),
        ("Content-Type: message/rfc822\n\nSubject: ü\n\nx", "the header of part 1 has octets beyond ASCII"),
        ("Content-Type: message/partial\n\nü", "part 0 is no sound `message/partial`, which can't be encoded"),
        (
            "Content-Type: multipart/mixed; boundary=a\n\nü",
            "part 0 is no sound `multipart/mixed`, which can't be encoded",
        ),
        (
            "Content-Type: multipart/mixed; boundary=a\nContent-Transfer-Encoding: base64\n\n--a\n\nü\n--a--",
            "part 0 is no sound `multipart/mixed`, which can't be encoded",
        ),
        ("Content-Transfer-Encoding: x-uuencode\n\nü", "part 0 has an unknown transfer encoding"),
    ] {
        assert_eq!(why(text), reason, "{text}");
    }
}

#[test]
fn what_is_encoded_already_is_written_anew_in_the_same_encoding() {
    let part =
        |label: &str, body: &str| message(&format!("MIME-Version: 1.0\nContent-Transfer-Encoding: {label}\n\n{body}"));
    becomes(Goal::SevenBit, &part("quoted-printable", "a=3Dü"), &part("quoted-printable", "a=3D=C3=BC"));
    becomes(Goal::SevenBit, &part("base64", "aGVsbG8üg"), &part("base64", "aGVsbG8g"));
}

#[test]
fn an_international_message_within_is_encoded_as_a_whole() {
    let message = message(
        "MIME-Version: 1.0
         Content-Type: multipart/mixed; boundary=a

         --a
         Content-Type: message/global

         Subject: ü

         x
         --a--",
    );
    let out = text_of(&convert(&message, Goal::SevenBit).unwrap());
    assert!(
        out.contains("Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDog"),
        "{out}"
    );
}

/// Octets put in at random places of a message: beyond ASCII, or what no line has.
fn spoiled(message: Message, spoils: &[(usize, u8)]) -> Message {
    let mut body = message.body.to_bytes().unwrap().to_vec();
    for &(at, octet) in spoils {
        body.insert(at % (body.len() + 1), octet);
    }
    Message { body: Bytes::from(body).into(), ..message }
}

fn spoils() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((any::<usize>(), prop::sample::select(&[0xc3u8, 0xfc, 0, b'\r', b'\n'][..])), 0..3)
}

/// The octets of the leaves, as another reader finds them; but of messages within, whose fields may change.
fn decoded_leaves(octets: &[u8]) -> Vec<Vec<u8>> {
    leaves(octets).into_iter().filter(|(kind, ..)| kind != "message/rfc822").map(|(.., octets)| octets).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_message_comes_out_unfit(
        message in prop_oneof![random::heap(), random::sound()],
        spoils in spoils(),
        goal in prop::sample::select(&[Goal::SevenBit, Goal::EightBitLines, Goal::SevenBitLines][..]),
    ) {
        let message = spoiled(message, &spoils);
        if let Ok(out) = convert(&message, goal) {
            let all = octets(&out);
            prop_assert!(goal == Goal::EightBitLines || all.is_ascii(), "{}", text_of(&out));
            let clean = has_clean_lines(&out.body.to_bytes().unwrap()) && !all.contains(&0);
            prop_assert!(goal == Goal::SevenBit || clean, "{}", text_of(&out));
            prop_assert_eq!(convert(&out, goal).map(|again| octets(&again)).ok(), Some(all), "once is enough");
        }
    }

    #[test]
    fn sound_messages_with_another_text_are_converted(message in random::sound(), pick in any::<usize>()) {
        let text = text_of(&message);
        let places: Vec<usize> = text.match_indices("text\r\n").map(|(at, _)| at).collect();
        if places.is_empty() || text.contains("multipart/signed") {
            return Ok(());
        }
        let at = places[pick % places.len()];
        let wide = Message::from_bytes(format!("{}ü{}", &text[..at], &text[at..]).into());
        let out = convert(&wide, Goal::SevenBit);
        prop_assert!(out.is_ok(), "{:?} {}", out, text_of(&wide));
        prop_assert_eq!(decoded_leaves(&octets(&out.unwrap())), decoded_leaves(&octets(&wide)));
    }
}
