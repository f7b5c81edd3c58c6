//! Limits to the octet and to the call, and what happens when there is no more room: a sandbox and the seam, no server.

use super::alone::{load, sandbox, sink, terms};
use super::guests::guest;
use super::text;
use crate::seam::{World, at_submit};
use bytes::Bytes;
use mailsluice::event::{Binding, Decision, Dispatcher, Registered, Reuse};
use mailsluice::mail::Message;
use mailsluice::wasm::{Limits, Terms};
use std::sync::Arc;
use std::time::Duration;

fn with(limits: Limits) -> Terms {
    Terms { limits, ..terms() }
}

/// A world whose message tells the guest to do this.
fn told(act: &str) -> World {
    let mut world = World::default();
    let content = format!("Subject: x\r\nX-Act: {act}\r\n\r\nbody\r\n");
    world.transaction.letter_mut().message = Some(Message::from_bytes(Bytes::from(content)));
    world
}

/// What the ledger says of the fault of one call; nothing if there was none.
async fn fault(sink: &Arc<Registered>, act: &str) -> Option<String> {
    let binding = Binding { deadline: Duration::from_secs(60), ..at_submit(sink) };
    let mut world = told(act);
    world.submit(&Dispatcher::new(vec![binding])).await;
    world.last().fault.clone()
}

#[test]
fn memory_at_start_is_counted_to_the_page() {
    let module = text::module(
        "(module (memory (export \"memory\") 32)
        (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export \"mailsluice:sink/transport-submit@1.0.0#handle\") (param i32 i32) (result i32) i32.const 0))",
    );
    let module = module.unwrap();
    let allowed = |memory| load(&module, with(Limits { memory, ..Limits::default() })).map(drop);
    assert_eq!(allowed(2 << 20), Ok(()));
    let why = allowed((2 << 20) - 1).unwrap_err();
    assert!(why.starts_with("this needs 2 MiB at start and is allowed 2 MiB"), "{why}");
    assert_eq!(allowed(usize::MAX), Ok(()), "no overflow");
}

#[tokio::test]
async fn time_is_bounded_however_little_or_much_is_allowed() {
    // A look at the clock may fall into its start, too: then it is loaded again.
    let loops = |cpu| {
        let load = || load(&guest("loops"), with(Limits { cpu, ..Limits::default() }));
        std::iter::repeat_with(load).take(1000).find_map(Result::ok).expect("a start that is not looked at")
    };
    let text = fault(&loops(Duration::from_nanos(1)), "spin").await.unwrap();
    assert!(text.starts_with("overrun: it used 0 ms of its own time"), "{text}");
    assert_eq!(fault(&loops(Duration::from_millis(1)), "").await, None, "what is quick has its time");
    // However much it is, the deadline stands.
    let sink = loops(Duration::MAX);
    let binding = Binding { deadline: Duration::from_millis(50), ..at_submit(&sink) };
    let mut world = told("spin");
    world.submit(&Dispatcher::new(vec![binding])).await;
    assert_eq!(world.last().fault.as_deref(), Some("overrun: no answer within 50 ms"));
}

#[tokio::test]
async fn changes_are_counted() {
    let limits = Limits { cpu: Duration::from_secs(60), output: usize::MAX, ..Limits::default() };
    let text = fault(&sink("envelope", with(limits)), "million").await.unwrap();
    assert!(text.starts_with("limit: over 10000 changes in one call"), "{text}");
    let text = fault(&sink("smuggles", with(Limits { output: (4 << 20) - 1, ..limits })), "flood").await.unwrap();
    assert!(text.starts_with("limit: its changes carry over 4194303 octets"), "{text}");
    assert_eq!(fault(&sink("smuggles", with(Limits { output: 4 << 20, ..limits })), "flood").await, None);
}

#[tokio::test]
async fn a_recipient_that_was_kept_is_known_for_one_of_an_earlier_call() {
    let sink = sink("kept-recipient", Terms { reuse: Reuse::Pool, ..terms() });
    for _ in 0..3 {
        assert_eq!(fault(&sink, "first").await, None);
        let text = fault(&sink, "again").await.unwrap();
        assert!(text.starts_with("illegal: the recipient is one of an earlier call; none may be kept"), "{text}");
    }
}

#[tokio::test]
async fn who_finds_no_room_waits_and_who_fails_leaves_it() {
    // More calls at a time than there are places, and each of them ends at its deadline.
    let one = Limits { concurrency: 1000, ..Limits::default() };
    let (first, second) = (sink("sleeps", with(one)), sink("sleeps", with(one)));
    let quick = sink("nothing", terms());
    let calls = (0..1100).map(|n| {
        let sink = if n % 2 == 0 { first.clone() } else { second.clone() };
        tokio::spawn(async move {
            let binding = Binding { deadline: Duration::from_millis(1500), ..at_submit(&sink) };
            let mut world = told("hour");
            world.submit(&Dispatcher::new(vec![binding])).await;
            assert_eq!(world.last().fault.as_deref(), Some("overrun: no answer within 1500 ms"));
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(fault(&quick, "").await, None);
}

#[tokio::test]
async fn a_thousand_faults_leave_every_place_free() {
    let traps = sink("unreachable", with(Limits { concurrency: 2, ..Limits::default() }));
    // More than there are places in all.
    for _ in 0..1200 {
        let text = fault(&traps, "go").await.unwrap();
        assert!(text.starts_with("panic: it panicked"), "{text}");
    }
}

#[tokio::test]
async fn many_sinks_cost_little_while_they_are_idle() {
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap();
        status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    };
    let octets = guest("unreachable");
    let (count, before) = (200, resident());
    let sinks: Vec<_> = (0..count).map(|_| load(&octets, terms()).unwrap()).collect();
    let each = resident().saturating_sub(before) / count;
    println!("{} KiB for each idle sink", each >> 10);
    assert!(each < 1 << 20, "{each} octets for each idle sink");
    let all = sinks.iter().map(|sink| Binding { always: true, ..at_submit(sink) }).collect();
    let mut world = World::default();
    let content = Bytes::from_static(b"Subject: no body\r\n\r\n");
    world.transaction.letter_mut().message = Some(Message::from_bytes(content));
    assert_eq!(world.submit(&Dispatcher::new(all)).await, Decision::Proceed);
    assert_eq!(world.transaction.ledger.entries.len(), count);
    drop(sinks);
    assert!(sandbox().module(&octets, terms()).is_ok());
}
