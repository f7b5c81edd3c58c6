//! WASI, linked empty: most toolchains import it whether they use it or not. No files, no network, no environment, no
//! arguments, no input. What a guest prints goes to its sink's log. The clocks stand still and random follows from the id of
//! the transaction, unless the manifest grants more.

use super::state::State;
use super::terms::Terms;
use crate::event::host::{Clock, Level, SinkLog};
use crate::mail::{Id, Timestamp};
use bytes::Bytes;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{
    Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, async_trait,
};

/// Handles that a guest may hold at a time.
const HANDLES_MAX: usize = 10_000;
/// The longest line that is printed in one piece, and what is kept of the last ones.
const LINE_MAX: usize = 4096;

/// A store's part of WASI, made when it is first asked for.
#[derive(Default)]
pub(super) struct Wasi {
    made: Option<Box<Made>>,
}

struct Made {
    ctx: WasiCtx,
    table: ResourceTable,
    began: Arc<AtomicU64>,
    output: Console,
    errors: Console,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (began, id) = (self.began(), self.lent.as_ref().and_then(|lent| lent.id()));
        let terms = &self.terms;
        let made = self.wasi.made.get_or_insert_with(|| Box::new(make(terms, id)));
        made.began.store(began.0, Relaxed);
        if let Ok(mut id_of) = made.errors.id.lock() {
            *id_of = id;
        }
        WasiCtxView { ctx: &mut made.ctx, table: &mut made.table }
    }
}

impl Wasi {
    /// Forgets what was printed in an earlier call.
    pub(super) fn forget(&self) {
        if let Some(made) = &self.made {
            made.errors.take_kept();
        }
    }

    /// Logs what was printed without the end of a line.
    pub(super) fn flush(&self) {
        if let Some(made) = &self.made {
            made.output.flush_line();
            made.errors.flush_line();
        }
    }

    /// What was printed as an error last, and forgets it.
    pub(super) fn last_words(&self) -> String {
        self.made.as_ref().map(|made| made.errors.take_kept()).unwrap_or_default()
    }
}

fn make(terms: &Terms, id: Option<Id>) -> Made {
    let began = Arc::new(AtomicU64::new(0));
    let errors = Console::new(terms.log.clone(), Level::Error);
    let mut builder = WasiCtxBuilder::new();
    let output = Console { id: errors.id.clone(), ..Console::new(terms.log.clone(), Level::Info) };
    builder.stdout(output.clone());
    builder.stderr(errors.clone());
    if !terms.grants.random {
        builder.secure_random(Deterministic::new(seeded(id, b"secure", 1024)));
        builder.insecure_random(Deterministic::new(seeded(id, b"insecure", 1024)));
        builder.insecure_random_seed(u128::from(id.map_or(0, |id| id.0)));
    }
    let still = Still { began: began.clone(), clock: terms.grants.clock.then(|| terms.clock.clone()) };
    builder.wall_clock(still);
    if !terms.grants.clock {
        builder.monotonic_clock(Stopped);
    }
    builder.max_random_size(64 << 10);
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES_MAX);
    Made { ctx: builder.build(), table, began, output, errors }
}

/// Octets that follow from an id.
pub(super) fn seeded(id: Option<Id>, purpose: &[u8], count: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&id.map_or(0, |id| id.0).to_le_bytes()).update(purpose);
    let mut octets = vec![0; count];
    hasher.finalize_xof().fill(&mut octets);
    octets
}

/// The time at which the transaction began, or the time where that is granted.
struct Still {
    began: Arc<AtomicU64>,
    clock: Option<Arc<dyn Clock>>,
}

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        let Timestamp(millis) = self.clock.as_ref().map_or(Timestamp(self.began.load(Relaxed)), |clock| clock.now());
        Duration::from_millis(millis)
    }
}

/// A clock that does not run.
struct Stopped;

impl HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        // Go takes a clock at zero for a broken one, and gives up.
        1_000_000_000
    }
}

/// What a guest prints, by lines.
#[derive(Clone)]
struct Console {
    log: Arc<SinkLog>,
    level: Level,
    id: Arc<Mutex<Option<Id>>>,
    text: Arc<Mutex<Text>>,
}

#[derive(Default)]
struct Text {
    line: Vec<u8>,
    kept: Vec<u8>,
}

impl Console {
    fn new(log: Arc<SinkLog>, level: Level) -> Self {
        Self { log, level, id: Arc::default(), text: Arc::default() }
    }

    fn print(&self, octets: &[u8]) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.kept.extend_from_slice(&octets[octets.len().saturating_sub(LINE_MAX)..]);
        let over = text.kept.len().saturating_sub(LINE_MAX);
        text.kept.drain(..over);
        for piece in octets.split_inclusive(|octet| *octet == b'\n') {
            let room = LINE_MAX.saturating_sub(text.line.len());
            text.line.extend_from_slice(&piece[..room.min(piece.len())]);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut text.line);
                let id = *self.id.lock().unwrap_or_else(PoisonError::into_inner);
                self.log.write(self.level, id, String::from_utf8_lossy(&line).trim_end());
            }
        }
    }

    /// Logs a line that was begun and not ended.
    fn flush_line(&self) {
        let begun = !self.text.lock().unwrap_or_else(PoisonError::into_inner).line.is_empty();
        if begun {
            self.print(b"\n");
        }
    }

    fn take_kept(&self) -> String {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut text.kept)).trim().to_owned()
    }
}

impl IsTerminal for Console {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Console {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Console {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<std::io::Result<usize>> {
        self.print(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for Console {
    async fn ready(&mut self) {}
}

impl OutputStream for Console {
    fn write(&mut self, octets: Bytes) -> StreamResult<()> {
        self.print(&octets);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
