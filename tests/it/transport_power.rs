//! What the transport makes of accepted mail, on a disk of which any operation fails, or from which the power is cut there: attempts,
//! completions, lists that are split, messages that a sink splits, and reports. Next hops are a simulated Internet, and time is virtual.
//!
//! Of each accepted message every recipient has got it or has failed, and whoever is owed a report of that gets one and no second one.
//! Nobody gets anything twice, unless the power was cut between a delivery and its record; and then not a third time.
//!
//! `MAILSLUICE_CUTS` is heeded as in `transport_faults`.

use crate::disk::{self, Cached, Cut, Faulty, Plan as Faults};
use crate::internet::splits::by_domain;
use crate::internet::{Fault, Net, OUTBOUND, Outside, Step, Taken, What, field, in_virtual_time, letter};
use crate::reference::letters::small;
use mailsluice::disk::Files;
use mailsluice::event::host::{RecordKind, ZoneTrouble};
use mailsluice::intake::track::Stage;
use mailsluice::mail::{Id, Notify};
use mailsluice::spool::SegmentLog;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SPOOL: &str = "/data/spool";
const SENDER: &str = "a@home.example";
/// How often the next step of a life is looked for, in virtual time: not often where a retry is a second away.
const GLANCE: Duration = Duration::from_millis(20);

/// A message, and what has to come of it.
struct Letter {
    token: &'static str,
    sender: &'static str,
    recipients: &'static [(&'static str, Option<Notify>)],
    /// Lines of its body: with many it has a file of its own in the spool.
    lines: usize,
    /// Who gets it.
    got: &'static [&'static str],
    /// What is reported, of whom, to whom.
    told: &'static [(&'static str, &'static str, &'static str)],
}

const ALL: Option<Notify> = Some(Notify { success: true, failure: true, delay: false });

/// No host knows `nobody`, `slow.example` takes nothing at first, and `void.example` can't be found at first and takes nothing at all.
const LETTERS: [Letter; 6] = [
    Letter {
        token: "list",
        sender: SENDER,
        recipients: &[("team@here.example", None)],
        lines: 1,
        got: &["x@far.example", "y@slow.example"],
        told: &[("failed", "nobody@far.example", "boss@home.example")],
    },
    Letter {
        token: "mixed",
        sender: SENDER,
        recipients: &[("x@far.example", ALL), ("nobody@far.example", None), ("y@slow.example", ALL)],
        lines: 1,
        got: &["x@far.example", "y@slow.example"],
        told: &[
            ("failed", "nobody@far.example", SENDER),
            ("relayed", "x@far.example", SENDER),
            ("relayed", "y@slow.example", SENDER),
        ],
    },
    Letter {
        token: "large",
        sender: SENDER,
        recipients: &[("nobody@far.example", ALL), ("y@slow.example", None)],
        lines: 300,
        got: &["y@slow.example"],
        told: &[("failed", "nobody@far.example", SENDER)],
    },
    Letter {
        token: "alias",
        sender: SENDER,
        recipients: &[("one@here.example", ALL), ("x@far.example", None)],
        lines: 1,
        got: &["z@far.example", "x@far.example"],
        told: &[("relayed", "z@far.example", SENDER)],
    },
    Letter {
        token: "late",
        sender: SENDER,
        recipients: &[("v@void.example", None)],
        lines: 300,
        got: &[],
        told: &[("failed", "v@void.example", SENDER)],
    },
    Letter { token: "null", sender: "<>", recipients: &[("nobody@far.example", None)], lines: 1, got: &[], told: &[] },
];

/// What comes to whom: a message by its token, or a report by its id; and an address.
type Arrival = (String, String);

/// What is known of a server's life when it is over.
struct Life {
    outside: Outside,
    /// The tokens of the messages that were accepted.
    accepted: BTreeSet<&'static str>,
    /// The deliveries that were recorded.
    recorded: BTreeSet<Arrival>,
}

/// Who listens.
#[derive(Clone, Copy, Debug)]
enum Sinks {
    None,
    /// One that splits by domain.
    Splitter,
}

