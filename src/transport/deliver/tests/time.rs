//! Limits of patience, and several messages on one connection, over a stream in memory with time standing still.

use super::super::connection::Connection;
use super::super::safety::Safety;
use super::super::stream::Stream;
use super::server::{Plan, Quirk, Seen, serve};
use super::*;
use crate::mail::{BodyType, Content};
use crate::smtp::client::{Addressee, Cause, Hop, Letter, RcptOutcome, Stage, Trouble, Wishes};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

fn letter() -> Letter {
    Letter {
        sender: ReversePath::Null,
        recipients: vec![Addressee { path: ForwardPath::parse("b@y.example").unwrap(), notify: None, orcpt: None }],
        body: BodyType::SevenBit,
        smtputf8: false,
        size: 3,
        ret: None,
        envid: None,
        wishes: Wishes::default(),
    }
}

fn hop() -> Hop {
    Hop { helo: Domain::parse("me.example").unwrap(), lmtp: false }
}

fn start(plan: Plan) -> (DuplexStream, Seen) {
    let (ours, theirs) = duplex(64 * 1024);
    let seen = Seen::default();
    tokio::spawn(serve(theirs, plan, seen.clone()));
    (ours, seen)
}

/// One message to a server that follows the plan.
async fn one(plan: Plan) -> RcptOutcome {
    match Connection::greet(Stream::foreign(start(plan).0), hop(), (&Safety::none(), "mx.example"), "mx.example", None)
        .await
    {
        Ok(mut connection) => {
            let mut outcomes = connection.deliver(letter(), &Content::from(Bytes::from_static(b"x\r\n")), None).await;
            assert_eq!(outcomes.len(), 1);
            outcomes.remove(0)
        }
        Err(unmet) => unmet.cause.outcome(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_left_when_its_time_is_up() {
    for (step, stage, minutes) in [
        ("GREETING", Stage::Greeting, 5),
        ("EHLO", Stage::Hello, 5),
        ("MAIL", Stage::Mail, 5),
        ("RCPT", Stage::Rcpt, 5),
        ("DATA", Stage::Data, 2),
        ("DOT", Stage::Dot, 10),
    ] {
        let before = Instant::now();
        let expected = Cause::Trouble { stage, trouble: Trouble::TimedOut };
        assert_eq!(one(vec![(step, Quirk::Hang)]).await, RcptOutcome::Deferred(expected), "{step}");
        let waited = before.elapsed();
        assert!(waited.abs_diff(Duration::from_secs(minutes * 60)) < Duration::from_secs(1), "{step}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_for_the_whole_reply() {
    let (ours, mut theirs) = duplex(1024);
    tokio::spawn(async move {
        while theirs.write_all(b"220-still here\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(120)).await;
        }
    });
    let before = Instant::now();
    let cause = Connection::greet(Stream::foreign(ours), hop(), (&Safety::none(), "mx.example"), "mx.example", None)
        .await
        .unwrap_err()
        .cause;
    assert_eq!(cause, Cause::Trouble { stage: Stage::Greeting, trouble: Trouble::TimedOut });
    assert_eq!(before.elapsed().as_secs(), 5 * 60);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_taking_the_content_is_left() {
    let (ours, mut theirs) = duplex(1024);
    let server = tokio::spawn(async move {
        theirs.write_all(b"220 x\r\n").await.unwrap();
        for reply in ["250 x", "250 ok", "250 ok", "354 go"] {
            while theirs.read_u8().await.unwrap() != b'\n' {}
            theirs.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
        }
        // Keeps the stream open and reads nothing.
        std::future::pending::<()>().await;
    });
    let mut connection =
        Connection::greet(Stream::foreign(ours), hop(), (&Safety::none(), "mx.example"), "mx.example", None)
            .await
            .unwrap();
    let before = Instant::now();
    let outcomes = connection.deliver(letter(), &Content::from(Bytes::from(vec![b'x'; 100_000])), None).await;
    let expected = Cause::Trouble { stage: Stage::Content, trouble: Trouble::TimedOut };
    assert_eq!(outcomes, [RcptOutcome::Deferred(expected)]);
    assert_eq!(before.elapsed().as_secs(), 3 * 60);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_connection_carries_several_messages() {
    let (ours, seen) = start(vec![]);
    let mut connection =
        Connection::greet(Stream::foreign(ours), hop(), (&Safety::none(), "mx.example"), "mx.example", None)
            .await
            .unwrap();
    assert!(connection.offered().has("DSN"));
    for _ in 0..2 {
        assert!(connection.is_ready());
        let outcomes = connection.deliver(letter(), &Content::from(Bytes::from_static(b"x\r\n")), None).await;
        assert!(matches!(outcomes.as_slice(), [RcptOutcome::Delivered(_)]));
    }
    connection.quit().await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|line| line.starts_with("MAIL FROM:<>")).count(), 2);
    assert_eq!(seen.last().map(String::as_str), Some("QUIT"));
}

#[tokio::test(start_paused = true)]
async fn a_farewell_that_never_comes_is_not_waited_for_long() {
    let (ours, _) = start(vec![("QUIT", Quirk::Hang)]);
    let connection =
        Connection::greet(Stream::foreign(ours), hop(), (&Safety::none(), "mx.example"), "mx.example", None)
            .await
            .unwrap();
    let before = Instant::now();
    connection.quit().await;
    assert_eq!(before.elapsed().as_secs(), 30);
}

struct Rotten;

impl crate::mail::Blob for Rotten {
    fn len(&self) -> u64 {
        200_000
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<()> {
        buf.fill(b'x');
        if offset > 100_000 { Err(std::io::Error::other("rotten")) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_message_is_never_ended() {
    let (ours, seen) = start(vec![]);
    let mut connection =
        Connection::greet(Stream::foreign(ours), hop(), (&Safety::none(), "mx.example"), "mx.example", None)
            .await
            .unwrap();
    let outcomes = connection.deliver(letter(), &Content::whole(std::sync::Arc::new(Rotten)), None).await;
    let [RcptOutcome::Deferred(Cause::Trouble { trouble, .. })] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(trouble.status().to_string(), "4.3.0");
    assert!(!connection.is_ready());
    drop(connection);
    assert!(!seen.lock().unwrap().contains(&".".to_owned()));
}
