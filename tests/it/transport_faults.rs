//! The whole way of a message, from MAIL into its Maildir, on a disk of which every operation fails once, or for good, or from
//! which the power is cut there: what was acknowledged is delivered, whole and unmixed, and at most once more than it should be;
//! what was refused is not.
//!
//! `MAILSLUICE_CUTS` has more of them fail: see `disk::chosen`.

use crate::crash::{REFUSING, identify, message, size};
use crate::disk::{Cached, Faulty, Plan as Faults, cuts, operations};
use crate::inside::Plan;
use crate::internet::splits::{EACH, one_for_each};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::spool::small;
use crate::wait::eventually;
use mailsluice::event::host::{Clock, SystemClock};
use mailsluice::mail::Timestamp;
use mailsluice::spool::SegmentLog;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SPOOL: &str = "/data/spool";

/// The messages: small ones, one that a sink refuses (3), one that has a file of its own (30), and one for two (2), which a sink
/// splits.
const NUMBERS: [u64; 6] = [1, 2, 3, 30, 4, 5];

/// What the client was told of a message for a mailbox.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Yes,
    No,
    /// The connection broke, or it was put off and might be found again in the worst case.
    Nothing,
}

/// By mailbox and message.
type Ledger = BTreeMap<(&'static str, String), Told>;

fn recipients(number: u64) -> &'static [&'static str] {
    if number == 2 { &["alice", "bob"] } else { &["alice"] }
}

fn id(number: u64) -> String {
    format!("0-{number}")
}

/// Sends one message over a connection of its own.
fn send(address: SocketAddr, number: u64) -> io::Result<u16> {
    let mut smtp = SmtpClient::try_connect(address)?;
    smtp.try_reply()?;
    smtp.try_send(b"EHLO client.example\r\nMAIL FROM:<a@client.example>\r\n")?;
    smtp.try_reply()?.must_be(250);
    let reply = smtp.try_reply()?;
    if reply.code != 250 {
        return Ok(reply.code);
    }
    for user in recipients(number) {
        smtp.try_send(format!("RCPT TO:<{user}@example.com>\r\n").as_bytes())?;
        smtp.try_reply()?.must_be(250);
    }
    smtp.try_send(b"DATA\r\n")?;
    smtp.try_reply()?.must_be(354);
    let text = message(&id(number), size(number), if number == 3 { "yes" } else { "no" });
    smtp.try_send(format!("{text}.\r\n").as_bytes())?;
    Ok(smtp.try_reply()?.code)
}

/// A server on these files, which begin to fail once it has started, until every message is sent and all of them are delivered, or an
/// operation has failed as planned. What a start makes of a disk that fails is for `spool_recovery`: it waits until the disk is mended.
fn live(files: &Faulty, faults: Faults, failed: impl Fn() -> bool) -> Ledger {
    let mut ledger = Ledger::new();
    let Ok(spool) = SegmentLog::open_on(Arc::new(files.clone()), Path::new(SPOOL), small()) else { return ledger };
    let plan = one_for_each(Plan::new(Site::PLAIN))
        .manifest(&format!("{REFUSING}{EACH}"))
        .spool(Arc::new(spool))
        .files(Arc::new(files.clone()));
    let server = plan.start();
    files.plan(faults);
    for number in NUMBERS {
        let told = match send(server.address(0), number) {
            Ok(250) => Told::Yes,
            Ok(550) => Told::No,
            Ok(code) => {
                assert!((400..500).contains(&code), "{number}: {code}");
                Told::Nothing
            }
            Err(_) => Told::Nothing,
        };
        ledger.extend(recipients(number).iter().map(|user| ((*user, id(number)), told)));
    }
    eventually("the deliveries, or a failure", || (failed() || server.queue.count() == 0).then_some(()));
    ledger
}

/// By then all that was put off is due.
#[derive(Debug)]
struct Tomorrow;

impl Clock for Tomorrow {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(Duration::from_secs(24 * 60 * 60))
    }
}

