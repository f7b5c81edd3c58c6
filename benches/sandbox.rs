//! What the sandbox costs beside the native path: an SMTP command, a message with three host calls, on an instance that is used
//! again and on a fresh one, on one thread and on two, and the same in a script.
//!
//! One iteration is one event, dispatched as the server does it. Run alone by `cargo bench --bench sandbox`; it builds its guest
//! for wasm32-unknown-unknown.

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use mailsluice::config::Secrets;
use mailsluice::event::host::{Journal, SinkLog, SystemClock};
use mailsluice::event::transaction::Candidate;
use mailsluice::event::{
    Binding, Decision, Dispatcher, Event, Fault, Focus, Heard, Ledger, On, Registered, Reuse, Ruling, SessionState,
    Sink, Stage, Transaction, on,
};
use mailsluice::mail::{
    Door, Envelope, ForwardPath, Id, Message, Origin, Recipient, ReversePath, Role, Standing, Timestamp,
};
use mailsluice::wasm::{Compiler, Grants, Limits, Sandbox, Terms};
use std::collections::BTreeMap;
use std::future::Future;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle};

const SCRIPT: &[u8] =
    b"export function onArrival(message) { message.sender; message.size; message.header('Subject'); }";

/// The native twin of the guest.
struct Native;

impl On<on::InRcpt> for Native {
    fn on(&self, _: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        Ok(Ruling::next())
    }
}

impl On<on::TransportSubmit> for Native {
    fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        let subject = heard.header().and_then(|header| header.get("Subject"));
        black_box((heard.sender(), heard.size(), subject));
        Ok(Ruling::next())
    }
}

mailsluice::hears!(Native { InRcpt: now, TransportSubmit: now });

/// Builds the guest, in a folder of its own so that the outer build is not waited for.
fn guest() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = target.join("bench-guest");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--target", "wasm32-unknown-unknown", "--target-dir"]).arg(&target);
    cargo.current_dir(root.join("bench/guest"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_") && name != "CARGO_HOME" || name.starts_with("RUSTFLAGS") {
            cargo.env_remove(name);
        }
    }
    assert!(cargo.status().expect("cargo runs").success(), "the guest does not build");
    std::fs::read(target.join("wasm32-unknown-unknown/release/bench_guest.wasm")).expect("the guest was built")
}

fn terms(reuse: Reuse) -> Terms {
    Terms {
        name: "bench".into(),
        config: "{}".into(),
        tables: BTreeMap::new(),
        reuse,
        limits: Limits::default(),
        grants: Grants::default(),
        log: Arc::new(SinkLog::new("bench", Journal::default(), Secrets::default())),
        clock: Arc::new(SystemClock),
    }
}

fn dispatcher(event: Event, sink: impl Sink) -> Dispatcher {
    let sink = Arc::new(Registered::new("bench", Arc::new(sink), false));
    Dispatcher::new(vec![Binding::new(sink, event)])
}

/// What the core lends.
struct World {
    origin: Origin,
    session: SessionState,
    transaction: Transaction,
    candidate: Candidate,
}

impl World {
    fn new() -> Self {
        let mut origin = Origin::door(Door::Smtp);
        origin.role = Some(Role::Mx);
        origin.client = "192.0.2.1".parse().ok();
        origin.helo = Some("mx.example.org".into());
        let sender = ReversePath::parse("bob@example.org").expect("an address");
        let path = ForwardPath::parse("alice@example.com").expect("an address");
        let recipient = Recipient::new(path, Standing::Local);
        let mut transaction = Transaction::new(Id(2), Timestamp(0), Envelope::new(sender), Ledger::default());
        let octets = Bytes::from(format!("From: bob@example.org\r\nSubject: hello\r\n\r\n{}", "text\r\n".repeat(700)));
        let letter = transaction.letter_mut();
        letter.message = Some(Message::from_bytes(octets));
        letter.envelope.recipients.push(recipient.clone());
        let candidate = Candidate { recipient, added: Vec::new(), vouched: false };
        Self { origin, session: SessionState::new(Id(1)), transaction, candidate }
    }

    fn raise(&mut self, dispatcher: &Dispatcher, event: Event) {
        let focus = if event == Event::InRcpt { Focus::Recipient(&mut self.candidate) } else { Focus::None };
        let mut stage = Stage {
            origin: &self.origin,
            session: Some(&mut self.session),
            transaction: Some(&mut self.transaction),
            focus,
            delay: Duration::ZERO,
            answered: None,
        };
        let decision = polled(dispatcher.raise(event, &mut stage));
        assert_eq!(decision, Decision::Proceed, "{:?}", self.transaction.ledger.entries.last());
        self.transaction.ledger.entries.clear();
    }
}

/// Polls until it is ready: what interrupts a guest lets it go on at once.
fn polled<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// How long it takes two threads to do half of the events each.
fn by_two(runtime: &Handle, dispatcher: &Dispatcher, event: Event, events: u64) -> Duration {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let _inside = runtime.enter();
                let mut world = World::new();
                (0..events.div_ceil(2)).for_each(|_| world.raise(dispatcher, event));
            });
        }
    });
    began.elapsed()
}

fn sandbox(c: &mut Criterion) {
    // A call that is interrupted has a deadline, which a runtime keeps.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let sandbox = Arc::new(Sandbox::new(None, Compiler::Here).expect("a sandbox"));
    let guest = guest();
    let module = |reuse| sandbox.module(&guest, terms(reuse)).unwrap_or_else(|why| panic!("{why:?}"));
    let source = || Box::new(|_: &Path| Ok(SCRIPT.to_vec()));
    let script = |reuse| sandbox.script("bench.js", source(), terms(reuse)).unwrap_or_else(|why| panic!("{why:?}"));
    let (command, message) = (Event::InRcpt, Event::TransportSubmit);
    let rows = [
        ("command, native", command, dispatcher(command, Native)),
        ("command, module, pool", command, dispatcher(command, module(Reuse::Pool))),
        ("command, module, fresh", command, dispatcher(command, module(Reuse::Call))),
        ("message, native", message, dispatcher(message, Native)),
        ("message, module, pool", message, dispatcher(message, module(Reuse::Pool))),
        ("message, module, fresh", message, dispatcher(message, module(Reuse::Call))),
        ("message, script, pool", message, dispatcher(message, script(Reuse::Pool))),
        ("message, script, fresh", message, dispatcher(message, script(Reuse::Call))),
    ];
    let mut group = c.benchmark_group("sandbox");
    for (name, event, dispatcher) in &rows {
        let mut world = World::new();
        group.bench_function(*name, |b| b.iter(|| world.raise(black_box(dispatcher), *event)));
    }
    for (name, event, dispatcher) in rows.iter().filter(|(name, ..)| !name.ends_with("native")) {
        let name = format!("{name}, two threads");
        group.bench_function(name, |b| b.iter_custom(|events| by_two(runtime.handle(), dispatcher, *event, events)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = sandbox
}
criterion_main!(benches);