/// Starts a server on these files.
async fn start(files: Arc<dyn Files>, spool: SegmentLog, aliases: &Path, outside: Outside, sinks: Sinks) -> Net {
    let config = format!(
        "{OUTBOUND}local = ['here.example']\n[recipients]\nusers = ['boss']\naliases = '{}'\n\
         [queue]\nretry = ['1s']\nwarn-after = '100h'\n",
        aliases.display()
    );
    let sinks = |plan| match sinks {
        Sinks::None => plan,
        Sinks::Splitter => by_domain(plan),
    };
    Net::amid(outside, &config, |plan| sinks(plan).spool(Arc::new(spool)).files(files)).await
}

/// The hosts, none of which reports what it delivers.
fn hosts(net: &Net) {
    let slow: [Fault; 3] =
        [Some((Step::Rcpt, What::Close)), Some((Step::Greeting, What::Tempfail)), Some((Step::Data, What::Close))];
    let hosts = [
        ("home.example", "192.0.2.1", &[][..]),
        ("far.example", "192.0.2.2", &[]),
        ("slow.example", "192.0.2.3", &slow),
    ];
    for (domain, ip, script) in hosts {
        let host = format!("mx.{domain}");
        net.mx(domain, 10, &host);
        net.host(&host, ip, false, script.to_vec());
    }
    net.mx("void.example", 0, ".");
    net.zone.fail("void.example", RecordKind::Mx, ZoneTrouble::ServFail);
    let zone = net.zone.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        zone.mend("void.example", RecordKind::Mx);
    });
}

/// A site's aliases.
fn aliases() -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("aliases");
    let text =
        "team: x@far.example, nobody@far.example, y@slow.example\nowner-team: boss@home.example\none: z@far.example\n";
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

/// Waits for the empty queue, or for `over`.
async fn run(net: &Net, over: impl Fn() -> bool) {
    let deadline = Instant::now() + crate::wait::PATIENCE;
    while net.inside.queue.count() > 0 && !over() {
        assert!(Instant::now() < deadline, "still in the queue: {:?}", net.inside.queue.accounts(&|_| true));
        tokio::time::sleep(GLANCE).await;
    }
}

/// The deliveries that a server has recorded.
fn recorded(net: &Net, accepted: &BTreeMap<Id, &'static str>) -> BTreeSet<Arrival> {
    let steps = net.inside.server.intake.history.steps(usize::MAX, |step| step.step == Stage::Delivered).unwrap();
    let splits = net.inside.server.intake.history.steps(usize::MAX, |step| step.step == Stage::Split).unwrap();
    let wholes: BTreeMap<Id, Id> = splits.into_iter().filter_map(|step| Some((step.other?, step.id))).collect();
    let name = |id: Id| {
        let whole = std::iter::successors(Some(id), |id| wholes.get(id).copied()).last().unwrap();
        accepted.get(&whole).map_or_else(|| whole.to_string(), ToString::to_string)
    };
    steps.into_iter().filter_map(|step| Some((name(step.id), step.recipient?.to_string()))).collect()
}

/// How a life ends.
#[derive(Clone, Copy)]
enum End {
    /// All is done.
    Done,
    /// It has come to the operation that fails.
    At(u64),
    /// All is done, on a disk that is mended an hour after the operation that fails.
    Mended(u64),
}

/// The first life on these files, which begin to fail once it has begun: what a start makes of a disk that fails is another test's.
/// None if it did not come to anything.
fn live(files: &Faulty, sinks: Sinks, plan: Faults, end: End) -> Option<Life> {
    let spool = SegmentLog::open_on(Arc::new(files.clone()), Path::new(SPOOL), small()).ok()?;
    let (_dir, aliases) = aliases();
    Some(in_virtual_time(|| async {
        let net = start(Arc::new(files.clone()), spool, &aliases, Outside::new(), sinks).await;
        hosts(&net);
        files.plan(plan);
        let mut accepted = BTreeMap::new();
        for Letter { token, sender, recipients, lines, .. } in &LETTERS {
            if let Ok(id) = net.try_submit(sender, recipients, &letter(sender, token, *lines)).await {
                accepted.insert(id, *token);
            }
        }
        match end {
            End::Done => run(&net, || false).await,
            End::At(n) => run(&net, || files.operations() >= n).await,
            End::Mended(n) => {
                run(&net, || files.operations() >= n).await;
                tokio::time::sleep(Duration::from_secs(3600)).await;
                files.plan(Faults::Never);
                run(&net, || false).await;
            }
        }
        let recorded = recorded(&net, &accepted);
        Life { outside: net.outside(), accepted: accepted.into_values().collect(), recorded }
    }))
}

