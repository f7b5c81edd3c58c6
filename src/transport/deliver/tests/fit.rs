//! Messages at servers that can't take them as they are.

use super::server::Quirk;
use super::tcp::start;
use super::*;
use crate::mail::{BodyType, Content};

/// One message to a server that offers this, and what the server has got.
async fn send(offers: &'static str, declared: BodyType, message: Message) -> (String, Vec<String>) {
    let (address, seen) = start(vec![("EHLO", Quirk::Say(offers))]).await;
    let mut fixture = fixture(&["bob@y.example"]);
    (fixture.envelope.body, fixture.message) = (declared, message);
    let outcomes = fixture.deliver(&NextHop::Smtp(address.into())).await;
    (short(&outcomes).concat(), seen.lock().unwrap().clone())
}

const PLAIN: &str = "250 fake.example";
const EIGHT: &str = "250-fake.example\r\n250 8BITMIME";
const UTF8: &str = "250-fake.example\r\n250-8BITMIME\r\n250 SMTPUTF8";
const BINARY: &str = "250-fake.example\r\n250-CHUNKING\r\n250 BINARYMIME";

const TEXT: &str = "Subject: x\r\n\r\nü\r\n";
const ASCII: &str = "Subject: x\r\n\r\nu\r\n";
const WIDE: &str = "Subject: ü\r\n\r\nu\r\n";
const SIGNED: &str = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nü\r\n--b\r\n\r\nx\r\n--b--\r\n";
const NUL: &str = "Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\na\0\n";

#[tokio::test]
async fn what_a_server_can_not_take_is_converted_or_returned() {
    use BodyType::*;
    let text = "MAIL|MIME-Version: 1.0|Content-Type: text/plain; charset=utf-8|Content-Transfer-Encoding: quoted-printable|=C3=BC";
    for (name, offers, declared, message, outcome, has, lacks) in [
        (
            "as it is",
            EIGHT,
            EightBitMime,
            TEXT,
            "delivered 2.0.0",
            "MAIL FROM:<sender@x.example> BODY=8BITMIME|ü",
            "MIME-Version",
        ),
        ("not looked at", EIGHT, SevenBit, TEXT, "delivered 2.0.0", "MAIL FROM:<sender@x.example>|ü", "BODY"),
        ("8-bit to 7-bit", PLAIN, EightBitMime, TEXT, "delivered 2.0.0", text, "BODY|ü"),
        ("undeclared 8-bit", PLAIN, SevenBit, TEXT, "delivered 2.0.0", text, "BODY|ü"),
        ("declared and not so", PLAIN, EightBitMime, ASCII, "delivered 2.0.0", "u", "BODY|MIME"),
        ("signed", PLAIN, EightBitMime, SIGNED, "failed 5.6.3", "EHLO", "MAIL"),
        ("signed, as it is", EIGHT, EightBitMime, SIGNED, "delivered 2.0.0", "ü", "=C3"),
        ("header", PLAIN, EightBitMime, WIDE, "failed 5.6.7", "EHLO", "MAIL"),
        ("header, as it is", UTF8, EightBitMime, WIDE, "delivered 2.0.0", "Subject: ü", "=C3"),
        (
            "binary, as it is",
            BINARY,
            BinaryMime,
            NUL,
            "delivered 2.0.0",
            "BODY=BINARYMIME|BDAT 63 LAST|a\\x00\\n",
            "DATA",
        ),
        ("binary to 8-bit", EIGHT, BinaryMime, NUL, "delivered 2.0.0", "BODY=8BITMIME|Encoding: base64|YQAK", "BDAT"),
        ("binary to 7-bit", PLAIN, BinaryMime, NUL, "delivered 2.0.0", "Encoding: base64|YQAK", "BDAT|BODY"),
        ("8-bit in binary", EIGHT, BinaryMime, TEXT, "delivered 2.0.0", "BODY=8BITMIME|ü", "Encoding"),
    ] {
        let (got, seen) = send(offers, declared, Message::from_bytes(Bytes::from(message))).await;
        assert_eq!(got, outcome, "{name}: {seen:?}");
        let has_text = |text: &str| seen.iter().any(|line| line.contains(text));
        assert!(has.split('|').all(has_text), "{name}: {has} in {seen:?}");
        assert!(!lacks.split('|').any(has_text), "{name}: {lacks} in {seen:?}");
    }
}

#[tokio::test]
async fn the_size_is_that_of_the_converted_message() {
    let offers = "250-fake.example\r\n250 SIZE 100000";
    let (outcome, seen) = send(offers, BodyType::EightBitMime, Message::from_bytes(Bytes::from(TEXT))).await;
    let line = seen.iter().position(|line| line == "DATA").unwrap();
    let size: usize = seen[line + 1..].iter().take_while(|line| *line != ".").map(|line| line.len() + 2).sum();
    assert_eq!(
        (outcome.as_str(), seen[1].as_str()),
        ("delivered 2.0.0", &*format!("MAIL FROM:<sender@x.example> SIZE={size}"))
    );
}

#[tokio::test]
async fn a_large_message_is_converted_too() {
    let body = "ü".repeat(30) + "\r\n";
    let message = Message::from_bytes(Bytes::from(format!("Subject: x\r\n\r\n{}", body.repeat(2000))));
    let (outcome, seen) = send(PLAIN, BodyType::EightBitMime, message).await;
    assert_eq!(outcome, "delivered 2.0.0");
    assert_eq!(seen.concat().replace('=', "").matches("C3BC").count(), 60_000);
}

struct Unreadable;

impl crate::mail::Blob for Unreadable {
    fn len(&self) -> u64 {
        10
    }
    fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
        Err(std::io::Error::other("rotten"))
    }
}

#[tokio::test]
async fn a_message_that_can_not_be_read_is_tried_again() {
    let mut message = Message::from_bytes(Bytes::from(ASCII));
    message.body = Content::whole(Arc::new(Unreadable));
    for declared in [BodyType::SevenBit, BodyType::BinaryMime] {
        assert_eq!(send(PLAIN, declared, message.clone()).await.0, "deferred 4.3.0");
    }
}
