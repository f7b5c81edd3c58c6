//! A server in the test's own process: the rooms that `serve` wires, on a spool, a clock and native sinks of the test's choice.
//!
//! ```text
//! let inside = Plan::new(Site::PLAIN).start();     // a manifest with `manifest`, natives with `native`
//! SmtpClient::greeted(inside.address(0));          // a real listener on a port of its own
//! inside.kept();                                   // what the spool holds
//! ```
//!
//! Nothing here hears signals, reloads or locks: that is the real binary's, in `server`.

use crate::server::arrived;
use crate::wait::eventually;
use mailsluice::config::Settings;
use mailsluice::directory::Verify;
use mailsluice::disk::{Disk, Files};
use mailsluice::event::Natives;
use mailsluice::event::host::{Clock, QueueControl, Resolver, SystemClock, Turnaround, ZoneTable};
use mailsluice::intake::{Account, Badmail, History, Intake, history::Keep};
use mailsluice::kv::{MemoryKv, Quota};
use mailsluice::mail::{Id, IdSource};
use mailsluice::manifest::build::{Workshop, natives};
use mailsluice::manifest::load::{Inputs, load};
use mailsluice::server::{self, Gate, Logins, Room, Server};
use mailsluice::snapshot::Current;
use mailsluice::spool::{Claim, Entry, MemorySpool, NodeId, Spool};
use mailsluice::transport::deliver::{Means, Network};
use mailsluice::transport::security::Advisor;
use mailsluice::transport::security::reports::Collector;
use mailsluice::transport::{Operation, Queue, on_demand::OnDemand, pipeline::Pipeline, verify::Prober};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a test wants of its server.
pub(crate) struct Plan {
    config: String,
    /// Files beside it.
    beside: Vec<(String, String)>,
    manifest: String,
    natives: Natives,
    adjust: Box<dyn FnOnce(&mut Settings)>,
    spool: Arc<dyn Spool>,
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
    delivers: bool,
    resolver: Arc<dyn Resolver>,
    network: Option<Arc<dyn Network>>,
    advisor: Advisor,
    collector: Option<Collector>,
}

impl Plan {
    /// A server with this `mailsluice.toml`, `hostname` put in front of it; with the sinks that ship, none of them in force.
    pub(crate) fn new(config: &str) -> Self {
        Self {
            config: format!("hostname = \"mx.example.com\"\n{config}"),
            beside: Vec::new(),
            manifest: String::new(),
            natives: natives(),
            adjust: Box::new(|_| {}),
            spool: Arc::new(MemorySpool::new()),
            files: Arc::new(Disk),
            clock: Arc::new(SystemClock),
            delivers: true,
            resolver: Arc::new(ZoneTable::default()),
            network: None,
            advisor: Advisor::default(),
            collector: None,
        }
    }

    /// Hosts are found by this resolver, and reached over this network.
    pub(crate) fn internet(mut self, resolver: Arc<dyn Resolver>, network: Arc<dyn Network>) -> Self {
        self.resolver = resolver;
        self.network = Some(network);
        self
    }