/// Another life, on sound files and on what the first has left, until all is done.
fn live_on(disk: &Cached, sinks: Sinks, outside: Outside) -> Outside {
    let spool = SegmentLog::open_on(Arc::new(disk.clone()), Path::new(SPOOL), small()).unwrap();
    let (_dir, aliases) = aliases();
    in_virtual_time(|| async {
        let net = start(Arc::new(disk.clone()), spool, &aliases, outside, sinks).await;
        net.zone.mend("void.example", RecordKind::Mx);
        run(&net, || false).await;
        net.outside()
    })
}

/// What hosts have taken.
#[derive(Default)]
struct Seen {
    /// How often what came to whom.
    copies: BTreeMap<Arrival, usize>,
    /// By the token of the message: action, of whom, to whom, and by which reports.
    told: BTreeMap<String, BTreeMap<[String; 3], BTreeSet<String>>>,
}

impl Seen {
    fn of(taken: &[Taken]) -> Self {
        let mut seen = Self::default();
        for taken in taken {
            let report = taken.sender.starts_with("<>");
            let name = match report {
                true => field(&taken.text, "Message-ID: ").trim_start_matches('<').split('@').next().unwrap(),
                false => taken.token(),
            };
            for recipient in &taken.recipients {
                let path = recipient.split(['<', '>']).nth(1).unwrap();
                *seen.copies.entry((name.to_owned(), path.to_owned())).or_default() += 1;
                if report {
                    seen.report(taken, name, path);
                }
            }
        }
        seen
    }

    fn report(&mut self, report: &Taken, id: &str, to: &str) {
        let told = self.told.entry(report.token().to_owned()).or_default();
        for block in report.text.split("\r\n\r\n").filter(|block| block.contains("Final-Recipient: ")) {
            let [action, of] = ["Action: ", "Final-Recipient: rfc822; "].map(|name| field(block, name).to_owned());
            told.entry([action, of, to.to_owned()]).or_default().insert(id.to_owned());
        }
    }

    /// Holds it against what was owed. `cut`: there was another life after this one, which was cut off.
    fn must_be_right(mut self, life: &Life, cut: bool, when: &str) {
        let right = |arrival: Arrival, count: usize, certain: bool| {
            let twice = cut && !life.recorded.contains(&arrival);
            let most = if twice { 2 } else { usize::from(certain) };
            assert!((usize::from(certain)..=most).contains(&count), "{when}: {count} times {arrival:?}");
        };
        for letter in &LETTERS {
            let certain = life.accepted.contains(letter.token);
            for path in letter.got {
                let arrival = (letter.token.to_owned(), (*path).to_owned());
                let count = self.copies.remove(&arrival).unwrap_or(0);
                right(arrival, count, certain);
            }
            let mut told = self.told.remove(letter.token).unwrap_or_default();
            for (action, of, to) in letter.told {
                let by = told.remove(&[action, of, to].map(|text| (*text).to_owned())).unwrap_or_default();
                let number = usize::from(certain)..=usize::from(certain || cut);
                assert!(number.contains(&by.len()), "{when}: {} {action} {of}: {by:?}", letter.token);
            }
            assert!(told.is_empty(), "{when}: {} also has {told:?}", letter.token);
        }
        assert!(self.told.is_empty(), "{when}: {:?}", self.told);
        // What is left are the reports.
        for (arrival, count) in self.copies {
            assert!(arrival.0.parse::<Id>().is_ok(), "{when}: {arrival:?}");
            right(arrival, count, true);
        }
    }
}

/// What failed, and has nobody to be returned to, is kept; what could not be synced may be there as well.
fn bad_is_kept(disk: &Cached, life: &Life, when: &str) {
    let files = disk.files_in("/badmail/");
    let kept = files.iter().filter(|file| file.starts_with(b"From: <<>>\r\nSubject: null\r\n")).count();
    let least = usize::from(life.accepted.contains("null"));
    assert!((least..=2).contains(&kept), "{when}: {kept} times in badmail");
}

