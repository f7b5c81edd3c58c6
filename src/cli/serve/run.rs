//! The running server: stores opened, rooms wired, signals heard, everything ended in order.

use super::Options;
use super::certificates::{self, Doors, Rooms};
use super::start::{Opened, Prepared};
use crate::acme::Board;
use crate::admin::{self, Bound, Ops};
use crate::cli::world;
use crate::config::{Diagnostics, Settings};
use crate::disk::Disk;
use crate::event::host::{Clock, Kv, QueueControl, SystemClock};
use crate::event::{Event, Natives, Stage};
use crate::intake::{Badmail, History, Intake, history::Keep};
use crate::kv::{Quota, Store};
use crate::mail::{Door, IdSource, Origin};
use crate::manifest::build::{Loaded, Workshop};
use crate::manifest::load::{Inputs, Load, load_with, read_manifest};
use crate::manifest::reload::{Reloader, keep_manifest};
use crate::manifest::{keep, watch};
use crate::pickup;
use crate::server::{self, Gate, Room, Server};
use crate::snapshot::{Current, Snapshot};
use crate::spool::{Claim, Found, NodeId, SegmentLog, Spool, log};
use crate::transport::security::reports::{Collector, Kept, Reporter};
use crate::transport::traffic;
use crate::transport::{Queue, deliver::Means, on_demand::OnDemand, pipeline::Pipeline, verify::Prober};
use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What runs when the server begins to stop may take this long.
const DRAIN: Duration = Duration::from_secs(20);

/// And then what sinks are still to be told, this long.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves until told to stop.
pub(super) fn run(options: Options, natives: Natives, prepared: Prepared) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("cannot start the runtime: {e}"))?;
    let Prepared { lock, opened } = prepared;
    let result = runtime.block_on(live(&options, natives, opened));
    // A blocking call of a sink that never returns must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    // Only now does nothing of this process touch data-dir any more.
    drop(lock);
    result
}

/// From the start to the end. A server that is told to stop while it starts has nothing to finish.
async fn live(options: &Options, natives: Natives, opened: Opened) -> Result<(), String> {
    // Before `ready` is printed: whoever reads that may send a signal at once.
    let hangups = hear(SignalKind::hangup())?;
    let mut end = End { term: hear(SignalKind::terminate())?, int: hear(SignalKind::interrupt())? };
    let running = tokio::select! {
        started = Running::start(options, natives, opened) => started?,
        () = end.told() => return Ok(()),
    };
    running.workers.spawn(reload_when_told(hangups, running.reloader.clone(), running.stopping.clone()));
    end.told().await;
    running.stop().await;
    Ok(())
}

fn hear(kind: SignalKind) -> Result<Signal, String> {
    signal(kind).map_err(|e| format!("cannot hear signals: {e}"))
}

/// The signals that end the server.
struct End {
    term: Signal,
    int: Signal,
}

