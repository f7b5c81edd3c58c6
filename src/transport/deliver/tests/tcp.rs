//! SMTP and LMTP over real sockets.

use super::server::{Plan, Quirk, Seen, serve};
use super::*;
use crate::mail::Notify;
use tokio::net::TcpListener;

/// A server that follows the plan on every connection, and its address.
pub(super) async fn start(plan: Plan) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Seen::default();
    let all = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, plan.clone(), all.clone()));
        }
    });
    (address, seen)
}

#[tokio::test]
async fn a_message_goes_out_dots_and_line_ends_made_safe() {
    let (address, seen) = start(vec![]).await;
    let mut fixture = fixture(&["bob@y.example", "carol@y.example"]);
    fixture.envelope.recipients[0].notify = Some(Notify { failure: true, ..Notify::default() });
    fixture.envelope.recipients[0].original = Some(ForwardPath::parse("b+x@y.example").unwrap());
    let outcomes = fixture.deliver(&NextHop::Smtp(address.clone().into())).await;
    assert_eq!(short(&outcomes), ["delivered 2.0.0"; 2]);
    assert_eq!(outcomes[0].details().remote.as_deref(), Some(&*address));
    let seen = seen.lock().unwrap().clone();
    let expected = [
        "EHLO me.example",
        &format!("MAIL FROM:<sender@x.example> SIZE={}", TEXT.len()),
        "RCPT TO:<bob@y.example> NOTIFY=FAILURE ORCPT=rfc822;b+2Bx@y.example",
        "RCPT TO:<carol@y.example>",
        "DATA",
        "Received: x",
        "Subject: hello",
        "",
        "..dot",
        "bare ",
        " cr",
        ".",
    ];
    assert_eq!(seen[..expected.len()], expected);
}

#[tokio::test]
async fn lmtp_settles_each_recipient_on_its_own() {
    let (address, seen) = start(vec![("DOT", Quirk::Say("250 2.1.5 for bob\r\n452 4.2.2 full"))]).await;
    let outcomes = fixture(&["bob@y.example", "carol@y.example"]).deliver(&NextHop::Lmtp(address.into())).await;
    assert_eq!(short(&outcomes), ["delivered 2.1.5", "deferred 4.2.2"]);
    assert_eq!(seen.lock().unwrap()[0], "LHLO me.example");
}

#[tokio::test]
async fn misbehaviour_at_each_step_is_told_and_never_a_delivery() {
    for step in ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT"] {
        for (quirk, expected) in [
            (Quirk::Say("451 4.7.1 later"), "deferred 4.7.1"),
            (Quirk::Say("421 4.3.2 closing"), "deferred 4.3.2"),
            (Quirk::Say("550 5.7.1 never"), "failed 5.7.1"),
            (Quirk::Say("what?"), "deferred 4.5.0"),
            (Quirk::Say("\x16\x03\x01"), "deferred 4.5.0"),
            (Quirk::Close, "deferred 4.4.2"),
        ] {
            // A refused EHLO is followed by HELO, which must be refused too.
            let plan = if step == "EHLO" { vec![("EHLO", quirk), ("HELO", quirk)] } else { vec![(step, quirk)] };
            let (address, _) = start(plan).await;
            let outcomes = fixture(&["bob@y.example"]).deliver(&NextHop::Smtp(address.clone().into())).await;
            assert_eq!(short(&outcomes), [expected], "{step} {quirk:?}");
            let details = outcomes[0].details();
            match details.remote.as_deref() {
                Some(remote) => assert_eq!(remote, address, "what the server said is quoted as its words"),
                None => assert!(details.note.starts_with(&address), "{details:?}"),
            }
        }
    }
}

#[tokio::test]
async fn nobody_there() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let outcomes = fixture(&["bob@y.example"]).deliver(&NextHop::Smtp(gone.into())).await;
    assert_eq!(short(&outcomes), ["deferred 4.4.1"]);
    assert_eq!(outcomes[0].details().reply.text(), "the next host can't be reached");
    let outcomes = fixture(&["bob@y.example"]).deliver(&NextHop::Smtp("no port".into())).await;
    assert_eq!(short(&outcomes), ["deferred 4.4.1"]);
}

#[tokio::test]
async fn smtputf8_is_needed_only_by_what_is_international() {
    let (address, seen) = start(vec![]).await;
    let hop = NextHop::Smtp(address.into());
    let mut fixture = fixture(&["bob@y.example"]);
    fixture.envelope.smtputf8 = true;
    assert_eq!(short(&fixture.deliver(&hop).await), ["delivered 2.0.0"]);
    assert!(!seen.lock().unwrap().iter().any(|line| line.contains("SMTPUTF8")));
    fixture.message = Message::from_bytes(Bytes::from("Subject: ü\r\n\r\nx\r\n"));
    assert_eq!(short(&fixture.deliver(&hop).await), ["failed 5.6.7"]);
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let (address, seen) = start(vec![]).await;
    let mut fixture = fixture(&["bob@y.example"]);
    // Lines of an odd length, so that chunks end anywhere in them.
    let line = format!(".{}\r\n", "x".repeat(70));
    fixture.message = Message::from_bytes(Bytes::from(format!("Subject: x\r\n\r\n{}", line.repeat(1300))));
    assert_eq!(short(&fixture.deliver(&NextHop::Smtp(address.into())).await), ["delivered 2.0.0"]);
    let dotted = format!(".{}", line.trim_end());
    assert_eq!(seen.lock().unwrap().iter().filter(|l| **l == dotted).count(), 1300);
}
