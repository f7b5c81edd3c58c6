//! The door on a directory of its own, with a store in memory and a time that passes at once.

use super::run;
use crate::config::Settings;
use crate::event::Dispatcher;
use crate::event::host::ManualClock;
use crate::intake::{History, Intake, history::Keep};
use crate::mail::{Content, Door, Id, IdSource, Timestamp};
use crate::snapshot::{Current, Snapshot};
use crate::spool::{Entry, MemorySpool, NodeId, Spool, StoreFault};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// More than the longest pause.
const PATIENCE: Duration = Duration::from_secs(3600);

struct Site {
    root: TempDir,
    spool: Arc<MemorySpool>,
    current: Arc<Current>,
    accepted: UnboundedReceiver<(Entry, Content)>,
    stopping: CancellationToken,
    door: JoinHandle<()>,
}

fn snapshot(root: &Path, more: &str) -> Snapshot {
    let text = format!(
        "hostname = 'mx.example.com'\ndata-dir = '{}'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nlocal = ['example.com']\n\
        [recipients]\nusers = ['alice', 'bob']\n[limits]\nfree-space = '0 B'\nmessage-size = '4 KiB'\n{more}",
        root.display()
    );
    let settings = Settings::parse(Path::new("m.toml"), &text).unwrap_or_else(|e| panic!("{e}")).0;
    Snapshot::new(1, settings, Dispatcher::new(Vec::new()), Vec::new()).unwrap()
}

const ON: &str = "[pickup]\ndirectory = 'pickup'\n";

