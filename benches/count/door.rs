//! Messages of 4 KiB through the door: from a client's socket to the reply that takes the message over, and the commit alone.
//!
//! Server and client share one thread, so that they take turns in one order. The client's own instructions count too: a write and
//! a read for each step. What is accepted stays in the spool; nothing is delivered.

use super::protocol::{COMMANDS, message};
use bytes::Bytes;
use mailsluice::event::host::SystemClock;
use mailsluice::event::{Env, Fault, Heard, Natives, On, Ruling, on};
use mailsluice::intake::{History, Intake, history::Keep};
use mailsluice::kv::{MemoryKv, Quota};
use mailsluice::mail::{
    Content, Door, Envelope, ForwardPath, Id, IdSource, Origin, Recipient, ReversePath, Standing, Timestamp,
};
use mailsluice::manifest::build::Workshop;
use mailsluice::manifest::load::{Inputs, load};
use mailsluice::server::{self, Gate, Logins, Room, Server};
use mailsluice::snapshot::{Current, Snapshot};
use mailsluice::spool::{Entry, MemorySpool, NodeId, Options, Record, SegmentLog, Spool};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const CONFIG: &str = r#"
hostname = "mx.example.com"
[[listener]]
address = "127.0.0.1:0"
[domains]
local = ["example.com"]
[recipients]
users = ["alice"]
[limits]
free-space = "0 B"
"#;

/// Hears the steps of a message and says nothing.
struct NoOp;

macro_rules! next_at {
    ($($event:ident),*) => {$(
        impl On<on::$event> for NoOp {
            fn on(&self, _: &mut Heard<'_, on::$event>) -> Result<Ruling<on::$event>, Fault> {
                Ok(Ruling::next())
            }
        }
    )*};
}

next_at!(InMail, InRcpt, TransportSubmit);
mailsluice::hears!(NoOp { InMail: now, InRcpt: now, TransportSubmit: now });

fn no_op(_: BTreeMap<String, String>, _: &mut Env) -> Result<NoOp, String> {
    Ok(NoOp)
}

/// A spool in memory.
pub(crate) fn memory(_: &Path) -> Arc<dyn Spool> {
    Arc::new(MemorySpool::new())
}

/// The spool on disk. The segment is small, for it is filled with zeros first, and has room for all.
pub(crate) fn log(dir: &Path) -> Arc<dyn Spool> {
    let options = Options { segment: 16 << 20, ..Options::default() };
    Arc::new(SegmentLog::open(&dir.join("spool"), options).unwrap())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Messages in one session, with so many sinks at MAIL, RCPT and submit.
pub(crate) fn messages(n: u64, sinks: usize, spool: fn(&Path) -> Arc<dyn Spool>) {
    let dir = tempfile::tempdir().unwrap();
    let spool = spool(dir.path());
    runtime().block_on(async {
        let server = Arc::new(wired(dir.path(), sinks, spool.clone()).await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tokio::spawn(server::run(server, listener, 0));
        send(client, n).await;
    });
    assert_eq!(spool.usage().messages, n);
}

/// The rooms that `serve` wires, without transport.
async fn wired(dir: &Path, sinks: usize, spool: Arc<dyn Spool>) -> Server {
    let fence = spool.claim(NodeId(0)).await.unwrap().fence;
    let keep = Keep { size: 1 << 20, time: Duration::from_secs(3600) };
    let stopping = CancellationToken::new();
    let intake = Intake {
        spool,
        fence,
        history: Arc::new(History::open(&dir.join("history"), keep).unwrap()),
        ids: Arc::new(IdSource::default()),
        clock: Arc::new(SystemClock),
        queue: Box::new(|_, _| {}),
        stopping: stopping.clone(),
    };
    Server {
        current: Arc::new(Current::new(snapshot(dir, sinks))),
        intake: Arc::new(intake),
        gate: Arc::new(Gate::default()),
        room: Room::default(),
        verify: None,
        logins: Logins::default(),
        challenges: Arc::default(),
        handshakes: Arc::default(),
        turnaround: None,
        stopping,
        tasks: TaskTracker::new(),
    }
}

fn snapshot(dir: &Path, sinks: usize) -> Snapshot {
    // A sink without `on` is bound to all that it hears.
    let manifest: String = (0..sinks).map(|n| format!("[[sink]]\nname = \"s{n}\"\nnative = \"no-op\"\n")).collect();
    std::fs::write(dir.join("mailsluice.toml"), CONFIG).unwrap();
    std::fs::write(dir.join("sinks.toml"), manifest).unwrap();
    let clock = Arc::new(SystemClock);
    let kv = Arc::new(MemoryKv::new(clock.clone(), Quota::default()));
    let workshop = Workshop::new(Natives::default().with("no-op", no_op), kv, clock);
    let load = load(&dir.join("mailsluice.toml"), &workshop, &[], &mut Inputs::default());
    let load = load.unwrap_or_else(|found| panic!("the configuration is wrong:\n{found}"));
    std::fs::create_dir_all(&load.settings.data_dir).unwrap();
    load.into_snapshot(1).unwrap().0
}

/// The client: one step, one write, one reply.
async fn send(mut stream: TcpStream, n: u64) {
    stream.set_nodelay(true).unwrap();
    let content = [message(), b".\r\n".to_vec()].concat();
    expect(&mut stream, b"220").await;
    step(&mut stream, b"EHLO mx.example.org\r\n", b"250").await;
    let [mail, rcpt, data] = COMMANDS.map(str::as_bytes);
    for _ in 0..n {
        step(&mut stream, mail, b"250").await;
        step(&mut stream, rcpt, b"250").await;
        step(&mut stream, data, b"354").await;
        step(&mut stream, &content, b"250").await;
    }
}

async fn step(stream: &mut TcpStream, octets: &[u8], code: &[u8]) {
    stream.write_all(octets).await.unwrap();
    expect(stream, code).await;
}

/// One reply, which the server writes at once.
async fn expect(stream: &mut TcpStream, code: &[u8]) {
    let mut reply = [0; 1024];
    let len = stream.read(&mut reply).await.unwrap();
    assert!(reply[..len].starts_with(code) && reply[..len].ends_with(b"\r\n"), "{:?}", reply[..len].escape_ascii());
}

/// Commits of one message each, one after the other.
pub(crate) fn commits(n: u64) {
    let dir = tempfile::tempdir().unwrap();
    let spool = log(dir.path());
    runtime().block_on(async {
        let fence = spool.claim(NodeId(0)).await.unwrap().fence;
        let content = Content::from(Bytes::from(message()));
        let mut envelope = Envelope::new(ReversePath::parse("bob@example.org").unwrap());
        let path = ForwardPath::parse("alice@example.com").unwrap();
        envelope.recipients.push(Recipient::new(path, Standing::Local));
        for id in (1..=n).map(Id) {
            let entry = Entry::new(id, Timestamp(0), Origin::door(Door::Smtp), envelope.clone(), 0, content.len());
            spool.commit(fence, vec![Record::Accept(Box::new(entry), content.clone())]).await.unwrap();
        }
    });
}
