//! What senders ask of the way: held until a time, delivered by a time, before others, over TLS alone.

use super::{HOUR, Net, OUTBOUND, Outside, START, Step, What, field, in_virtual_time, letter};
use mailsluice::event::Ledger;
use mailsluice::event::Transaction;
use mailsluice::intake::track::Stage;
use mailsluice::intake::{Receipt, Submission};
use mailsluice::mail::message::header_len;
use mailsluice::mail::{
    By, ByMode, Content, DeliverBy, Door, Envelope, ForwardPath, Id, Message, Notify, Origin, Priority, Recipient,
    ReversePath, Standing,
};
use mailsluice::spool::MemorySpool;
use mailsluice::transport::Operation;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const NEVER: Option<Notify> = Some(Notify { success: false, failure: false, delay: false });

/// The senders' host, and one at `far.example` that offers these.
async fn net(offers: &[&str]) -> Net {
    let net = Net::new(OUTBOUND, |plan| plan).await;
    places(&net, offers);
    net
}

pub(super) fn places(net: &Net, offers: &[&str]) {
    net.mx("home.example", 10, "mail.home.example");
    net.host("mail.home.example", "192.0.2.1", false, Vec::new());
    net.mx("far.example", 10, "mx.far.example");
    net.host_offering("mx.far.example", "192.0.2.9", offers, Vec::new());
}

fn down(net: &Net, offers: &[&str], tries: usize) {
    net.host_offering("mx.far.example", "192.0.2.9", offers, vec![Some((Step::Connect, What::Refuse)); tries]);
}

/// Submits as a door does.
async fn submit(net: &Net, token: &str, notify: Option<Notify>, wish: impl FnOnce(&mut Envelope)) -> Id {
    submit_to(net, "b@far.example", token, notify, wish).await
}

/// The same, to this recipient.
pub(super) async fn submit_to(
    net: &Net,
    to: &str,
    token: &str,
    notify: Option<Notify>,
    wish: impl FnOnce(&mut Envelope),
) -> Id {
    let mut envelope = Envelope::new(ReversePath::parse("a@home.example").unwrap());
    let path = ForwardPath::parse(to).unwrap();
    envelope.recipients.push(Recipient { notify, ..Recipient::new(path, Standing::Relay) });
    wish(&mut envelope);
    let intake = &net.inside.server.intake;
    let mut transaction = Transaction::new(intake.next_id(), net.now(), envelope, Ledger::default());
    let text = letter("a@home.example", token, 1);
    let content = Content::from(bytes::Bytes::from(text.clone()));
    let message = Message::split(&content, header_len(text.as_bytes()) as u64).unwrap();
    transaction.letter_mut().message = Some(message);
    mailsluice::intake::set_priority(transaction.letter_mut());
    let submission = Submission {
        snapshot: &net.inside.server.current.pin(),
        origin: &Origin::door(Door::Smtp),
        session: None,
        transaction: &mut transaction,
        extended: true,
        mark: None,
        each: false,
    };
    assert_eq!(intake.accept(submission).await, Receipt::Accepted);
    transaction.id
}

fn by(net: &Net, minutes: i32, mode: ByMode) -> Option<DeliverBy> {
    Some(DeliverBy::new(By { seconds: minutes * 60, mode, trace: false }, net.now()))
}

/// `host: what stands behind the path in MAIL`, of all that was taken.
fn taken(net: &Net) -> Vec<String> {
    let told = |taken: super::Taken| {
        let wishes = taken.sender.split_once('>').map_or("", |(_, wishes)| wishes).to_owned();
        format!("{}:{wishes}", taken.host)
    };
    net.taken().into_iter().map(told).collect()
}

#[test]
fn a_held_message_goes_at_its_time_over_a_restart_and_its_time_to_expire_begins_then() {
    let spool = Arc::new(MemorySpool::new());
    let (mut outside, mut id) = (Outside::new(), None);
    in_virtual_time(|| async {
        let net = Net::amid(outside.clone(), OUTBOUND, |plan| plan.spool(spool.clone())).await;
        places(&net, &[]);
        let until = net.now().plus(10 * DAY);
        id = Some(submit(&net, "held", None, |envelope| envelope.hold = Some(until)).await);
        tokio::time::sleep(9 * DAY).await;
        assert_eq!((net.inside.queue.count(), net.inside.queue.held()), (1, 0));
        let account = net.inside.queue.account(id.unwrap()).unwrap();
        let waits = account.waits.unwrap();
        assert_eq!(waits, format!("its sender has it held until {until}"));
        outside = net.outside();
    });
    in_virtual_time(|| async {
        let net = Net::amid(outside, OUTBOUND, |plan| plan.spool(spool)).await;
        down(&net, &[], 3);
        tokio::time::sleep(DAY - HOUR).await;
        assert!(net.steps(id.unwrap()).is_empty(), "it was tried before its time");
        net.run_dry(DAY).await;
        // Ten days are more than it may take to expire.
        assert_eq!(taken(&net), ["mx.far.example:"]);
        assert!(net.now().since(START) > 10 * DAY);
    });
}

