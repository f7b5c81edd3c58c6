//! Connections that carry several messages, and what servers do to those that wait.

use super::server::{Plan, Quirk, Seen, serve};
use super::*;
use crate::smtp::client::RcptOutcome;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::net::TcpListener;

/// A server that has one plan for its first connection and another for all that follow; and the count of connections.
async fn start(first: Plan, then: Plan) -> (NextHop, Seen, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hop = NextHop::Smtp(listener.local_addr().unwrap().to_string().into());
    let (seen, connections) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
    let (all, count) = (seen.clone(), connections.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let plan = if count.fetch_add(1, SeqCst) == 0 { first.clone() } else { then.clone() };
            tokio::spawn(serve(stream, plan, all.clone()));
        }
    });
    (hop, seen, connections)
}

fn count(seen: &Seen, line: &str) -> usize {
    seen.lock().unwrap().iter().filter(|l| l.starts_with(line)).count()
}

#[tokio::test]
async fn one_connection_carries_message_after_message() {
    let (hop, seen, connections) = start(vec![], vec![]).await;
    let (means, fixture) = (Means::new(Arc::new(Disk)), fixture(&["bob@y.example"]));
    for _ in 0..5 {
        assert_eq!(short(&fixture.deliver_by(&means, &hop).await), ["delivered 2.0.0"]);
    }
    assert_eq!((connections.load(SeqCst), count(&seen, "EHLO"), count(&seen, "MAIL")), (1, 1, 5));
}

#[tokio::test]
async fn a_connection_that_the_server_has_left_costs_no_attempt() {
    // It takes one message, and then closes or says so at the next MAIL.
    for quirk in [Quirk::Close, Quirk::Say("421 4.3.2 too many messages")] {
        let (hop, seen, connections) = start(vec![("MAIL2", quirk)], vec![]).await;
        let (means, fixture) = (Means::new(Arc::new(Disk)), fixture(&["bob@y.example"]));
        for _ in 0..3 {
            assert_eq!(short(&fixture.deliver_by(&means, &hop).await), ["delivered 2.0.0"], "{quirk:?}");
        }
        assert_eq!(
            (connections.load(SeqCst), count(&seen, ".")),
            (2, 3 + 3),
            "each came once, and each has a dotted line"
        );
    }
}

#[tokio::test]
async fn what_a_kept_connection_says_of_the_message_counts() {
    for (step, reply, expected) in [
        ("MAIL2", "550 5.1.8 not you", "failed 5.1.8"),
        ("MAIL2", "451 4.3.0 later", "deferred 4.3.0"),
        ("DOT2", "421 4.3.2 closing", "deferred 4.3.2"),
    ] {
        let (hop, _, connections) = start(vec![(step, Quirk::Say(reply))], vec![]).await;
        let (means, fixture) = (Means::new(Arc::new(Disk)), fixture(&["bob@y.example"]));
        fixture.deliver_by(&means, &hop).await;
        assert_eq!(short(&fixture.deliver_by(&means, &hop).await), [expected], "{reply}");
        assert_eq!(connections.load(SeqCst), 1, "{reply}: after the message was seen it is not sent again at once");
    }
    // Lost after the dot: the server may have it.
    let (hop, seen, connections) = start(vec![("DOT2", Quirk::Close)], vec![]).await;
    let (means, fixture) = (Means::new(Arc::new(Disk)), fixture(&["bob@y.example"]));
    fixture.deliver_by(&means, &hop).await;
    assert_eq!(short(&fixture.deliver_by(&means, &hop).await), ["deferred 4.4.2"]);
    assert_eq!((connections.load(SeqCst), count(&seen, "MAIL")), (1, 2));
}

#[tokio::test]
async fn a_connection_that_has_waited_is_left_politely() {
    let (hop, seen, connections) = start(vec![], vec![]).await;
    let (means, fixture) = (Means::new(Arc::new(Disk)), fixture(&["bob@y.example"]));
    assert_eq!(short(&fixture.deliver_by(&means, &hop).await), ["delivered 2.0.0"]);
    // Nothing is left to do but to wait: time runs on until the connection has been left.
    tokio::time::pause();
    while count(&seen, "QUIT") == 0 {
        tokio::time::advance(std::time::Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
    tokio::time::resume();
    assert_eq!(short(&fixture.deliver_by(&means, &hop).await), ["delivered 2.0.0"]);
    assert_eq!(connections.load(SeqCst), 2);
}

#[tokio::test]
async fn where_many_wait_the_oldest_is_left_for_the_next() {
    let (hop, seen, connections) = start(vec![], vec![]).await;
    let fixture = fixture(&["bob@y.example"]);
    let means = Means { pool: Pool::of(2), ..Means::new(Arc::new(Disk)) };
    let port = hop.to_string().parse::<std::net::SocketAddr>().unwrap().port();
    // One server under three names.
    let [a, b, c] = ["127.0.0.1", "127.0.1", "127.1"];
    // `a` is used again before `c` needs its room, so `b` has waited longest.
    for (name, open) in [(a, 1), (b, 2), (a, 2), (c, 3), (a, 3), (b, 4), (c, 5)] {
        let hop = NextHop::Smtp(format!("{name}:{port}").into());
        assert_eq!(short(&fixture.deliver_by(&means, &hop).await), ["delivered 2.0.0"]);
        assert_eq!(connections.load(SeqCst), open, "{name}");
    }
    while count(&seen, "QUIT") < 3 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn probes_share_a_connection_of_their_own_and_notice_that_it_is_gone() {
    for quirk in [Quirk::Close, Quirk::Say("421 4.3.2 too many questions")] {
        let (hop, seen, connections) = start(vec![("MAIL2", quirk)], vec![]).await;
        let (means, fixture) = (Means::new(Arc::new(Disk)), fixture(&["bob@y.example"]));
        for n in 0..3 {
            let path = ForwardPath::parse(&format!("r{n}@y.example")).unwrap();
            let probed = means.probe(&hop, &fixture.hostname, &path).await.unwrap();
            assert!(matches!(probed.outcome, RcptOutcome::Delivered(_)), "{quirk:?}: {probed:?}");
        }
        let dialogue = (connections.load(SeqCst), count(&seen, "RSET"), count(&seen, "DATA"));
        assert_eq!(dialogue, (2, 2, 0), "{quirk:?}");
        assert_eq!(short(&fixture.deliver_by(&means, &hop).await), ["delivered 2.0.0"]);
        assert_eq!((connections.load(SeqCst), count(&seen, "RSET")), (3, 2), "a delivery does not take over a probe's");
    }
    let drop = NextHop::Drop("out".into());
    let path = ForwardPath::parse("a@y.example").unwrap();
    assert_eq!(Means::new(Arc::new(Disk)).probe(&drop, &Domain::parse("me.example").unwrap(), &path).await, None);
}