/// The first life, and another one on what is left of the disk, which finds nothing to do. Says how many messages were accepted.
fn survive(disk: &Cached, files: &Faulty, sinks: Sinks, plan: Faults, end: End, when: &str) -> usize {
    let Some(life) = live(files, sinks, plan, end) else { return 0 };
    let taken = life.outside.taken();
    Seen::of(&taken).must_be_right(&life, false, when);
    bad_is_kept(&disk.cut(Cut::Nothing), &life, when);
    files.plan(Faults::Never);
    let after = live_on(disk, sinks, life.outside.clone()).taken();
    assert_eq!(after.len(), taken.len(), "{when}: a restart delivers again: {after:?}");
    life.accepted.len()
}

/// A life that ends when operations fail for good, and another one on each disk that may be left of that.
fn die(files: &Faulty, sinks: Sinks, n: u64, left: impl FnOnce() -> Vec<(String, Cached)>) {
    let life = live(files, sinks, Faults::From(n), End::At(n));
    let life =
        life.unwrap_or_else(|| Life { outside: Outside::new(), accepted: BTreeSet::new(), recorded: BTreeSet::new() });
    for (when, disk) in left() {
        let taken = live_on(&disk, sinks, life.outside.clone()).taken();
        Seen::of(&taken).must_be_right(&life, true, &when);
        bad_is_kept(&disk, &life, &when);
    }
}

/// A disk. What all of them share, and what the server does not make, is there: in this process it would be taken for one and the same.
fn disk() -> Cached {
    let shared = std::env::temp_dir();
    Cached::new(&["/data", shared.to_str().expect("a path that is UTF-8")])
}

const SINKS: [Sinks; 2] = [Sinks::None, Sinks::Splitter];

#[test]
fn without_faults_each_gets_what_is_owed_once() {
    for sinks in SINKS {
        let disk = disk();
        let files = Faulty::on(Arc::new(disk.clone()), true, Faults::Never, ErrorKind::Other);
        let accepted = survive(&disk, &files, sinks, Faults::Never, End::Done, "without a fault");
        assert_eq!(accepted, LETTERS.len());
    }
}

/// Runs for each of the operations that are looked at, until one comes to its end without it.
fn each(error: fn(u64) -> ErrorKind, run: impl Fn(&Cached, &Faulty, Sinks, u64)) {
    for sinks in SINKS {
        for n in disk::operations() {
            let disk = disk();
            let files = Faulty::on(Arc::new(disk.clone()), true, Faults::Never, error(n));
            run(&disk, &files, sinks, n);
            if files.operations() < n {
                assert!(n > 60, "the life has become too short to tell: {n}");
                break;
            }
        }
    }
}

#[test]
fn one_failed_operation_anywhere_repeats_and_loses_nothing() {
    let kinds = |n| [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::PermissionDenied][n as usize % 3];
    each(kinds, |disk, files, sinks, n| {
        survive(disk, files, sinks, Faults::Nth(n), End::Done, &format!("operation {n} failed, {sinks:?}"));
    });
}

#[test]
fn a_disk_full_for_an_hour_repeats_and_loses_nothing() {
    let full = |_| ErrorKind::StorageFull;
    each(full, |disk, files, sinks, n| {
        survive(
            disk,
            files,
            sinks,
            Faults::WritesFrom(n),
            End::Mended(n),
            &format!("full from operation {n}, {sinks:?}"),
        );
    });
}

#[test]
fn dying_anywhere_loses_nothing_and_repeats_what_was_not_recorded() {
    each(
        |_| ErrorKind::Other,
        |disk, files, sinks, n| {
            die(files, sinks, n, || vec![(format!("died at {n}, {sinks:?}"), disk.clone())]);
        },
    );
}

#[test]
fn a_power_cut_anywhere_loses_nothing_and_repeats_what_was_not_recorded() {
    each(
        |_| ErrorKind::Other,
        |disk, files, sinks, n| {
            let cut = |cut| (format!("power cut at {n}, {cut:?}, {sinks:?}"), disk.cut(cut));
            die(files, sinks, n, || disk::cuts(n).map(cut).collect());
        },
    );
}
