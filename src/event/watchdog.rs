//! The watchdog: names a native sink that blocks a thread of the event loop.
//!
//! Each thread that calls sinks has a slot in which it notes what it is calling; one thread of the watchdog's own looks
//! at all slots and warns, once per call, about what has been there for too long. It can stop nothing.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// How often the watchdog looks.
const TICK: Duration = Duration::from_millis(20);
/// A call is named when it has been seen at this many looks.
const TICKS_TO_WARN: u64 = 5;

/// A sink's number in the watchdog's book. 0 is nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchId(u32);

#[derive(Debug, Default)]
struct Slot {
    /// Who is being called.
    sink: AtomicU32,
    /// Counts calls, so that two of the same sink differ.
    call: AtomicU64,
}

#[derive(Default)]
struct Book {
    slots: Mutex<Vec<Weak<Slot>>>,
    names: Mutex<Vec<Arc<str>>>,
}

static BOOK: OnceLock<Book> = OnceLock::new();

thread_local! {
    static SLOT: OnceCell<Arc<Slot>> = const { OnceCell::new() };
}

/// Gives a sink its number, and starts the watchdog if it does not run yet.
pub fn register(name: &Arc<str>) -> WatchId {
    let book = BOOK.get_or_init(|| {
        // Without a thread there is no watch; the server works all the same.
        if let Err(error) = std::thread::Builder::new().name("watchdog".into()).spawn(watch) {
            tracing::warn!(%error, "the watchdog could not be started; sinks that block will not be named");
        }
        Book::default()
    });
    let mut names = lock(&book.names);
    let known = names.iter().position(|n| n == name);
    let index = known.unwrap_or_else(|| {
        names.push(name.clone());
        names.len() - 1
    });
    WatchId(u32::try_from(index + 1).unwrap_or(0))
}

/// Notes that this thread is inside of `sink` while `work` runs, which must not unwind.
#[inline]
pub fn watched<R>(sink: WatchId, work: impl FnOnce() -> R) -> R {
    SLOT.with(|slot| {
        let slot = slot.get_or_init(new_slot);
        slot.call.store(slot.call.load(Relaxed).wrapping_add(1), Relaxed);
        slot.sink.store(sink.0, Relaxed);
        let result = work();
        slot.sink.store(0, Relaxed);
        result
    })
}

fn new_slot() -> Arc<Slot> {
    let slot = Arc::new(Slot::default());
    if let Some(book) = BOOK.get() {
        lock(&book.slots).push(Arc::downgrade(&slot));
    }
    slot
}

fn watch() {
    let mut seen: Vec<(u64, u64)> = Vec::new();
    loop {
        std::thread::park_timeout(TICK);
        let Some(book) = BOOK.get() else { continue };
        let mut slots = lock(&book.slots);
        slots.retain(|s| s.strong_count() > 0);
        seen.resize(slots.len(), (0, 0));
        for (slot, seen) in slots.iter().filter_map(Weak::upgrade).zip(&mut seen) {
            look(book, &slot, seen);
        }
    }
}

fn look(book: &Book, slot: &Slot, (last_call, ticks): &mut (u64, u64)) {
    let (sink, call) = (slot.sink.load(Relaxed), slot.call.load(Relaxed));
    if sink == 0 || call != *last_call {
        (*last_call, *ticks) = (call, 0);
        return;
    }
    *ticks += 1;
    if *ticks == TICKS_TO_WARN {
        let names = lock(&book.names);
        let name = names.get(sink as usize - 1).map_or("?", |n| n);
        let millis = TICK.as_millis() as u64 * TICKS_TO_WARN;
        tracing::warn!(
            sink = name,
            "sink `{name}` has blocked a thread of the event loop for {millis} ms: what waits belongs into a `later` or `blocking` call"
        );
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