/// A server on the disk as it was left, which delivers what it finds; then the mailboxes are looked at.
fn check(disk: &Cached, ledger: &Ledger, when: &str) {
    let spool = SegmentLog::open_on(Arc::new(disk.clone()), Path::new(SPOOL), small()).unwrap();
    let plan = one_for_each(Plan::new(Site::PLAIN)).manifest(EACH).clock(Arc::new(Tomorrow)).spool(Arc::new(spool));
    let server = plan.files(Arc::new(disk.clone())).start();
    eventually(&format!("{when}: everything to be delivered"), || (server.queue.count() == 0).then_some(()));
    drop(server);
    for user in ["alice", "bob"] {
        let mut copies = BTreeMap::<String, u32>::new();
        for file in disk.files_in(&format!("/mail/example.com/{user}/new/")) {
            // A name may be durable before the octets, if nobody was told that the message is there.
            let Some(id) = whole(&file) else { continue };
            *copies.entry(id).or_default() += 1;
        }
        for ((_, id), told) in ledger.iter().filter(|((of, _), _)| *of == user) {
            let count = copies.remove(id).unwrap_or(0);
            match told {
                Told::Yes => assert!((1..=2).contains(&count), "{when}: {count} copies of {id} for {user}"),
                Told::No => assert_eq!(count, 0, "{when}: {id} was refused"),
                Told::Nothing => assert!(count <= 2, "{when}: {count} copies of {id} for {user}"),
            }
        }
        assert!(copies.is_empty() || ledger.is_empty(), "{when}: {copies:?} for {user}");
    }
}

fn whole(file: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(file).ok()?;
    text.ends_with("the end\n").then(|| identify(text))
}

fn disk() -> Cached {
    Cached::new(&["/data"])
}

#[test]
fn without_faults_each_is_delivered_once() {
    let disk = disk();
    let ledger =
        live(&Faulty::on(Arc::new(disk.clone()), true, Faults::Never, ErrorKind::Other), Faults::Never, || false);
    assert_eq!(ledger.values().filter(|told| **told == Told::Yes).count(), 6);
    assert_eq!(ledger[&("alice", id(3))], Told::No);
    let delivered = |user: &str| disk.files_in(&format!("/mail/example.com/{user}/new/")).len();
    assert_eq!((delivered("alice"), delivered("bob")), (5, 1));
    check(&disk, &ledger, "without a fault");
    assert_eq!((delivered("alice"), delivered("bob")), (5, 1), "a restart delivers nothing again");
}

/// Runs with this plan for each n, until one comes to its end without the operation that was to fail.
fn each(plan: fn(u64) -> Faults, error: fn(u64) -> ErrorKind, check: impl Fn(&Cached, &Ledger, u64)) {
    for n in operations() {
        let disk = disk();
        let files = Faulty::on(Arc::new(disk.clone()), true, Faults::Never, error(n));
        let ledger = live(&files, plan(n), || files.operations() >= n);
        if files.operations() < n {
            assert!(n > 60, "the life has become too short to tell: {n}");
            return;
        }
        check(&disk, &ledger, n);
    }
}

#[test]
fn one_failed_operation_anywhere_loses_nothing() {
    let kinds = |n| [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::PermissionDenied][n as usize % 3];
    each(Faults::Nth, kinds, |disk, ledger, n| check(disk, ledger, &format!("operation {n} failed")));
}

#[test]
fn a_full_disk_anywhere_loses_nothing() {
    let full = |_| ErrorKind::StorageFull;
    each(Faults::WritesFrom, full, |disk, ledger, n| check(disk, ledger, &format!("full from operation {n}")));
}

#[test]
fn dying_anywhere_loses_nothing() {
    each(Faults::From, |_| ErrorKind::Other, |disk, ledger, n| check(disk, ledger, &format!("died at {n}")));
}

#[test]
fn a_power_cut_anywhere_loses_nothing() {
    each(
        Faults::From,
        |_| ErrorKind::Other,
        |disk, ledger, n| {
            for cut in cuts(n) {
                check(&disk.cut(cut), ledger, &format!("power cut at {n}, {cut:?}"));
            }
        },
    );
}