    /// This file beside the configuration.
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.beside.push((name.to_owned(), text.to_owned()));
        self
    }

    /// What hosts have to prove, this one says.
    pub(crate) fn advisor(mut self, advisor: Advisor) -> Self {
        self.advisor = advisor;
        self
    }

    /// What comes of TLS is counted here, if the configuration wants reports.
    pub(crate) fn counting(mut self, collector: Collector) -> Self {
        self.collector = Some(collector);
        self
    }

    /// This manifest in force.
    pub(crate) fn manifest(mut self, text: &str) -> Self {
        text.clone_into(&mut self.manifest);
        self
    }

    /// More native sinks for the manifest to name.
    pub(crate) fn natives(mut self, with: impl FnOnce(Natives) -> Natives) -> Self {
        self.natives = with(self.natives);
        self
    }

    /// Changes of the settings that no configuration could ask for.
    pub(crate) fn adjust(mut self, with: impl FnOnce(&mut Settings) + 'static) -> Self {
        self.adjust = Box::new(with);
        self
    }

    /// This spool instead of one in memory.
    pub(crate) fn spool(mut self, spool: Arc<dyn Spool>) -> Self {
        self.spool = spool;
        self
    }

    /// Local deliveries and badmail go to these files.
    pub(crate) fn files(mut self, files: Arc<dyn Files>) -> Self {
        self.files = files;
        self
    }

    /// This clock for whatever decides by the time of day.
    pub(crate) fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What is accepted stays in the queue.
    pub(crate) fn delivers_nothing(mut self) -> Self {
        self.delivers = false;
        self
    }

    /// Starts it on a runtime of its own.
    pub(crate) fn start(self) -> Inside {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        // Its threads log where the test's does, to their end.
        let log = tracing::dispatcher::get_default(Clone::clone);
        runtime.on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&log)));
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        let mut inside = runtime.block_on(self.open());
        inside.runtime = Some(runtime);
        inside
    }

    /// Starts it on the runtime of the caller.
    pub(crate) async fn open(self) -> Inside {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("mailsluice.toml"), &self.config).unwrap();
        std::fs::write(path("sinks.toml"), &self.manifest).unwrap();
        for (name, text) in &self.beside {
            std::fs::write(path(name), text).unwrap();
        }
        let clock = self.clock;
        let kv = Arc::new(MemoryKv::new(clock.clone(), Quota::default()));
        let workshop = Workshop::new(self.natives, kv, clock.clone());
        let mut load = load(&path("mailsluice.toml"), &workshop, &[], &mut Inputs::default())
            .unwrap_or_else(|found| panic!("the test's configuration is wrong:\n{found}"));
        (self.adjust)(&mut load.settings);
        std::fs::create_dir_all(&load.settings.data_dir).unwrap();
        let (snapshot, _) = load.into_snapshot(1).unwrap();
        let current = Arc::new(Current::new(snapshot));

        let Claim { fence, newest, found } = self.spool.claim(NodeId(0)).await.unwrap();
        let keep = Keep { size: 1 << 20, time: Duration::from_secs(3600) };
        let history = Arc::new(History::open(&path("history"), keep).unwrap());
        let ids = Arc::new(IdSource::default());
        ids.skip_to(newest);
        let stores = (self.spool.clone(), fence, history.clone());
        let badmail = Badmail::new(current.pin().settings.data_dir.join("badmail"), self.files.clone());
        let badmail = Arc::new(badmail);
        let queue = Queue::new(stores.0, stores.1, stores.2, current.clone(), clock.clone(), ids.clone(), badmail);
        let queue = Arc::new(queue);
        queue.add(found.all().await.unwrap());
        let feed = queue.clone();
        let hand_over = Box::new(move |entry, content| feed.put(entry, content));
        let stopping = CancellationToken::new();
        let intake = Arc::new(Intake {
            spool: self.spool.clone(),
            fence,
            history,
            ids,
            clock,
            queue: hand_over,
            stopping: stopping.clone(),
        });
        let means = match self.network {
            Some(network) => Means::new(self.files).over(network),
            None => Means::new(self.files),
        };
        let advisor = match self.collector {
            Some(collector) => self.advisor.counting(collector, intake.clock.clone(), current.clone()),
            None => self.advisor,
        };
        let means = means.advised(advisor);
        let pipeline = Pipeline::new(queue.clone(), means, self.resolver, stopping.clone());
        let (gate, room, tasks) = (Arc::new(Gate::default()), Room::default(), TaskTracker::new());
        let verify: Option<Arc<dyn Verify>> = Some(Arc::new(Prober::new(pipeline.clone())));
        let on_demand = OnDemand::new(pipeline.clone());
        let steered: Arc<dyn QueueControl> = on_demand.clone();
        workshop.queue.is(&steered);
        let turnaround: Option<Arc<dyn Turnaround>> = Some(on_demand);
        let server = Arc::new(Server {
            current,
            intake,
            gate,
            room,
            verify,
            logins: Logins::default(),
            handshakes: Arc::default(),
            challenges: Arc::default(),
            turnaround,
            stopping,
            tasks,
        });
        let spool = self.spool;
        let mut inside = Inside { server, queue, spool, workshop, addresses: Vec::new(), dir, runtime: None };
        if self.delivers {
            tokio::spawn(pipeline.run(inside.server.tasks.clone()));
        }
        inside.listen().await;
        inside
    }
}

