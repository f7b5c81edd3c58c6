//! Messages that a sink splits: who hears what of the parts, what each keeps, and what becomes of them.

use super::random::Dice;
use super::stages::{NoConfig, Saying, Says, got};
use super::{Net, OUTBOUND, Step, What, field, in_virtual_time};
use crate::inside::Plan;
use mailsluice::event::edit::{Bearer, HeaderEdit};
use mailsluice::event::{Edit, Edits, Env, Event, Scene, Verdict};
use mailsluice::intake::track::Stage;
use mailsluice::intake::{Account, State};
use mailsluice::mail::{Id, Notify, Reply, ReversePath};
use mailsluice::transport::Operation;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const POST: Event = Event::TransportPostCategorize;
const ALL: Option<Notify> = Some(Notify { success: true, failure: true, delay: true });

/// Everybody but those of the first recipient's domain, by domain.
pub(crate) fn others(scene: &Scene<'_>) -> Vec<Vec<usize>> {
    let recipients = &scene.envelope().unwrap().recipients;
    let domain = |index: usize| recipients[index].path.mailbox().unwrap().domain_key().into_owned();
    let mut parts = BTreeMap::<String, Vec<usize>>::new();
    for index in (0..recipients.len()).filter(|index| domain(*index) != domain(0)) {
        parts.entry(domain(index)).or_default().push(index);
    }
    parts.into_values().collect()
}

/// A sink that splits by domain.
pub(crate) fn by_domain(plan: Plan) -> Plan {
    let says: Saying = Arc::new(|scene, edits| {
        others(scene).into_iter().for_each(|part| edits.push(Edit::Split(part)));
        Verdict::Next
    });
    with(plan, &[("splitter", says)])
}

/// The sink of [`one_for_each`] in a manifest.
pub(crate) const EACH: &str = "[[sink]]\nname = 'each'\nnative = 'each'\n";

/// A native sink that makes a message for each recipient.
pub(crate) fn one_for_each(plan: Plan) -> Plan {
    let says: Saying = Arc::new(|scene, edits| {
        (1..scene.envelope().unwrap().recipients.len()).for_each(|index| edits.push(Edit::Split(vec![index])));
        Verdict::Next
    });
    plan.natives(|natives| {
        natives.with("each", move |NoConfig {}, _: &mut Env| Ok::<_, String>(Says(vec![POST], says.clone())))
    })
}