impl End {
    /// Waits for SIGTERM or SIGINT.
    async fn told(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// Reloads at each SIGHUP. A task of its own: a reload may take long, and the end is heard meanwhile.
async fn reload_when_told(mut hangups: Signal, reloader: Arc<Reloader>, stopping: CancellationToken) {
    loop {
        tokio::select! {
            _ = hangups.recv() => {}
            () = stopping.cancelled() => return,
        }
        // The reloader logs how it went.
        let _ = reloader.reload().await;
    }
}

/// The rooms of a running server.
struct Running {
    server: Arc<Server>,
    reloader: Arc<Reloader>,
    current: Arc<Current>,
    board: Arc<Board>,
    stopping: CancellationToken,
    passes: TaskTracker,
    workers: TaskTracker,
}

impl Running {
    async fn start(options: &Options, natives: Natives, opened: Opened) -> Result<Self, String> {
        let Opened { settings, found, inputs, sockets, doors, control } = opened;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let kv = Store::open(&settings.data_dir, clock.clone(), Quota::default()).map_err(|e| e.to_string())?;
        let kv: Arc<dyn Kv> = Arc::new(kv);
        let collector = Collector::default();
        let kept = Kept::under(&settings.data_dir);
        kept.resume(&collector);
        let advisor = world::advisor(kv.clone(), clock.clone());
        let mut workshop = world::workshop(natives, kv, clock.clone());
        let workshop_http = workshop.http.clone();
        world::keep_compiled(&mut workshop, &settings.data_dir);
        let (snapshot, loaded, inputs) = first_snapshot(options, (settings.clone(), found), inputs, &workshop)?;
        let current = Arc::new(Current::new(snapshot));
        let advisor = advisor.counting(collector.clone(), clock.clone(), current.clone());
        let stopping = CancellationToken::new();
        let (intake, queue) = stores(&settings, clock, current.clone(), &stopping).await?;
        let reporter = Reporter {
            collector,
            kept: Some(kept),
            resolver: world::resolver(),
            http: workshop_http,
            sts: advisor.sts(),
            intake: intake.clone(),
            current: current.clone(),
        };
        let means = Means::new(Arc::new(Disk)).advised(advisor);
        let pipeline = Pipeline::new(queue.clone(), means, world::resolver(), stopping.clone());
        let on_demand = OnDemand::new(pipeline.clone());
        let steered: Arc<dyn QueueControl> = on_demand.clone();
        workshop.queue.is(&steered);
        let server = Arc::new(Server {
            current: current.clone(),
            intake: intake.clone(),
            gate: Arc::new(Gate::default()),
            room: Room::default(),
            verify: Some(Arc::new(Prober::new(pipeline.clone()))),
            logins: world::logins(),
            handshakes: Arc::default(),
            challenges: Arc::default(),
            turnaround: Some(on_demand),
            stopping: stopping.clone(),
            tasks: TaskTracker::new(),
        });
        let reloader = Arc::new(Reloader::new(options.config.clone(), workshop, current.clone(), loaded, inputs));
        let (board, passes, workers) = (Arc::default(), TaskTracker::new(), TaskTracker::new());
        let running = Self { server, reloader, current, board, stopping, passes, workers };
        running.control(&queue, &sockets, control)?;
        running.work(pipeline, &settings);
        // Among what is waited for at the end: it keeps what was counted.
        running.server.tasks.spawn(reporter.run(running.stopping.clone()));
        running.pick_up();
        running.listen(sockets)?;
        running.fetch(doors)?;
        Ok(running)
    }

    /// The tasks behind the listeners.
    fn work(&self, pipeline: Arc<Pipeline>, settings: &Settings) {
        self.workers.spawn(pipeline.run(self.passes.clone()));
        if settings.reload.watch {
            self.workers.spawn(watch::watch(self.reloader.clone(), self.stopping.clone()));
        }
    }

    /// The pickup directory. What is on its way through it is among what is waited for at the end.
    fn pick_up(&self) {
        let Server { current, intake, stopping, tasks, .. } = &*self.server;
        tasks.spawn(pickup::run(current.clone(), intake.clone(), stopping.clone()));
    }

    /// The control socket, and what operators have suspended before. It is served before `ready` is printed, and among what is waited for at the end.
    fn control(&self, queue: &Arc<Queue>, sockets: &[std::net::TcpListener], control: Bound) -> Result<(), String> {
        let addresses = sockets.iter().map(std::net::TcpListener::local_addr).collect::<Result<_, _>>();
        let intake = self.server.intake.clone();
        let suspensions = traffic::Kept::open(queue.governor.clone(), &self.current.pin().settings.data_dir);
        let ops = Ops {
            suspensions: Arc::new(
                suspensions.map_err(|e| format!("{e}; mend it, or remove it: then nothing is suspended"))?,
            ),
            current: self.current.clone(),
            history: intake.history.clone(),
            queue: queue.clone(),
            started: intake.clock.now(),
            intake,
            gate: self.server.gate.clone(),
            lockout: self.server.logins.lockout.clone(),
            handshakes: self.server.handshakes.clone(),
            certificates: self.board.clone(),
            reload: self.reloader.clone(),
            addresses: addresses.map_err(|e| format!("cannot listen: {e}"))?,
        };
        let socket = control.open().map_err(|e| format!("cannot serve the control socket: {e}"))?;
        self.server.tasks.spawn(admin::run(socket, Arc::new(ops), self.stopping.clone()));
        Ok(())
    }

    /// The certificates that are fetched, and the sockets at which their authorities look.
    fn fetch(&self, doors: Doors) -> Result<(), String> {
        let rooms = Rooms {
            current: self.current.clone(),
            clock: self.server.intake.clock.clone(),
            reloader: self.reloader.clone(),
            challenges: self.server.challenges.clone(),
            board: self.board.clone(),
        };
        certificates::begin(doors, rooms, &self.workers, &self.stopping)
    }

    /// Begins to accept, and says so.
    fn listen(&self, sockets: Vec<std::net::TcpListener>) -> Result<(), String> {
        let mut ready = String::from("ready");
        for (index, socket) in sockets.into_iter().enumerate() {
            let socket = TcpListener::from_std(socket).map_err(|e| format!("cannot listen: {e}"))?;
            let address = socket.local_addr().map_err(|e| format!("cannot listen: {e}"))?;
            ready.push_str(&format!(" {address}"));
            self.workers.spawn(server::run(self.server.clone(), socket, index));
        }
        self.tell(Event::ServerStart);
        let mut out = std::io::stdout().lock();
        // Whoever closed standard output does not wait for it.
        let _ = writeln!(out, "{ready}").and_then(|()| out.flush());
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "{ready}");
        Ok(())
    }

    /// Stops accepting, lets finish what runs within a time, and leaves the rest to the next start.
    async fn stop(&self) {
        tracing::info!(sessions = self.server.gate.count(), "stopping");
        self.tell(Event::ServerShutdown);
        self.stopping.cancel();
        for tracker in [&self.server.tasks, &self.passes] {
            tracker.close();
            if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
                tracing::warn!(
                    left = tracker.len(),
                    "gave up waiting; what was not finished goes on at the next start"
                );
            }
        }
        let snapshot = self.current.pin();
        let heard = async {
            for sink in &snapshot.sinks {
                sink.drained().await;
            }
        };
        if tokio::time::timeout(LAST_WORDS, heard).await.is_err() {
            tracing::warn!("gave up waiting for sinks; they have not heard everything that was to be told");
        }
        tracing::info!("stopped");
    }

