//! Random wishes among hosts that misbehave at random: nobody gets a message before its time, none that is wanted back is delivered
//! long after it or to a host that keeps no time, and senders hear of lateness and of relays what they are owed.
//!
//! `MAILSLUICE_INTERNET=N` runs N of them, `MAILSLUICE_INTERNET_SEED=S` that one alone.

use super::random::Dice;
use super::wishes::{places, submit_to};
use super::{HOUR, Net, OUTBOUND, Taken, field, in_virtual_time};
use mailsluice::intake::track::Stage;
use mailsluice::mail::{By, ByMode, DeliverBy, Id, Notify, Timestamp};
use std::collections::HashMap;
use std::time::Duration;

/// One try takes no longer than this: hosts that hang cost minutes each.
const TRY: Duration = Duration::from_secs(5400);

/// A message, and what its sender asked for.
struct Asked {
    id: Id,
    token: String,
    notify: Option<Notify>,
    received: Timestamp,
    hold: Option<Timestamp>,
    by: Option<DeliverBy>,
}

#[test]
fn wishes_are_kept_whatever_hosts_do() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let seeds = match number("MAILSLUICE_INTERNET_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAILSLUICE_INTERNET").unwrap_or(60),
    };
    for seed in seeds {
        in_virtual_time(|| run(seed));
    }
}

async fn run(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let net = Net::new(OUTBOUND, |plan| plan).await;
    places(&net, &[]);
    let mut offered = HashMap::new();
    for host in 0..1 + dice.below(3) {
        let name = format!("mx{host}.d.example");
        let mut offers = Vec::new();
        for keyword in ["DSN", "DELIVERBY", "DELIVERBY 600"] {
            if dice.one_in(2) && !offers.iter().any(|offer: &&str| offer.starts_with("DELIVERBY")) {
                offers.push(keyword);
            }
        }
        net.host_offering(&name, &format!("192.0.2.{}", 10 + host), &offers, dice.script());
        net.mx("d.example", 10 * dice.below(2) as u16, &name);
        offered.insert(name, offers);
    }
    let mut asked = Vec::new();
    for message in 0..1 + dice.below(6) {
        asked.push(ask(&net, &mut dice, format!("m{message}")).await);
        tokio::time::sleep(Duration::from_secs(dice.below(600) as u64)).await;
    }
    net.run_dry(30 * 24 * HOUR).await;
    for one in &asked {
        check(&format!("seed {seed}, {}", one.token), &net, one, &offered);
    }
}

async fn ask(net: &Net, dice: &mut Dice, token: String) -> Asked {
    let received = net.now();
    let minutes = |dice: &mut Dice| Duration::from_secs(60 * (1 + dice.below(3000) as u64));
    let hold = dice.one_in(2).then(|| received.plus(minutes(dice)));
    let seconds = minutes(dice).as_secs() as i32;
    let (back, late) = (dice.one_in(2), dice.one_in(5));
    let mode = if back { ByMode::Return } else { ByMode::Notify };
    let seconds = if late && !back { -seconds } else { seconds };
    let by = By { seconds, mode, trace: dice.one_in(3) };
    let by = (!dice.one_in(4)).then(|| DeliverBy::new(by, hold.unwrap_or(received)));
    let notify = dice.notify();
    let id = submit_to(net, "b@d.example", &token, notify, |envelope| {
        (envelope.hold, envelope.deliver_by) = (hold, by);
    })
    .await;
    Asked { id, token, notify, received, hold, by }
}

fn check(case: &str, net: &Net, asked: &Asked, offered: &HashMap<String, Vec<&str>>) {
    let Asked { id, token, notify, received, hold, by } = asked;
    let steps = net.steps(*id);
    let case = format!("{case}: {hold:?} {by:?} {notify:?} {steps:#?}");
    let mut ends = steps.iter().filter(|step| step.step.is_end());
    let (Some(end), None) = (ends.next(), ends.next()) else { panic!("it ends in one way: {case}") };
    let tried = steps.iter().filter(|step| matches!(step.step, Stage::Deferred | Stage::Delivered | Stage::Routed));
    for step in tried {
        assert!(hold.is_none_or(|hold| step.time >= hold), "before its time: {case}");
        let over = by.filter(|by| by.mode == ByMode::Return).map(|by| by.until);
        assert!(over.is_none_or(|until| step.time < until.plus(TRY)), "long after its time: {case}");
    }
    let (reports, mail): (Vec<Taken>, Vec<Taken>) =
        net.taken().into_iter().partition(|taken| taken.host == "mail.home.example");
    let got = mail.iter().find(|taken| taken.token() == token && taken.told);
    assert_eq!(got.is_some(), end.step == Stage::Delivered, "{case}");
    let has = |taken: &Taken, keyword: &str| offered[&taken.host].iter().any(|offer| offer.starts_with(keyword));
    if let (Some(taken), Some(by)) = (got, by) {
        assert_eq!(taken.sender.contains(" BY="), has(taken, "DELIVERBY"), "{case}");
        assert!(by.mode == ByMode::Notify || has(taken, "DELIVERBY"), "to a host that keeps no time: {case}");
    }
    let reported = |action: &str| {
        let of_it =
            |taken: &&Taken| field(&taken.text, "Subject: ") == token && field(&taken.text, "Action: ") == action;
        reports.iter().filter(of_it).count()
    };
    let wanted = notify.unwrap_or(Notify { success: false, failure: true, delay: true });
    assert_eq!(reported("failed"), usize::from(got.is_none() && wanted.failure), "{case}");
    let tells = |taken: &&Taken| {
        let keeps = has(taken, "DELIVERBY");
        let by_time = by.is_some_and(|by| by.trace || (by.mode == ByMode::Notify && !keeps));
        (wanted.success && !has(taken, "DSN")) || (by_time && *notify != Some(Notify::default()))
    };
    assert_eq!(reported("relayed"), usize::from(got.as_ref().is_some_and(tells)), "{case}");
    let late = by.is_some_and(|by| by.is_late(*received, end.time) && end.time > by.until.plus(TRY));
    assert!(!(late && wanted.delay) || reported("delayed") >= 1, "nobody told of the delay: {case}");
    assert!(reported("delayed") <= 2 * usize::from(wanted.delay), "{case}");
}