#[test]
fn an_operator_releases_each_hold_by_itself() {
    in_virtual_time(|| async {
        let net = net(&[]).await;
        let until = net.now().plus(DAY);
        let id = submit(&net, "held", None, |envelope| envelope.hold = Some(until)).await;
        let release = Operation::Release { rerun: false };
        for operation in [Operation::Hold("odd".to_owned()), release.clone()] {
            assert_eq!(net.inside.queue.operate(&[id], &operation).await, [(id, Ok(()))]);
        }
        tokio::time::sleep(HOUR).await;
        assert_eq!(net.inside.queue.count(), 1, "the operator's hold is over, the sender's is not");
        assert_eq!(net.inside.queue.operate(&[id], &release).await, [(id, Ok(()))]);
        net.run_dry(HOUR).await;
        let id = submit(&net, "held", None, |envelope| envelope.hold = Some(until)).await;
        assert_eq!(net.inside.queue.operate(&[id], &Operation::Retry).await, [(id, Ok(()))]);
        net.run_dry(HOUR).await;
        assert_eq!(taken(&net), ["mx.far.example:"; 2]);
    });
}

#[test]
fn what_is_wanted_back_fails_when_its_time_is_over_and_not_before() {
    in_virtual_time(|| async {
        let net = net(&[]).await;
        down(&net, &["DELIVERBY"], 999);
        let wish = |envelope: &mut Envelope| {
            envelope.hold = Some(START.plus(10 * MINUTE));
            envelope.deliver_by = by(&net, 47, ByMode::Return);
        };
        let id = submit(&net, "m", None, wish).await;
        tokio::time::sleep(46 * MINUTE).await;
        assert_eq!(net.inside.queue.count(), 1);
        tokio::time::sleep(2 * MINUTE).await;
        assert_eq!(net.steps(id).iter().rfind(|step| step.step.is_end()).map(|step| step.step), Some(Stage::Expired));
        net.run_dry(MINUTE).await;
        let report = &net.taken()[0].text;
        assert_eq!((field(report, "Action: "), field(report, "Status: ")), ("failed", "5.4.7"));
        assert_eq!(field(report, "Future-Release-Request: "), "until;2027-01-15T08:10:00Z");
        assert_eq!(field(report, "Deliver-By-Date: "), START.plus(47 * MINUTE).rfc5322());
    });
}

#[test]
fn who_wants_notice_is_told_once_and_gets_it_delivered() {
    in_virtual_time(|| async {
        let net = net(&[]).await;
        down(&net, &["DELIVERBY"], 7);
        submit(&net, "m", None, |envelope| envelope.deliver_by = by(&net, 47, ByMode::Notify)).await;
        net.run_dry(DAY).await;
        let all = net.taken();
        assert_eq!(
            all.iter().map(|taken| taken.host.as_str()).collect::<Vec<_>>(),
            ["mail.home.example", "mx.far.example"]
        );
        assert_eq!((field(&all[0].text, "Action: "), field(&all[0].text, "Status: ")), ("delayed", "4.4.7"));
        assert_eq!(
            field(&all[0].text, "Last-Attempt-Date: "),
            START.plus(47 * MINUTE).rfc5322(),
            "not before, and not later"
        );
        // The host is told for how long it is late already.
        assert!(all[1].sender.starts_with("<a@home.example> BY=-"), "{}", all[1].sender);
    });
}

#[test]
fn the_time_that_is_left_is_passed_on() {
    in_virtual_time(|| async {
        let net = net(&[]).await;
        down(&net, &["DELIVERBY 60"], 1);
        submit(&net, "m", None, |envelope| envelope.deliver_by = by(&net, 47, ByMode::Return)).await;
        net.run_dry(HOUR).await;
        assert_eq!(taken(&net), [format!("mx.far.example: BY={};R", 42 * 60)]);
    });
}