    fn tell(&self, event: Event) {
        let origin = Origin::door(Door::Sink);
        self.current.pin().dispatcher.tell(event, &Stage::new(&origin));
    }
}

/// The spool, what it holds, and the door to it.
async fn stores(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    current: Arc<Current>,
    stopping: &CancellationToken,
) -> Result<(Arc<Intake>, Arc<Queue>), String> {
    let (folder, options) = (settings.data_dir.join("spool"), spool_options(settings));
    let open = tokio::task::spawn_blocking(move || SegmentLog::open(&folder, options));
    let spool = open.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    let spool: Arc<dyn Spool> = Arc::new(spool);
    let Claim { fence, newest, found } = spool.claim(NodeId(0)).await.map_err(|e| e.to_string())?;
    let keep = Keep { size: settings.ledger.size, time: settings.ledger.keep };
    let history = Arc::new(history(&settings.data_dir.join("history"), keep)?);
    let ids = Arc::new(IdSource::default());
    ids.skip_to(newest);
    let badmail = Arc::new(Badmail::under(&settings.data_dir));
    let stores = (spool.clone(), fence, history.clone());
    let queue = Queue::new(stores.0, stores.1, stores.2, current, clock.clone(), ids.clone(), badmail);
    let queue = Arc::new(queue);
    // New mail is accepted before all that was there is known.
    tokio::spawn(add_found(queue.clone(), found));
    let feed = queue.clone();
    let hand_over = Box::new(move |entry, content| feed.put(entry, content));
    let intake = Arc::new(Intake { spool, fence, history, ids, clock, queue: hand_over, stopping: stopping.clone() });
    Ok((intake, queue))
}

async fn add_found(queue: Arc<Queue>, found: Found) {
    match found.all().await {
        Ok(found) => {
            if !found.is_empty() {
                tracing::info!(messages = found.len(), "found in the spool");
            }
            queue.add(found);
        }
        // The server stops, and has said why.
        Err(fault) => tracing::debug!(%fault, "what was in the spool was not found before the end"),
    }
}

/// The history tells who wrote to whom: its folder is nobody else's.
fn history(folder: &Path, keep: Keep) -> Result<History, String> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.and_then(|()| History::open(folder, keep)).map_err(|e| format!("cannot open the history: {e}"))
}

fn spool_options(settings: &Settings) -> log::Options {
    let drafts_memory = usize::try_from(settings.limits.draft_memory).unwrap_or(usize::MAX);
    log::Options { drafts_memory, ..log::Options::default() }
}

/// The snapshot to start with: of the manifest as it is, or of the last one that was good. The settings are those that were
/// read before privileges were dropped: another reading could find other ones, or none.
fn first_snapshot(
    options: &Options,
    (settings, found): (Settings, Diagnostics),
    mut inputs: Inputs,
    workshop: &Workshop,
) -> Result<(Snapshot, Vec<Loaded>, Inputs), String> {
    let why = match load_with(settings.clone(), found, workshop, &[], &mut inputs) {
        Ok(load) => {
            for warning in load.found.iter() {
                tracing::warn!("{}", load.found.render(warning));
            }
            let (snapshot, loaded) = load.into_snapshot(1)?;
            keep_manifest(&snapshot, &inputs);
            return Ok((snapshot, loaded, inputs));
        }
        Err(found) => found.to_string(),
    };
    let fallback = if options.strict { None } else { last_good(settings, workshop) };
    let Some(load) = fallback else { return Err(why) };
    tracing::error!(
        "THE MANIFEST IS BROKEN. The last good one, kept in data-dir, is in force until it is mended:\n{why}"
    );
    let (snapshot, loaded) = load.into_snapshot(1)?;
    Ok((snapshot, loaded, inputs))
}

/// The configuration as it is, with the manifest that was good last.
fn last_good(settings: Settings, workshop: &Workshop) -> Option<Load> {
    let mut found = Diagnostics::default();
    let kept = keep::last_good(&settings.data_dir)?;
    let built = read_manifest(&kept, workshop, &[], &mut Inputs::default(), &mut found);
    (!found.has_errors()).then_some(Load { settings, built, found })
}
