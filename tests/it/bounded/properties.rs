//! A hundred thousand properties: what a sink notes is bounded in octets, and counting them takes no longer than noting them.

use super::sinks::alone;
use super::{MIB, memory::Memory, watched};
use crate::inside::Plan;
use crate::own_sinks::{Own, bound};
use crate::seam::{World, now};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use mailsluice::event::edit::Bearer;
use mailsluice::event::{Binding, Dispatcher, EDITS_MAX, Edit, Edits, Event, Hearing, Verdict};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const BEARERS: [Bearer; 3] = [Bearer::Session, Bearer::Message, Bearer::Recipient(Some(1))];

fn note(edits: &mut Edits, bearer: Bearer, key: usize) {
    edits.push(Edit::Property(bearer, key.to_string(), 1.into()));
}

/// A sink that asks for these properties in one call, on one message after another; what the last call came to.
async fn calls(
    count: usize,
    events: Event,
    ask: impl Fn(usize, &mut Edits) + Send + Sync + 'static,
) -> (World, Duration) {
    let call = AtomicUsize::new(0);
    let sink = now("noting", move |_, edits| {
        ask(call.fetch_add(1, SeqCst), edits);
        Ok(Verdict::Next)
    });
    let dispatcher = Dispatcher::new(vec![Binding::new(sink, events)]);
    let (mut world, began) = (World::default(), Instant::now());
    for _ in 0..count {
        world.raise(&dispatcher, events).await;
    }
    (world, began.elapsed())
}

#[tokio::test]
async fn a_hundred_thousand_properties_are_a_fault_and_change_nothing() {
    for bearer in BEARERS {
        let all_at_once = move |_, edits: &mut Edits| (0..100_000).for_each(|key| note(edits, bearer, key));
        let (world, _) = calls(1, Event::InMail, all_at_once).await;
        let fault = world.last().fault.as_deref();
        assert_eq!(fault, Some("limit: 100000 edits in one call; 10000 are allowed"));
        let (world, took) = calls(10, Event::InMail, move |call, edits| {
            (0..EDITS_MAX).for_each(|key| note(edits, bearer, call * EDITS_MAX + key));
        })
        .await;
        let fault = world.last().fault.as_deref();
        assert_eq!(fault, Some("limit: the properties of sink `noting` would be over 16384 octets"));
        let letter = &world.transaction.letter;
        let bearers = [&letter.properties, &world.session.facts.properties, &letter.envelope.recipients[1].properties];
        assert!(bearers.iter().all(|properties| properties.iter().count() == 0), "none was set");
        assert!(took < Duration::from_secs(5), "{bearer:?}: {took:?}");
    }
}

#[tokio::test]
async fn a_full_share_that_is_noted_anew_again_and_again_takes_no_longer() {
    for bearer in BEARERS {
        // 3000 keys of up to four digits fill the share nearly. Each call notes each of them three times.
        let (world, took) = calls(30, Event::InMail, move |_, edits| {
            (0..9000).for_each(|n| note(edits, bearer, n % 3000));
        })
        .await;
        assert_eq!(world.last().fault, None);
        println!("{bearer:?}: 270,000 properties in {took:?}");
        assert!(took < Duration::from_secs(10), "{bearer:?}: {took:?}");
    }
}

#[test]
fn memory_of_a_hundred_thousand_properties() {
    if !alone("properties::memory_of_a_hundred_thousand_properties") {
        return;
    }
    let keys = AtomicUsize::new(0);
    // A thousand more at each recipient: on the message, on the session, on the recipient.
    let noting = Own::at(&[Event::InRcpt], move |_, edits| {
        let first = keys.fetch_add(1000, SeqCst);
        let bearer = [Bearer::Message, Bearer::Session, Bearer::Recipient(None)][first / 1000 % 3];
        (first..first + 1000).for_each(|key| note(edits, bearer, key));
        Hearing::Now(Ok(Verdict::Next))
    });
    let on = "[[sink.on]]\nevent = \"in.rcpt\"\nwhen = { sender = \"a@client.example\" }\non-fault = \"continue\"\n";
    let server = Plan::new(Site::PLAIN).natives(noting.named("own")).manifest(&(bound("own") + on)).start();
    let address = server.address(0);
    super::warm_up(address);
    watched("properties", &Memory::of(std::process::id()), address, 16 * MIB, || {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let message = "Subject: x\r\n\r\nx\r\n";
                    SmtpClient::greeted(address)
                        .deliver("a@client.example", &["alice@example.com"; 100], message)
                        .must_be(250);
                });
            }
        });
    });
}