/// A running server.
pub(crate) struct Inside {
    pub(crate) server: Arc<Server>,
    pub(crate) queue: Arc<Queue>,
    spool: Arc<dyn Spool>,
    workshop: Workshop,
    addresses: Vec<SocketAddr>,
    dir: TempDir,
    runtime: Option<Runtime>,
}

impl Inside {
    async fn listen(&mut self) {
        for index in 0..self.server.current.pin().settings.listeners.len() {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            self.addresses.push(listener.local_addr().unwrap());
            tokio::spawn(server::run(self.server.clone(), listener, index));
        }
    }

    /// The bound address of a listener, counted as in the configuration.
    pub(crate) fn address(&self, listener: usize) -> SocketAddr {
        self.addresses[listener]
    }

    /// Where the server writes.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.server.current.pin().settings.data_dir.clone()
    }

    /// Waits until a local user has so many messages, and returns them as text.
    pub(crate) fn arrived(&self, user: &str, count: usize) -> Vec<String> {
        let messages = arrived(&self.data_dir(), "example.com", user, count);
        messages.into_iter().map(|octets| String::from_utf8(octets).unwrap()).collect()
    }

    /// Another manifest, as by a reload.
    pub(crate) fn put_in_force(&self, manifest: &str) {
        std::fs::write(self.dir.path().join("sinks.toml"), manifest).unwrap();
        self.reload();
    }

    fn reload(&self) {
        let config = self.dir.path().join("mailsluice.toml");
        let load = load(&config, &self.workshop, &[], &mut Inputs::default()).unwrap_or_else(|e| panic!("{e}"));
        let current = &self.server.current;
        current.swap(load.into_snapshot(current.pin().generation + 1).unwrap().0);
    }

    /// Another configuration, `hostname` put in front of it, as by a reload.
    pub(crate) fn reconfigure(&self, config: &str) {
        let config = format!("hostname = \"mx.example.com\"\n{config}");
        std::fs::write(self.dir.path().join("mailsluice.toml"), config).unwrap();
        self.reload();
    }

    /// The queue, as sinks steer it.
    pub(crate) fn steered(&self) -> Arc<dyn QueueControl> {
        self.workshop.queue.get().expect("a queue")
    }

    /// Waits on the server's own runtime.
    pub(crate) fn wait<F: Future>(&self, what: F) -> F::Output {
        self.runtime.as_ref().expect("a server with a runtime of its own").block_on(what)
    }

    /// Everything in the spool, oldest first. Nothing is committed by this server any more.
    pub(crate) async fn kept(&self) -> Vec<(Entry, Vec<u8>)> {
        let found = self.spool.claim(NodeId(0)).await.unwrap().found.all().await.unwrap();
        let octets = |entry: &Entry| self.spool.open(&entry.content).unwrap().to_bytes().unwrap().to_vec();
        let entries = found.into_iter().map(|outline| self.spool.entry(outline.id).unwrap());
        entries.map(|entry| (entry.clone(), octets(&entry))).collect()
    }

    /// The account of a message, in the queue or of the past, as soon as there is one.
    pub(crate) fn account(&self, id: &str) -> Account {
        let id: Id = id.parse().unwrap_or_else(|_| panic!("no id: {id}"));
        let history = &self.server.intake.history;
        eventually("an account", || self.queue.account(id).or_else(|| history.get(id).unwrap()))
    }

    /// What an operator does to a message.
    pub(crate) fn operate(&self, id: &str, operation: &Operation) -> Result<(), String> {
        let id: Id = id.parse().unwrap_or_else(|_| panic!("no id: {id}"));
        self.wait(self.queue.operate(&[id], operation)).remove(0).1
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.server.stopping.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}
