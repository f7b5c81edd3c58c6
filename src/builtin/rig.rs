//! For tests of the native sinks: one sink, opened from its configuration as the manifest does it, behind a real
//! dispatcher, with a session and a transaction to raise events on.

use super::natives;
use crate::config::{Diagnostics, Node, Span};
use crate::event::host::{Kv, KvFault, KvOf, ManualClock, QueueControl, QueueFault, QueueOf, Scope};
use crate::event::rule::compile::compile;
use crate::event::transaction::Candidate;
use crate::event::{
    Answer, Binding, CommandAnswer, Decision, Dispatcher, Env, Event, Files, Focus, Further, Ledger, Registered,
    SessionState, Sink, Stage, Transaction,
};
use crate::kv::{MemoryKv, Quota};
use crate::mail::{
    Door, Envelope, ForwardPath, Id, Message, Origin, Recipient, ReversePath, Role, Standing, Timestamp,
};
use bytes::Bytes;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// A sink and what it hears of.
pub(super) struct Rig {
    pub(super) clock: Arc<ManualClock>,
    pub(super) quota: Quota,
    pub(super) origin: Origin,
    pub(super) session: SessionState,
    pub(super) transaction: Transaction,
    queue: QueueOf,
    /// What the last recipient became.
    pub(super) candidate: Option<Candidate>,
    pub(super) delay: Duration,
    kv: Arc<dyn Kv>,
    name: &'static str,
    folder: tempfile::TempDir,
    sink: Arc<dyn Sink>,
    dispatcher: Dispatcher,
}

impl Rig {
    /// The sink of that name with this configuration.
    pub(super) fn of(name: &'static str, config: &str) -> Self {
        Self::with_files(name, config, &[])
    }

    /// The same, with the right to set the properties of others.
    pub(super) fn importing(name: &'static str, config: &str) -> Self {
        let mut rig = Self::of(name, config);
        let registered = Arc::new(Registered::new(name, rig.sink.clone(), false).with_import(true));
        rig.dispatcher = bound(&registered);
        rig
    }

    /// The same, with files beside the manifest.
    pub(super) fn with_files(name: &'static str, config: &str, files: &[(&str, &str)]) -> Self {
        let quota = Quota { keys: 20, ..Quota::default() };
        let clock = Arc::new(ManualClock::new(NOW));
        Self::on_store(name, config, files, Arc::new(MemoryKv::new(clock.clone(), quota)), clock, quota)
    }

    /// The sink on a store that can be neither read nor written.
    pub(super) fn of_broken_store(name: &'static str, config: &str) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        Self::on_store(name, config, &[], Arc::new(BrokenKv), clock, Quota::default())
    }