impl Site {
    async fn start(more: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("pickup")).unwrap();
        let current = Arc::new(Current::new(snapshot(root.path(), more)));
        let spool = Arc::new(MemorySpool::new());
        let fence = spool.claim(NodeId(1)).await.unwrap().fence;
        let keep = Keep { size: 1 << 20, time: Duration::from_secs(3600) };
        let history = Arc::new(History::open(&root.path().join("history"), keep).unwrap());
        let (sender, accepted) = unbounded_channel();
        let stopping = CancellationToken::new();
        let intake = Intake {
            spool: spool.clone(),
            fence,
            history,
            ids: Arc::new(IdSource::default()),
            clock: Arc::new(ManualClock::new(Timestamp(1_000))),
            queue: Box::new(move |entry, content| drop(sender.send((entry, content)))),
            stopping: stopping.clone(),
        };
        let door = tokio::spawn(run(current.clone(), Arc::new(intake), stopping.clone()));
        Self { root, spool, current, accepted, stopping, door }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Puts a file in as whoever moves it does.
    fn put(&self, name: &str, text: &str) {
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path("pickup").join(name)).unwrap();
    }

    async fn next(&mut self) -> (Entry, String) {
        let accepted = timeout(PATIENCE, self.accepted.recv()).await.expect("a message");
        let (entry, content) = accepted.unwrap();
        (entry, String::from_utf8(content.to_bytes().unwrap().to_vec()).unwrap())
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let Ok(items) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<_> = items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    async fn emptied(&self) {
        let gone = async {
            while !self.names("pickup").is_empty() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        timeout(PATIENCE, gone).await.expect("an empty directory");
    }

    async fn stop(self) {
        self.stopping.cancel();
        self.door.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_becomes_a_message_and_goes() {
    let mut site = Site::start(ON).await;
    site.put("a.eml", "X-Sender: <>\nX-Receiver: alice\nX-Receiver: c@y.example\nSubject: x\n\nbody\n.\nend");
    let (entry, text) = site.next().await;
    assert_eq!((entry.origin.door, entry.envelope.sender.as_str()), (Door::Pickup, ""));
    let to: Vec<_> = entry.envelope.recipients.iter().map(|r| r.path.as_str()).collect();
    assert_eq!(to, ["alice@example.com", "c@y.example"]);
    assert!(text.starts_with("Received: by mx.example.com (Mailsluice) with local id "), "{text}");
    let rest = text.split_once("\r\nSubject: x\r\n").unwrap().1;
    let id = entry.id;
    let want = format!(
        "From: MAILER-DAEMON@mx.example.com\r\nDate: Thu, 01 Jan 1970 00:00:01 +0000\r\n\
        Message-ID: <{id}.mailsluice@mx.example.com>\r\n\r\nbody\r\n.\r\nend\r\n"
    );
    assert_eq!(rest, want);
    site.emptied().await;
    site.put("b.eml", "From: bob\r\nTo: alice\r\nBcc: z@y.example\r\n\r\n");
    let (entry, text) = site.next().await;
    assert_eq!((entry.envelope.sender.as_str(), entry.envelope.recipients.len()), ("bob@example.com", 2));
    assert!(text.contains("\r\nTo: alice\r\n") && !text.contains("Bcc"), "{text}");
    site.emptied().await;
    assert_eq!(site.names("badmail"), [""; 0]);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_sent_goes_to_badmail_with_the_reason() {
    let site = Site::start(ON).await;
    let large = format!("X-Sender: a\nX-Receiver: alice\n\n{}", "0123456789012345678901234567890\n".repeat(128));
    // Only with its CRs it is too large.
    let lines = format!("X-Sender: a\nX-Receiver: alice\n\n{}", "x\n".repeat(1900));
    for (name, text, why) in [
        ("lines.eml", lines.as_str(), "552 5.3.4 "),
        ("text", "hello\n", "no sender"),
        ("nobody.eml", "From: bob\nSubject: x\n\n", "no recipients"),
        ("stranger.eml", "From: bob\nTo: carol@example.com\n\n", "550 5.1.1 <carol@example.com>: No such user here ("),
        ("nul.eml", "From: bob\nTo: alice\n\n\0\n", "554 5.6.0 The message has a NUL ("),
        ("cr.eml", "From: bob\nTo: alice\n\na\rb\n", "554 5.6.0 The message has a CR"),
        ("large.eml", &large, "552 5.3.4 "),
    ] {
        site.put(name, text);
        site.emptied().await;
        assert_eq!(fs::read_to_string(site.path("badmail").join(name)).unwrap(), text, "{name}");
        let note = fs::read_to_string(site.path("badmail").join(format!("{name}.txt"))).unwrap();
        let head = format!(
            "File: {}\nTime: Thu, 01 Jan 1970 00:00:01 +0000\nReason: {why}",
            site.path("pickup").join(name).display()
        );
        assert!(note.starts_with(&head), "{note}");
    }
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_without_room_leaves_the_file_for_later() {
    let mut site = Site::start(ON).await;
    site.spool.refuse_with(Some(StoreFault::Full("no room".into())));
    site.put("a.eml", "From: bob\nTo: alice\n\n");
    let start = Instant::now();
    sleep(Duration::from_secs(100)).await;
    assert_eq!((site.names("pickup"), site.names("badmail")), (vec!["a.eml".to_owned()], Vec::new()));
    assert!(site.accepted.try_recv().is_err());
    site.spool.refuse_with(None);
    let (entry, _) = site.next().await;
    assert!(entry.id > Id(0) && start.elapsed() < Duration::from_secs(200), "{:?}", start.elapsed());
    site.emptied().await;
    assert!(site.accepted.try_recv().is_err(), "accepted twice");
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_turns_it_on_and_off() {
    let mut site = Site::start("").await;
    site.put("a.eml", "From: bob\nTo: alice\n\n");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(site.names("pickup"), ["a.eml"]);
    site.current.swap(snapshot(site.root.path(), ON));
    site.next().await;
    site.emptied().await;
    site.current.swap(snapshot(site.root.path(), ""));
    sleep(Duration::from_secs(11)).await;
    site.put("b.eml", "From: bob\nTo: alice\n\n");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(site.names("pickup"), ["b.eml"]);
    site.stop().await;
}

/// What is left out here: `.x` and `x.tmp` are drafts, and a link is no file.
#[tokio::test(start_paused = true)]
async fn drafts_stay_and_what_a_crash_left_aside_is_sent() {
    let mut site = Site::start("").await;
    for name in [".draft.eml", "draft.tmp", ".mailsluice-77"] {
        fs::write(site.path("pickup").join(name), "From: bob\nTo: alice\n\n").unwrap();
    }
    std::os::unix::fs::symlink(site.path("pickup/.draft.eml"), site.path("pickup/link")).unwrap();
    site.current.swap(snapshot(site.root.path(), ON));
    site.next().await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(site.names("pickup"), [".draft.eml", "draft.tmp", "link"]);
    assert!(site.accepted.try_recv().is_err());
    site.stop().await;
}