/// Native sinks of these names that hear `transport.post-categorize` one behind the other.
fn with(plan: Plan, sinks: &[(&'static str, Saying)]) -> Plan {
    let manifest = sinks.iter().map(|(name, _)| format!("[[sink]]\nname = '{name}'\nnative = '{name}'\n"));
    let manifest: String = manifest.collect();
    let sinks = sinks.to_vec();
    let plan = plan.natives(|natives| {
        sinks.into_iter().fold(natives, |natives, (name, says)| {
            natives.with(name, move |NoConfig {}, _: &mut Env| Ok::<_, String>(Says(vec![POST], says.clone())))
        })
    });
    plan.manifest(&manifest)
}

fn is_report(scene: &Scene<'_>) -> bool {
    scene.envelope().unwrap().sender == ReversePath::Null
}

/// Who heard whom.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// Reports are not noted.
    fn note(&self, who: &str, scene: &Scene<'_>) {
        if is_report(scene) {
            return;
        }
        let recipients = &scene.envelope().unwrap().recipients;
        let names: Vec<&str> = recipients.iter().map(|r| r.path.as_str().split('@').next().unwrap()).collect();
        self.0.lock().unwrap().push(format!("{who}: {}", names.join(" ")));
    }

    fn listening(&self, who: &'static str) -> Saying {
        let heard = self.clone();
        Arc::new(move |scene, _| {
            heard.note(who, scene);
            Verdict::Next
        })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A server with these sinks, and the hosts of three domains.
async fn net(sinks: &[(&'static str, Saying)]) -> Net {
    let net = Net::new(OUTBOUND, |plan| with(plan, sinks)).await;
    for (n, domain) in ["home.example", "far.example", "other.example"].into_iter().enumerate() {
        let host = format!("mx.{domain}");
        net.mx(domain, 10, &host);
        net.host(&host, &format!("192.0.2.{}", n + 1), false, Vec::new());
    }
    net
}

fn header(name: &str, value: &str) -> Edit {
    Edit::Header(HeaderEdit::Append(name.into(), value.into()))
}

fn account(net: &Net, id: Id) -> Account {
    net.inside.queue.account(id).unwrap_or_else(|| panic!("{id} is not in the queue: {:#?}", net.steps(id)))
}

/// The parts of a message, by its track.
fn parts(net: &Net, id: Id) -> Vec<Id> {
    let mut parts: Vec<Id> =
        net.steps(id).iter().filter(|step| step.step == Stage::Split).filter_map(|step| step.other).collect();
    parts.dedup();
    parts
}

#[test]
fn a_part_is_heard_anew_by_who_split_it_off_and_by_nobody_before() {
    in_virtual_time(|| async {
        let heard = Heard::default();
        let noted = heard.clone();
        let splitter: Saying = Arc::new(move |scene, edits| {
            noted.note("splitter", scene);
            let parts = others(scene);
            let first = scene.envelope().unwrap().recipients[0].path.as_str();
            // Of the call that splits, this is for who remains.
            edits.push(header("X-For", first));
            edits.push(Edit::Property(Bearer::Message, "for".into(), first.into()));
            parts.into_iter().for_each(|part| edits.push(Edit::Split(part)));
            if first.starts_with("f") {
                edits.push(Edit::Sender(ReversePath::parse("<list@home.example>").unwrap()));
            }
            Verdict::Next
        });
        let before: Saying = {
            let heard = heard.clone();
            Arc::new(move |scene, edits| {
                heard.note("before", scene);
                edits.push(header("X-Before", "once"));
                Verdict::Next
            })
        };
        let net = net(&[("before", before), ("splitter", splitter), ("after", heard.listening("after"))]).await;
        let to = [("h@home.example", None), ("f@far.example", ALL), ("g@far.example", None), ("o@other.example", None)];
        let id = net.submit("a@home.example", &to, "m").await;
        net.run_dry(HOUR).await;
        let mut heard = heard.take();
        assert_eq!(heard[..2], ["before: h f g o", "splitter: h f g o"]);
        heard[2..].sort();
        assert_eq!(heard[2..], ["after: f g", "after: h", "after: o", "splitter: f g", "splitter: o"]);
        let mut taken = net.taken();
        taken.retain(|taken| !taken.sender.starts_with("<>"));
        taken.sort_by(|a, b| a.host.cmp(&b.host));
        let told: Vec<String> = taken
            .iter()
            .map(|t| format!("{} {} {}", t.sender, t.recipients.join(" "), field(&t.text, "X-For: ")))
            .collect();
        assert_eq!(
            told,
            [
                "<list@home.example> <f@far.example> <g@far.example> f@far.example",
                "<a@home.example> <h@home.example> h@home.example",
                "<a@home.example> <o@other.example> o@other.example",
            ]
        );
        for taken in &taken {
            assert_eq!(
                (taken.text.matches("X-Before").count(), taken.text.matches("X-For").count()),
                (1, 1),
                "{}",
                taken.text
            );
            assert!(taken.text.ends_with("Hello.\r\n"), "{}", taken.text);
        }
        let report = net.taken().into_iter().find(|taken| taken.sender.starts_with("<>")).expect("a report");
        assert!(report.text.contains("Final-Recipient: rfc822; f@far.example\r\nAction: relayed"), "{}", report.text);

        let parts = parts(&net, id);
        assert_eq!(parts.len(), 2);
        let history = &net.inside.server.intake.history;
        let accounts = history.find(10, |_| true).unwrap();
        let of = |id: Id| accounts.iter().find(|account| account.id == id).unwrap();
        assert_eq!(of(id).ledger.parts, parts);
        for part in parts {
            assert_eq!((net.steps(part)[0].step, net.steps(part)[0].other), (Stage::Submitted, Some(id)));
            assert_eq!((of(part).time, of(part).state), (of(id).time, State::Delivered));
            let whose = of(part).recipients[0].path.as_str();
            assert_eq!(of(part).properties.lookup("splitter.for"), Some(&whose.into()));
            assert!(of(part).ledger.parts.is_empty());
        }
    });
}

#[test]
fn what_remains_goes_on_behind_the_sink_whatever_is_said_there() {
    in_virtual_time(|| async {
        let heard = Heard::default();
        let noted = heard.clone();
        let splitter: Saying = Arc::new(move |scene, edits| {
            noted.note("splitter", scene);
            others(scene).into_iter().for_each(|part| edits.push(Edit::Split(part)));
            edits.push(header("X-Split", "yes"));
            Verdict::Next
        });
        let noted = heard.clone();
        let calls = Arc::new(Mutex::new(0));
        let after: Saying = Arc::new(move |scene, _| {
            noted.note("after", scene);
            let first = scene.envelope().unwrap().recipients[0].path.as_str();
            let mut calls = calls.lock().unwrap();
            *calls += usize::from(first.starts_with('h'));
            match first.chars().next() {
                // Twice not now.
                Some('h') if *calls < 3 => Verdict::Defer(None, Some(Duration::from_secs(60))),
                Some('f') => Verdict::Reject(Some(Reply::foreign(550, None, "not so far"))),
                Some('o') => Verdict::Hold("to be seen".into()),
                _ => Verdict::Next,
            }
        });
        let net = net(&[("splitter", splitter), ("after", after)]).await;
        let to = [("h@home.example", None), ("f@far.example", None), ("o@other.example", None)];
        let id = net.submit("a@home.example", &to, "m").await;
        tokio::time::sleep(HOUR).await;
        let mut told = heard.take();
        told[1..].sort();
        assert_eq!(
            told,
            [
                "splitter: h f o",
                "after: f",
                "after: h",
                "after: h",
                "after: h",
                "after: o",
                "splitter: f",
                "splitter: o"
            ],
            "the splitter has heard each once, whatever was said behind it"
        );
        let mut got = got(&net);
        got.sort();
        assert_eq!(got, ["mx.home.example: <h@home.example>"]);
        let of_us = net.taken().into_iter().find(|taken| !taken.sender.starts_with("<>")).unwrap();
        assert_eq!(of_us.text.matches("X-Split").count(), 1, "{}", of_us.text);
        let [far, other] = parts(&net, id).try_into().unwrap();
        assert!(net.steps(far).iter().any(|step| step.step == Stage::Failed), "{:#?}", net.steps(far));
        assert_eq!(account(&net, other).hold.as_deref(), Some("to be seen"));
        let released = net.inside.queue.operate(&[other], &Operation::Release { rerun: false }).await;
        assert_eq!(released, [(other, Ok(()))]);
        net.run_dry(HOUR).await;
        assert_eq!(heard.take(), Vec::<String>::new(), "it goes on behind who held it");
        assert_eq!(super::stages::got(&net).len(), 2);
    });
}

#[test]
fn who_has_ended_or_waits_stays_and_a_whole_of_which_nothing_is_left_is_told_so() {
    in_virtual_time(|| async {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("aliases");
        std::fs::write(&file, "team: x@far.example, y@other.example\n").unwrap();
        let config = format!(
            "{OUTBOUND}local = ['here.example']\n[recipients]\nusers = ['boss']\naliases = '{}'\n",
            file.display()
        );
        let net = Net::new(&config, by_domain).await;
        for (domain, ip) in [("far.example", "192.0.2.2"), ("other.example", "192.0.2.3")] {
            net.mx(domain, 10, &format!("mx.{domain}"));
            net.host(&format!("mx.{domain}"), ip, false, vec![Some((Step::Rcpt, What::Tempfail))]);
        }
        let id = net.submit("a@home.example", &[("team@here.example", None)], "m").await;
        net.run_dry(HOUR).await;
        let mut got = got(&net);
        got.sort();
        assert_eq!(got, ["mx.far.example: <x@far.example>", "mx.other.example: <y@other.example>"]);
        let steps: Vec<(Stage, Option<String>)> =
            net.steps(id).iter().map(|step| (step.step, step.recipient.as_deref().map(str::to_owned))).collect();
        let step = |stage, path: &str| (stage, Some(path.to_owned()));
        assert_eq!(
            steps,
            [
                step(Stage::Split, "x@far.example"),
                step(Stage::Split, "y@other.example"),
                step(Stage::Expanded, "team@here.example"),
            ]
        );
        let accounts = net.inside.server.intake.history.find(10, |account| account.id == id).unwrap();
        assert_eq!(accounts[0].state, State::Split);
    });
}

#[test]
fn a_split_that_leaves_nobody_is_a_fault_and_changes_nothing() {
    in_virtual_time(|| async {
        let splitter: Saying = Arc::new(|scene, edits| {
            edits.push(header("X-Split", "yes"));
            edits.push(Edit::Split((0..scene.envelope().unwrap().recipients.len()).collect()));
            Verdict::Next
        });
        let net = net(&[("splitter", splitter)]).await;
        let id = net.submit("a@home.example", &[("f@far.example", None), ("o@other.example", None)], "m").await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        let account = account(&net, id);
        assert!(account.ledger.entries[0].fault.as_deref().unwrap().contains("a split leaves somebody"), "{account:?}");
        assert_eq!((net.inside.queue.count(), account.recipients.len()), (1, 2));
    });
}

/// Sinks that split at random, and say anything behind that.
pub(super) fn divided(plan: Plan, seed: u64) -> Plan {
    let dice = Arc::new(Mutex::new(Dice(seed.wrapping_mul(99) | 1)));
    let behind = dice.clone();
    let splitter: Saying = Arc::new(move |scene: &Scene<'_>, edits: &mut Edits| {
        let mut dice = dice.lock().unwrap();
        let count = scene.envelope().unwrap().recipients.len();
        if count < 2 || dice.one_in(3) {
            return Verdict::Next;
        }
        let mut parts = [Vec::new(), Vec::new()];
        for index in 1..count {
            if let Some(part) = parts.get_mut(dice.below(3)) {
                part.push(index);
            }
        }
        edits.push(header("X-Seen", "1"));
        parts.into_iter().for_each(|part| edits.push(Edit::Split(part)));
        if dice.one_in(2) { Verdict::Next } else { Verdict::SkipRest }
    });
    let after: Saying = Arc::new(move |scene, _| {
        let mut dice = behind.lock().unwrap();
        match dice.below(8) {
            _ if is_report(scene) => Verdict::Next,
            0 => Verdict::Reject(None),
            1 | 2 => Verdict::Defer(None, None),
            _ => Verdict::Next,
        }
    });
    with(plan, &[("splitter", splitter), ("after", after)])
}