    fn on_store(
        name: &'static str,
        config: &str,
        files: &[(&str, &str)],
        kv: Arc<dyn Kv>,
        clock: Arc<ManualClock>,
        quota: Quota,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(path, text)| std::fs::write(folder.path().join(path), text).unwrap());
        let queue = QueueOf::default();
        let mut env = env(name, folder.path(), &kv, &clock, None);
        env.queue = Some(queue.clone());
        let made = build(name, config, &mut env);
        let sink = made.unwrap_or_else(|errors| panic!("{errors}"));
        let mut origin = Origin::door(Door::Smtp);
        origin.role = Some(Role::Mx);
        Self {
            dispatcher: dispatcher(name, &sink),
            transaction: transaction("", &[]),
            session: SessionState::new(Id(1)),
            queue,
            candidate: None,
            delay: Duration::ZERO,
            clock,
            quota,
            origin,
            kv,
            name,
            folder,
            sink,
        }
    }

    /// What is told of a configuration that can't be used.
    pub(super) fn errors(name: &'static str, config: &str) -> String {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(NOW)));
        let kv: Arc<dyn Kv> = Arc::new(BrokenKv);
        match build(name, config, &mut env(name, folder.path(), &kv, &clock, None)) {
            Ok(_) => panic!("accepted: {config}"),
            Err(errors) => errors,
        }
    }

    /// Another configuration, and the sink of before as its predecessor.
    pub(super) fn reload(&mut self, config: &str) {
        let mut env = env(self.name, self.folder.path(), &self.kv, &self.clock, Some(self.sink.clone()));
        self.sink = build(self.name, config, &mut env).unwrap_or_else(|errors| panic!("{errors}"));
        self.dispatcher = dispatcher(self.name, &self.sink);
    }

    /// The queue that the sink steers.
    pub(super) fn queue(&self) -> TestQueue {
        let queue = TestQueue::default();
        let steered: Arc<dyn QueueControl> = queue.0.clone();
        self.queue.is(&steered);
        queue
    }

    /// Raises `in.command`, outside of any transaction, and says what the sink answered.
    pub(super) async fn command(&mut self, verb: &str, argument: &str) -> String {
        let decision = self.command_with(verb, argument, None, false).await;
        match decision {
            Decision::Answer(Answer::Command(CommandAnswer::Reply(reply))) => reply.to_string(),
            decision => told(decision),
        }
    }

    /// The same with what has come since, in a transaction if one is wanted.
    pub(super) async fn command_with(
        &mut self,
        verb: &str,
        argument: &str,
        further: Option<(u32, &[u8])>,
        in_mail: bool,
    ) -> Decision {
        let sink = self.name;
        let further = further.map(|(step, octets)| Further { sink, step, octets });
        let mut stage = Stage::new(&self.origin);
        stage.session = Some(&mut self.session);
        stage.transaction = in_mail.then_some(&mut self.transaction);
        stage.focus = Focus::Verb { verb, argument, further: further.as_ref() };
        self.dispatcher.raise(Event::InCommand, &mut stage).await
    }

    /// Another client.
    pub(super) fn client(&mut self, address: &str) {
        self.origin.client = Some(address.parse().unwrap());
    }

    /// Another transaction.
    pub(super) fn mail(&mut self, sender: &str, recipients: &[&str]) {
        self.transaction = transaction(sender, recipients);
    }

    /// The content of the message.
    pub(super) fn content(&mut self, octets: &'static str) {
        self.transaction.letter_mut().message = Some(Message::from_bytes(Bytes::from_static(octets.as_bytes())));
    }

    /// The header as it is now.
    pub(super) fn header(&self) -> String {
        let message = self.transaction.letter.message.as_ref().unwrap();
        String::from_utf8(message.header.raw().to_vec()).unwrap()
    }

    /// The recipients as they are now.
    pub(super) fn recipients(&self) -> Vec<String> {
        self.transaction.letter.envelope.recipients.iter().map(|r| r.path.as_str().to_owned()).collect()
    }

    /// Raises an event about session and transaction; before MAIL, about the session.
    pub(super) async fn raise(&mut self, event: Event) -> Decision {
        let mail = !matches!(event, Event::InConnect | Event::InHelo);
        let transaction = mail.then_some(&mut self.transaction);
        let focus = Focus::None;
        let mut stage = Stage::new(&self.origin);
        (stage.session, stage.transaction, stage.focus) = (Some(&mut self.session), transaction, focus);
        let decision = self.dispatcher.raise(event, &mut stage).await;
        self.delay = stage.delay;
        decision
    }

    /// The same, as the reply or word that it comes to.
    pub(super) async fn reply(&mut self, event: Event) -> String {
        told(self.raise(event).await)
    }

    /// Raises `in.rcpt` for a local recipient.
    pub(super) async fn rcpt(&mut self, recipient: &str) -> String {
        self.rcpt_standing(recipient, Standing::Local).await
    }

    /// Raises `in.rcpt`.
    pub(super) async fn rcpt_standing(&mut self, recipient: &str, standing: Standing) -> String {
        let recipient = Recipient::new(ForwardPath::parse(recipient).unwrap(), standing);
        let mut candidate = Candidate { recipient, added: Vec::new(), vouched: false };
        let mut stage = Stage::new(&self.origin);
        (stage.session, stage.transaction) = (Some(&mut self.session), Some(&mut self.transaction));
        stage.focus = Focus::Recipient(&mut candidate);
        let decision = self.dispatcher.raise(Event::InRcpt, &mut stage).await;
        self.delay = stage.delay;
        self.candidate = Some(candidate);
        told(decision)
    }
}

fn told(decision: Decision) -> String {
    match decision {
        Decision::Proceed => "ok".to_owned(),
        Decision::Reject(reply) | Decision::Defer(reply, _) => reply.to_string(),
        Decision::Disconnect(reply) => format!("{reply}, and close"),
        Decision::Hold { reason, .. } => format!("hold: {reason}"),
        Decision::Discard => "discard".to_owned(),
        Decision::Answer(answer) => format!("{answer:?}"),
    }
}

fn transaction(sender: &str, recipients: &[&str]) -> Transaction {
    let mut envelope = Envelope::new(ReversePath::parse(sender).unwrap());
    let recipient = |text: &&str| Recipient::new(ForwardPath::parse(text).unwrap(), Standing::Local);
    envelope.recipients = recipients.iter().map(recipient).collect();
    Transaction::new(Id(2), NOW, envelope, Ledger::default())
}

/// Bound to every event that it hears, as a manifest does that names none.
fn dispatcher(name: &str, sink: &Arc<dyn Sink>) -> Dispatcher {
    bound(&Arc::new(Registered::new(name, sink.clone(), false)))
}

fn bound(registered: &Arc<Registered>) -> Dispatcher {
    let events = registered.interest.events.clone();
    Dispatcher::new(events.into_iter().map(|event| Binding::new(registered.clone(), event)).collect())
}