#[test]
fn what_is_wanted_back_goes_to_no_host_that_keeps_no_time() {
    in_virtual_time(|| async {
        for (offers, note) in [(&[][..], "lacks DELIVERBY"), (&["DELIVERBY 3000"][..], "asks for 3000 s")] {
            let net = net(offers).await;
            submit(&net, "m", None, |envelope| envelope.deliver_by = by(&net, 47, ByMode::Return)).await;
            net.run_dry(MINUTE).await;
            assert_eq!(taken(&net), ["mail.home.example:"]);
            assert_eq!(field(&net.taken()[0].text, "Status: "), "5.4.7");
            assert!(net.taken()[0].text.replace("\r\n ", " ").contains(note), "{}", net.taken()[0].text);
            // Another host of the domain may.
            net.mx("far.example", 20, "mx2.far.example");
            net.host_offering("mx2.far.example", "192.0.2.8", &["DELIVERBY"], Vec::new());
            submit(&net, "m", None, |envelope| envelope.deliver_by = by(&net, 47, ByMode::Return)).await;
            net.run_dry(MINUTE).await;
            assert_eq!(taken(&net)[1], format!("mx2.far.example: BY={};R", 47 * 60));
        }
    });
}

#[test]
fn the_sender_hears_of_a_relay_that_keeps_no_time_and_of_each_if_it_wants_a_trace() {
    in_virtual_time(|| async {
        for (offers, trace, notify, told) in [
            (&[][..], false, None, true),
            (&[], false, NEVER, false),
            (&["DELIVERBY"], false, None, false),
            (&["DELIVERBY"], true, None, true),
        ] {
            let net = net(offers).await;
            let wish = |envelope: &mut Envelope| {
                envelope.deliver_by = by(&net, 47, ByMode::Notify).map(|by| DeliverBy { trace, ..by });
            };
            submit(&net, "m", notify, wish).await;
            net.run_dry(HOUR).await;
            let all = net.taken();
            assert_eq!(all.len(), 1 + usize::from(told), "{offers:?} {trace}");
            if told {
                assert_eq!((field(&all[1].text, "Action: "), field(&all[1].text, "Status: ")), ("relayed", "2.0.0"));
            }
        }
    });
}

#[test]
fn a_priority_is_passed_on_and_that_of_a_report_is_its_message_s() {
    in_virtual_time(|| async {
        let net = net(&["MT-PRIORITY"]).await;
        let (high, low) = (Priority::new(4), Priority::new(-4));
        submit(&net, "m", None, |envelope| envelope.priority = high).await;
        net.run_dry(HOUR).await;
        assert_eq!(taken(&net), ["mx.far.example: MT-PRIORITY=4"]);
        assert!(net.taken()[0].text.contains(" PRIORITY 4;"), "{}", net.taken()[0].text);
        net.host_offering("mail.home.example", "192.0.2.1", &["MT-PRIORITY"], Vec::new());
        net.host_offering("mx.far.example", "192.0.2.9", &[], vec![Some((Step::Rcpt, What::Refuse))]);
        submit(&net, "m", None, |envelope| envelope.priority = low).await;
        net.run_dry(HOUR).await;
        assert_eq!(taken(&net)[1..], ["mail.home.example: MT-PRIORITY=-4"]);
    });
}

#[test]
fn who_waits_for_a_site_goes_by_priority() {
    in_virtual_time(|| async {
        let config = format!("{OUTBOUND}[[traffic]]\nsite = '*'\nconnections = 1\n");
        let net = Net::new(&config, |plan| plan).await;
        places(&net, &[]);
        net.host_offering("mx.far.example", "192.0.2.9", &[], vec![Some((Step::Greeting, What::Late))]);
        submit(&net, "first", None, |_| {}).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        for (token, level) in [("low", -9), ("none", 0), ("high", 9)] {
            submit(&net, token, None, |envelope| envelope.priority = Priority::new(level)).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        net.run_dry(HOUR).await;
        let order: Vec<String> = net.taken().iter().map(|taken| taken.token().to_owned()).collect();
        assert_eq!(order, ["first", "high", "none", "low"]);
    });
}

#[test]
fn what_requires_tls_goes_nowhere_without_and_its_report_does_and_tells_no_body() {
    in_virtual_time(|| async {
        for offers in [&[][..], &["REQUIRETLS"]] {
            let net = net(offers).await;
            submit(&net, "secret", None, |envelope| {
                envelope.require_tls = true;
                envelope.ret = Some(mailsluice::mail::Ret::Full);
            })
            .await;
            net.run_dry(HOUR).await;
            assert_eq!(taken(&net), ["mail.home.example:"]);
            let report = &net.taken()[0].text;
            assert_eq!((field(report, "Action: "), field(report, "Status: ")), ("failed", "5.7.30"));
            assert!(!report.contains("Hello."), "{report}");
        }
    });
}
