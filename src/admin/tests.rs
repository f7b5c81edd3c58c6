//! A whole server, without listeners, spoken to over its control socket.

use super::access::{Access, Peer};
use super::*;
use crate::event::host::{Clock, ManualClock};
use crate::event::{Edits, Env, Event, Hearing, Interest, Natives, Scene, Sink, Verdict};
use crate::intake::{Account, History, Intake, Reports, State, history::Keep};
use crate::kv::{MemoryKv, Quota};
use crate::mail::{ForwardPath, Id, IdSource, ReversePath, Timestamp};
use crate::manifest::build::Workshop;
use crate::manifest::load::{Inputs, load};
use crate::manifest::reload::Reloader;
use crate::server::Gate;
use crate::snapshot::Current;
use crate::spool::{MemorySpool, NodeId, Spool};
use crate::transport::Queue;
use crate::transport::traffic::Kept;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const MANIFEST: &str = "[[sink]]\nname = 'gatekeeper'\nnative = 'gatekeeper'\n";
const CONFIG: &str = "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nlocal = ['example.com']\n\
    [recipients]\nusers = ['alice']\n[limits]\nfree-space = '0 B'\nmessage-size = '100 KiB'\nrecipients = 3\n";

#[derive(serde::Deserialize)]
struct NoConfig {}

/// Rejects what is for `no@...`, holds what is for `hold@...`.
struct Gatekeeper;

impl Sink for Gatekeeper {
    fn interest(&self) -> Interest {
        Interest::in_events([Event::TransportSubmit])
    }
    fn hear<'a>(&'a self, scene: Scene<'a>, _: &'a mut Edits) -> Hearing<'a> {
        let to = |local: &str| scene.recipients().any(|(_, r)| r.path.as_str().starts_with(local));
        Hearing::Now(Ok(match () {
            () if to("no@") => Verdict::Reject(None),
            () if to("hold@") => Verdict::Hold("looks odd".into()),
            () => Verdict::Next,
        }))
    }
}

struct Site {
    dir: TempDir,
    ops: Arc<Ops>,
    accepted: UnboundedReceiver<(crate::spool::Entry, crate::mail::Content)>,
    stopping: CancellationToken,
    server: JoinHandle<()>,
}