fn env(
    name: &str,
    folder: &Path,
    kv: &Arc<dyn Kv>,
    clock: &Arc<ManualClock>,
    predecessor: Option<Arc<dyn Sink>>,
) -> Env {
    Env {
        name: name.into(),
        kv: KvOf::new(kv.clone(), name),
        clock: clock.clone(),
        dns: None,
        http: None,
        metrics: None,
        queue: Some(QueueOf::default()),
        files: Files::new(folder),
        tables: Default::default(),
        predecessor,
    }
}

fn build(name: &str, config: &str, env: &mut Env) -> Result<Arc<dyn Sink>, String> {
    let mut found = Diagnostics::default();
    let id = found.sources.add("sinks.toml", config);
    let root = crate::config::parse(id, &mut found).unwrap_or_else(|| panic!("not TOML: {config}\n{found}"));
    let natives = natives();
    let sink = natives.get(name).unwrap().build(Some(&root), Span::new(id, 0..0), env, &mut found);
    sink.filter(|_| found.is_empty()).ok_or_else(|| found.to_string())
}

/// Opens every sink of a manifest and compiles its rules, and says how many sinks there were.
pub(super) fn open_manifest(text: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("lists")).unwrap();
    let (clock, kv): (_, Arc<dyn Kv>) = (Arc::new(ManualClock::new(NOW)), Arc::new(BrokenKv));
    let mut found = Diagnostics::default();
    let id = found.sources.add("sinks.toml", text);
    let root = crate::config::parse(id, &mut found).unwrap_or_else(|| panic!("{found}"));
    let sinks = root.as_table().unwrap().get("sink").unwrap().node.as_array().unwrap();
    for sink in sinks {
        let get = |node: &Node, key| node.as_table()?.get(key).map(|field| field.node.clone());
        let mut env = env("sink", folder.path(), &kv, &clock, None);
        for list in text.split('"').filter_map(|text| text.strip_prefix('@')) {
            std::fs::write(folder.path().join(list), "").unwrap();
        }
        let native = get(sink, "native").unwrap();
        let factory = natives().get(native.as_str().unwrap()).unwrap().clone();
        let made = factory.build(get(sink, "config").as_ref(), sink.span, &mut env, &mut found);
        let interest = made.map(|sink| sink.interest()).unwrap_or_default();
        for on in get(sink, "on").iter().filter_map(Node::as_array).flatten() {
            let event = get(on, "event").and_then(|name| Event::by_name(name.as_str()?)).unwrap();
            assert!(interest.events.contains(&event), "{event} is not heard\n{found}");
            get(on, "when").map(|when| compile(&when, Some(event), &mut env.files, &mut found));
        }
    }
    assert!(found.is_empty(), "{found}");
    sinks.len()
}

/// A queue that holds so many messages for whomever, or is not there; it is gone when this is.
#[derive(Default)]
pub(super) struct TestQueue(Arc<Steered>);

#[derive(Default)]
struct Steered(Mutex<(usize, Option<QueueFault>, Vec<String>)>);

impl TestQueue {
    /// So many messages for whomever.
    pub(super) fn holds(&self, messages: usize) {
        self.0.0.lock().unwrap().0 = messages;
    }

    /// It can't be steered.
    pub(super) fn fails(&self, fault: QueueFault) {
        self.0.0.lock().unwrap().1 = Some(fault);
    }

    /// What was started so far.
    pub(super) fn started(&self) -> Vec<String> {
        self.0.0.lock().unwrap().2.clone()
    }
}

#[async_trait::async_trait]
impl QueueControl for Steered {
    async fn start(&self, scopes: &[Scope], _: &str) -> Result<usize, QueueFault> {
        let mut state = self.0.lock().unwrap();
        state.2.extend(scopes.iter().map(Scope::to_string));
        state.1.clone().map_or(Ok(state.0), Err)
    }
    fn waiting(&self, _: &[Scope]) -> usize {
        self.0.lock().unwrap().0
    }
}

/// A store whose disk is gone.
#[derive(Debug)]
struct BrokenKv;

fn broken<T>() -> Result<T, KvFault> {
    Err(KvFault::Unavailable("the disk is gone".into()))
}

impl Kv for BrokenKv {
    fn get(&self, _: &str, _: &str) -> Result<Option<Bytes>, KvFault> {
        broken()
    }
    fn set(&self, _: &str, _: &str, _: &[u8], _: Option<Duration>) -> Result<(), KvFault> {
        broken()
    }
    fn remove(&self, _: &str, _: &str) -> Result<(), KvFault> {
        broken()
    }
    fn increment(&self, _: &str, _: &str, _: i64, _: Option<Duration>) -> Result<i64, KvFault> {
        broken()
    }
    fn compare_and_set(
        &self,
        _: &str,
        _: &str,
        _: Option<&[u8]>,
        _: Option<&[u8]>,
        _: Option<Duration>,
    ) -> Result<bool, KvFault> {
        broken()
    }
    fn flush(&self) -> Result<(), KvFault> {
        broken()
    }
}
