//! Random runs: whatever the hosts do, every recipient leaves in exactly one way, nobody gets a message twice unless a host took it
//! and did not say so, and senders are told what they are owed and nothing else. So too when sinks meddle with what is said to hosts, or split messages.
//!
//! `MAILSLUICE_INTERNET=N` runs N of them, `MAILSLUICE_INTERNET_SEED=S` that one alone.

use super::{Fault, Net, OUTBOUND, Step, Taken, What, field, in_virtual_time, outbound, splits};
use crate::inside::Plan;
use mailsluice::intake::Step as Passed;
use mailsluice::intake::track::Stage;
use mailsluice::mail::{Id, Notify};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

const SENDER: &str = "sender@home.example";
const DAYS: Duration = Duration::from_secs(86_400);

/// A small generator, so that a seed says everything.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// What a host does over its connections: few faults, many, or nothing but faults for days.
    pub(super) fn script(&mut self) -> Vec<Fault> {
        let length = [0, 1, 3, 8, 60][self.below(5)];
        let fault = |dice: &mut Self| {
            let what = What::ALL[dice.below(What::ALL.len())];
            let step = Step::ALL[dice.below(Step::ALL.len())];
            (!dice.one_in(4)).then_some((step, what))
        };
        (0..length).map(|_| fault(self)).collect()
    }

    pub(super) fn notify(&mut self) -> Option<Notify> {
        let mut flag = || self.one_in(2);
        let notify = Notify { success: flag(), failure: flag(), delay: flag() };
        if flag() { None } else { Some(notify) }
    }
}

/// What was submitted: token and recipient, and what its sender wants to hear.
type Submitted = BTreeMap<(String, String), (mailsluice::mail::Id, Option<Notify>)>;

#[test]
fn every_recipient_leaves_in_exactly_one_way() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let seeds = match number("MAILSLUICE_INTERNET_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAILSLUICE_INTERNET").unwrap_or(40),
    };
    for seed in seeds {
        in_virtual_time(|| run(seed, |plan| plan));
        in_virtual_time(|| run(seed, |plan| outbound::meddled(plan, seed)));
        in_virtual_time(|| run(seed, |plan| splits::divided(plan, seed)));
    }
}

async fn run(seed: u64, sinks: impl FnOnce(Plan) -> Plan) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let net = Net::new(OUTBOUND, sinks).await;
    net.mx("home.example", 10, "mail.home.example");
    net.host("mail.home.example", "192.0.2.1", false, Vec::new());
    let domains = 1 + dice.below(4);
    let mut with_dsn = HashSet::new();
    for domain in 0..domains {
        for host in 0..1 + dice.below(3) {
            let name = format!("mx{host}.d{domain}.example");
            let dsn = dice.one_in(2);
            if dsn {
                with_dsn.insert(name.clone());
            }
            net.host(&name, &format!("192.0.2.{}", 10 + 10 * domain + host), dsn, dice.script());
            net.mx(&format!("d{domain}.example"), 10 * dice.below(2) as u16, &name);
        }
    }
    let mut submitted = Submitted::new();
    for message in 0..1 + dice.below(6) {
        let token = format!("m{message}");
        let recipients: Vec<(String, Option<Notify>)> =
            (0..1 + dice.below(4)).map(|n| (format!("r{n}@d{}.example", dice.below(domains)), dice.notify())).collect();
        let given: Vec<(&str, Option<Notify>)> = recipients.iter().map(|(r, n)| (r.as_str(), *n)).collect();
        let id = net.submit(SENDER, &given, &token).await;
        submitted.extend(recipients.into_iter().map(|(r, notify)| ((token.clone(), r), (id, notify))));
        tokio::time::sleep(Duration::from_secs(dice.below(600) as u64)).await;
    }
    net.run_dry(12 * DAYS).await;
    check(seed, &net, &submitted, &with_dsn);
}

/// How a recipient left, in the end, and all that was noted on the way there.
fn end(net: &Net, mut id: Id, recipient: &str, case: &str) -> (Stage, Vec<Passed>) {
    let mut steps = Vec::new();
    loop {
        steps.extend(net.steps(id));
        let of_it = |step: &&Passed| step.id == id && step.recipient.as_deref() == Some(recipient);
        let ends: Vec<&Passed> = steps.iter().filter(of_it).filter(|step| step.step.is_end()).collect();
        assert_eq!(ends.len(), 1, "{case}: {steps:#?}");
        match (ends[0].step, ends[0].other) {
            (Stage::Split, part) => id = part.expect("a split names the part"),
            (end, _) => return (end, steps),
        }
    }
}

fn check(seed: u64, net: &Net, submitted: &Submitted, with_dsn: &HashSet<String>) {
    let taken = net.taken();
    let (reports, mail): (Vec<Taken>, Vec<Taken>) =
        taken.into_iter().partition(|taken| taken.host == "mail.home.example");
    for ((token, recipient), (id, notify)) in submitted {
        let case = format!("seed {seed}, {token} to {recipient}, {notify:?}");
        let of_it = |taken: &&Taken| {
            taken.token() == *token && taken.recipients.iter().any(|r| r.starts_with(&format!("<{recipient}>")))
        };
        let got: Vec<&Taken> = mail.iter().filter(of_it).collect();
        let told: Vec<&&Taken> = got.iter().filter(|taken| taken.told).collect();
        let (end, steps) = end(net, *id, recipient, &case);
        let delivered = end == Stage::Delivered;
        assert_eq!(delivered, told.len() == 1, "{case}: {got:?}, {steps:#?}");
        assert!(told.len() <= 1, "{case}: {got:?}");

        let reported = |action: &str| {
            let of_it = |taken: &&Taken| {
                let blocks = taken.text.split("\r\n\r\n");
                let about = |block: &str| {
                    field(block, "Final-Recipient: rfc822; ") == recipient && field(block, "Action: ") == action
                };
                field(&taken.text, "Subject: ") == token && blocks.into_iter().any(about)
            };
            reports.iter().filter(of_it).count()
        };
        let wanted = notify.unwrap_or(Notify { success: false, failure: true, delay: true });
        assert_eq!(reported("failed"), usize::from(!delivered && wanted.failure), "{case}: {steps:#?}, {reports:#?}");
        let relayed = told.first().is_some_and(|taken| !with_dsn.contains(&taken.host)) && wanted.success;
        assert_eq!(reported("relayed"), usize::from(relayed), "{case}: {steps:#?}");
        assert!(reported("delayed") <= usize::from(wanted.delay), "{case}: {steps:#?}");
    }
    let owed = reports.iter().all(|report| report.sender.starts_with("<>"));
    assert!(owed, "seed {seed}: a report has the null reverse-path");
}