impl Site {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("mailsluice.toml");
        std::fs::write(&config, CONFIG).unwrap();
        std::fs::write(dir.path().join("sinks.toml"), MANIFEST).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp(1_000_000)));
        let natives = Natives::default().with("gatekeeper", |NoConfig {}, _: &mut Env| Ok::<_, String>(Gatekeeper));
        let kv = Arc::new(MemoryKv::new(clock.clone(), Quota::default()));
        let workshop = Workshop::new(natives, kv, clock.clone());
        workshop.metrics.of("gatekeeper").add("seen", 2).unwrap();
        let mut inputs = Inputs::default();
        let loaded = load(&config, &workshop, &[], &mut inputs).unwrap_or_else(|found| panic!("{found}"));
        let (snapshot, loaded) = loaded.into_snapshot(1).unwrap();
        let current = Arc::new(Current::new(snapshot));
        let reload = Arc::new(Reloader::new(config, workshop, current.clone(), loaded, inputs));
        let keep = Keep { size: 1 << 20, time: Duration::from_secs(3600) };
        let history = Arc::new(History::open(&dir.path().join("history"), keep).unwrap());
        let spool: Arc<dyn Spool> = Arc::new(MemorySpool::new());
        let fence = spool.claim(NodeId(1)).await.unwrap().fence;
        let ids = Arc::new(IdSource::default());
        let queue = Queue::new(
            spool.clone(),
            fence,
            history.clone(),
            current.clone(),
            clock.clone(),
            ids.clone(),
            Arc::new(crate::intake::Badmail::under(dir.path())),
        );
        queue.add(Vec::new());
        let (sender, accepted) = tokio::sync::mpsc::unbounded_channel();
        let hand_over = move |entry, content| drop(sender.send((entry, content)));
        let intake = Intake {
            spool,
            fence,
            history: history.clone(),
            ids,
            clock,
            queue: Box::new(hand_over),
            stopping: CancellationToken::new(),
        };
        let queue = Arc::new(queue);
        let suspensions = Arc::new(Kept::open(queue.governor.clone(), dir.path()).unwrap());
        let ops = Arc::new(Ops {
            current,
            history,
            queue,
            suspensions,
            intake: Arc::new(intake),
            gate: Arc::new(Gate::default()),
            lockout: Arc::default(),
            handshakes: Arc::default(),
            certificates: Arc::default(),
            reload,
            started: Timestamp(400_000),
            addresses: vec!["127.0.0.1:4711".parse().unwrap()],
        });
        let socket = Bound::new(&dir.path().join("admin.sock"), None, None).unwrap().open().unwrap();
        let stopping = CancellationToken::new();
        let server = tokio::spawn(run(socket, ops.clone(), stopping.clone()));
        Self { dir, ops, accepted, stopping, server }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("admin.sock")
    }

    /// Asks over a connection of its own.
    async fn ask(&self, request: Request) -> Result<Vec<Response>, String> {
        self.ask_with(request, Vec::new()).await
    }

    async fn ask_with(&self, request: Request, octets: Vec<u8>) -> Result<Vec<Response>, String> {
        let socket = self.socket();
        blocking(move || ask(&socket, &request, &octets).map_err(|e| e.to_string())).await
    }

    /// Sends a message, and puts it into the queue as the server's wiring does.
    async fn send(&mut self, recipients: &[&str], message: &str) -> Result<Id, String> {
        let recipients = recipients.iter().map(|r| ForwardPath::parse(r).unwrap()).collect();
        let octets = message.as_bytes().to_vec();
        let sender = ReversePath::parse("op@example.com").unwrap();
        let request = Request::Send { sender, recipients, reports: Reports::default(), octets: octets.len() as u64 };
        let answer = self.ask_with(request, octets).await?;
        let [Response::Accepted { id }] = answer[..] else { panic!("{answer:?}") };
        if let Ok((entry, content)) = self.accepted.try_recv() {
            self.ops.queue.put(entry, content);
        }
        Ok(id)
    }

    async fn accounts(&self, request: Request) -> Vec<Account> {
        let account = |response| match response {
            Response::Account(account) => *account,
            other => panic!("{other:?}"),
        };
        self.ask(request).await.unwrap().into_iter().map(account).collect()
    }

    async fn queued(&self, filter: Filter) -> Vec<Id> {
        let list = Request::Queue(QueueRequest::List { filter });
        self.accounts(list).await.iter().map(|account| account.id).collect()
    }

    async fn act(&self, act: Act, filter: Filter, dry_run: bool) -> Vec<(Id, Option<String>)> {
        let acted = |response| match response {
            Response::Acted { id, error } => (id, error),
            other => panic!("{other:?}"),
        };
        let answer = self.ask(Request::Queue(QueueRequest::Act { act, filter, dry_run })).await;
        answer.unwrap().into_iter().map(acted).collect()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn ask(socket: &Path, request: &Request, octets: &[u8]) -> Result<Vec<Response>, ClientError> {
    let mut answer = Vec::new();
    Client::connect(socket)?.ask_with(request, octets, |response| {
        answer.push(response);
        Ok::<_, ClientError>(())
    })?;
    Ok(answer)
}

fn why(id: Option<Id>) -> Request {
    Request::Why { id, filter: Filter::default(), limit: 10 }
}

#[tokio::test]
async fn status_and_reload() {
    let site = Site::start().await;
    let answer = site.ask(Request::Status).await.unwrap();
    let [Response::Status(status)] = &answer[..] else { panic!("{answer:?}") };
    let json = serde_json::to_value(status).unwrap();
    assert_eq!((&json["generation"], &json["sessions"], &json["queue"]["messages"]), (&1.into(), &0.into(), &0.into()));
    assert_eq!(
        (&json["sinks"]["gatekeeper"]["state"], &json["sinks"]["gatekeeper"]["faults"]),
        (&"ok".into(), &0.into())
    );
    assert_eq!(json["sinks"]["gatekeeper"]["metrics"], serde_json::json!({"seen": 2}));
    assert_eq!((status.uptime, status.listeners[0].address.as_str()), (600, "127.0.0.1:4711"));
    assert_eq!(site.ask(Request::Reload).await, Ok(vec![Response::Reloaded { generation: 2 }]));
    std::fs::write(site.dir.path().join("sinks.toml"), MANIFEST.replace("native", "natvie")).unwrap();
    let error = site.ask(Request::Reload).await.unwrap_err();
    assert!(error.contains("did you mean `native`?"), "{error}");
    let answer = site.ask(Request::Status).await.unwrap();
    let [Response::Status(status)] = &answer[..] else { panic!("{answer:?}") };
    assert_eq!(status.reload_failure.as_ref().map(|f| f.since), Some(Timestamp(1_000_000)));
    assert_eq!(status.generation, 2);
}

#[tokio::test]
async fn a_message_that_is_sent_is_kept_as_it_came() {
    let mut site = Site::start().await;
    let message = format!("Subject: x\r\n\r\n{}\r\n", "body\r\n".repeat(16_000));
    let id = site.send(&["alice@example.com", "x@elsewhere.example"], &message).await.unwrap();
    let account = site.ops.queue.account(id).unwrap();
    assert_eq!((account.state, account.origin.door.as_str()), (State::Queued, "send"));
    let entry = site.ops.queue.accounts(&|_| true);
    assert_eq!(entry.len(), 1);
    let content = site.ops.intake.spool.open(&crate::spool::StoredContent::whole(id, account.size.unwrap())).unwrap();
    let octets = content.to_bytes().unwrap();
    assert!(octets.starts_with(b"Received: by mx.example.com (Mailsluice) with local id "));
    assert!(octets.ends_with(message.as_bytes()));
}

#[tokio::test]
async fn a_refused_message_is_told_why_and_why_knows_it() {
    let mut site = Site::start().await;
    let big = "x".repeat(8 << 20);
    for (recipients, message, told) in [
        (&["bob@example.com"][..], "A: b\r\n\r\n", "550 5.1.1 <bob@example.com>: No such user here ("),
        (&[], "A: b\r\n\r\n", "554 5.5.1 No recipients were given ("),
        (&["a@x.example", "b@x.example", "c@x.example", "d@x.example"], "A: b\r\n\r\n", "552 5.5.3 Too many"),
        (&["alice@example.com"], &big, "552 5.3.4 The message is larger"),
        (&["alice@example.com"], "A: b\n", "554 5.6.0 The message has a CR or LF"),
        (&["alice@example.com"], &"Received: x\r\n".repeat(51), "554 5.4.6 Too many hops"),
        (&["no@x.example"], "A: b\r\n\r\n", "550 5.7.1 Refused by local policy ("),
    ] {
        let error = site.send(recipients, message).await.unwrap_err();
        assert!(error.starts_with(told), "{error}");
        let id = error.rsplit_once('(').unwrap().1.trim_end_matches(')').parse().unwrap();
        let accounts = site.accounts(why(Some(id))).await;
        assert_eq!((accounts[0].state, accounts[0].reply.as_ref()), (State::Refused, Some(&error)));
        assert_eq!(accounts[0].ledger.entries.len(), 1, "{told}");
    }
    assert_eq!(site.ops.queue.count(), 0);
}

#[tokio::test]
async fn the_queue_is_looked_at_and_changed() {
    let mut site = Site::start().await;
    let a = site.send(&["a@x.example"], "A: b\r\n\r\n").await.unwrap();
    let b = site.send(&["b@y.example"], "A: b\r\n\r\n").await.unwrap();
    let held = site.send(&["hold@y.example"], "A: b\r\n\r\n").await.unwrap();
    let at_y = Filter { domain: Some("y.example".into()), ..Filter::default() };
    assert_eq!(site.queued(Filter::default()).await, [a, b, held]);
    assert_eq!(site.queued(at_y.clone()).await, [b, held]);
    let reason = || Act::Hold { reason: "wait".into() };
    assert_eq!(site.act(reason(), at_y.clone(), true).await, [(b, None), (held, None)]);
    assert_eq!(site.queued(Filter { held: true, ..Filter::default() }).await, [held]);
    assert_eq!(site.act(reason(), Filter { ids: vec![a], ..Filter::default() }, false).await, [(a, None)]);
    assert_eq!(site.queued(Filter { held: true, ..Filter::default() }).await, [a, held]);
    let none = Filter { ids: vec![Id(1), a], ..Filter::default() };
    let acted = site.act(Act::Remove, none, false).await;
    assert_eq!(acted, [(Id(1), Some("0000000000001 is not in the queue".into())), (a, None)]);
    assert_eq!(site.queued(Filter::default()).await, [b, held]);
    let shown = site.accounts(Request::Queue(QueueRequest::Show { id: held })).await;
    assert_eq!((shown[0].state, shown[0].hold.as_deref()), (State::Held, Some("looks odd")));
    let error = site.ask(Request::Queue(QueueRequest::Show { id: a })).await.unwrap_err();
    assert!(error.contains("is not in the queue"), "{error}");
    let told: Vec<_> = site.accounts(why(None)).await.iter().map(|x| (x.id, x.state)).collect();
    assert_eq!(told.len(), 3);
    assert!(told.contains(&(a, State::Removed)) && told.contains(&(held, State::Held)), "{told:?}");
}

#[tokio::test]
async fn why_finds_by_session_too() {
    let site = Site::start().await;
    let mut origin = crate::mail::Origin::door(crate::mail::Door::Smtp);
    origin.session = Some(Id(50));
    for n in [51, 52] {
        let account = Account::of_session(Id(n), Timestamp(n), &origin, crate::event::Ledger::default(), "554".into());
        site.ops.history.note(account);
    }
    let ids: Vec<_> = site.accounts(why(Some(Id(50)))).await.iter().map(|a| a.id.0).collect();
    assert_eq!(ids, [52, 51]);
}

#[tokio::test]
async fn tail_feeds_what_it_is_asked_for_until_the_server_stops() {
    let mut site = Site::start().await;
    let socket = site.socket();
    let filter = Filter { recipient: Some("hold@*".into()), ..Filter::default() };
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let tail = tokio::spawn(blocking(move || {
        let take = |response| told.send(response).map_err(|e| ClientError::Strange(e.to_string()));
        Client::connect(&socket)?.ask(&Request::Tail { filter, sink: None }, take)
    }));
    assert_eq!(heard.recv().await, Some(Response::Following));
    site.send(&["a@x.example"], "A: b\r\n\r\n").await.unwrap();
    let held = site.send(&["hold@y.example"], "A: b\r\n\r\n").await.unwrap();
    let Some(Response::Account(account)) = heard.recv().await else { panic!("no account") };
    assert_eq!(account.id, held);
    site.stopping.cancel();
    tail.await.unwrap().unwrap();
    assert_eq!(heard.recv().await, None);
    let socket = site.socket();
    site.server.await.unwrap();
    let error = blocking(move || ask(&socket, &Request::Status, &[])).await.unwrap_err().to_string();
    assert!(error.starts_with("the server does not run (no socket at "), "{error}");
}

/// Asks over a pair of sockets, as this peer.
async fn as_peer(peer: Peer, line: Vec<u8>) -> Vec<Response> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let site = Site::start().await;
    let (mut near, far) = tokio::net::UnixStream::pair().unwrap();
    let ops = site.ops.clone();
    let server = tokio::spawn(async move {
        let stopping = CancellationToken::new();
        super::server::converse(far, peer, Access::new(None), &ops, &stopping).await
    });
    // A server that does not listen may have closed already.
    let _ = near.write_all(&line).await;
    let _ = near.shutdown().await;
    let mut octets = Vec::new();
    // What was asked and not read resets the connection, behind the answer.
    let _ = near.read_to_end(&mut octets).await;
    server.await.unwrap().unwrap();
    let text = String::from_utf8(octets).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn strangers_are_not_heard_and_nonsense_ends_the_connection() {
    let own = Peer { uid: nix::unistd::geteuid().as_raw(), gid: 0 };
    let answer = as_peer(own, b"\"status\"\n\"status\"\n".to_vec()).await;
    assert_eq!(answer.len(), 4, "two requests on one connection");
    let answer = as_peer(Peer { uid: 4_000_000_001, gid: 4_000_000_001 }, b"\"status\"\n".to_vec()).await;
    let [Response::Failed(text)] = &answer[..] else { panic!("{answer:?}") };
    assert!(text.starts_with("user 4000000001 may not control this server"), "{text}");
    let answer = as_peer(own, b"{\"dance\":{}}\n\"status\"\n".to_vec()).await;
    assert!(matches!(&answer[..], [Response::Failed(text)] if text.contains("another version")), "{answer:?}");
    let endless = vec![b'x'; super::wire::REQUEST_MAX as usize];
    let answer = as_peer(own, endless).await;
    assert!(matches!(&answer[..], [Response::Failed(text)] if text.contains("longer than")), "{answer:?}");
}
