//! A sandboxed sink: where an event meets an instance, by the way of reuse that the manifest chose.

use super::code::Code;
use super::engine::{SLOTS, Sandbox};
use super::guest::Guest;
use super::lent::Lent;
use super::terms::Terms;
use crate::event::{Companions, Edits, Fault, Hearing, Interest, Reuse, Scene, Sink, Verdict, Vitals};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Instances that one sink keeps at a time, in its pool or with transactions.
const PARKED_MAX: usize = 16;
/// Slots that the instances of all sinks keep: what is left is for those who come fresh.
const PARKED_IN_ALL: usize = SLOTS as usize / 2;
/// Counted over all sandboxes of the process.
static PARKED: AtomicUsize = AtomicUsize::new(0);

/// A module or script as a sink.
pub struct Sandboxed {
    sandbox: Arc<Sandbox>,
    code: Arc<Code>,
    terms: Arc<Terms>,
    interest: Interest,
    turns: Semaphore,
    pool: Mutex<Vec<Parked>>,
    parked: Arc<AtomicUsize>,
}

impl Sandboxed {
    pub(super) fn new(sandbox: Arc<Sandbox>, code: Code, terms: Arc<Terms>, interest: Interest) -> Self {
        let turns = Semaphore::new(terms.limits.concurrency);
        let (pool, parked) = (Mutex::default(), Arc::default());
        Self { sandbox, code: Arc::new(code), terms, interest, turns, pool, parked }
    }

    /// Instances that wait to be used again.
    pub fn parked(&self) -> usize {
        self.parked.load(Relaxed)
    }

    /// What the sink was loaded on.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    async fn call(&self, lent: Lent, with: Option<&Companions>, edits: &mut Edits) -> Result<Verdict, Fault> {
        let _turn = self.turns.acquire().await.map_err(|_| Fault::error("the sink is closed"))?;
        if !self.sandbox.ticker.ticks() {
            return Err(Fault::error("the thread that interrupts guests stands still, so none is called"));
        }
        let mut guest = match self.take(with) {
            Some(mut guest) => {
                guest.lend(lent);
                guest
            }
            None => self.fresh(lent).await?,
        };
        let (verdict, asked) = guest.ask(&self.code).await?;
        self.put(guest, with);
        *edits = asked;
        Ok(verdict)
    }

    pub(super) fn code(&self) -> &Code {
        &self.code
    }

    /// An instance that nothing was asked of yet, with an event lent to it.
    pub(super) async fn fresh(&self, lent: Lent) -> Result<Guest, Fault> {
        Guest::new(&self.code, &self.terms, Some(lent), self.sandbox.slot(&self.code).await?).await
    }

    /// An instance that was kept.
    fn take(&self, with: Option<&Companions>) -> Option<Guest> {
        let parked = match self.terms.reuse {
            Reuse::Call => None,
            Reuse::Transaction => with?.take(self.key()).and_then(|kept| kept.downcast::<Parked>().ok()).map(|b| *b),
            Reuse::Pool => self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop(),
        };
        parked?.guest.take()
    }

    /// Keeps an instance, where there is room for it.
    fn put(&self, guest: Guest, with: Option<&Companions>) {
        if self.terms.reuse == Reuse::Call || !guest.is_lean() {
            return;
        }
        let Some(parked) = Parked::new(guest, &self.parked) else { return };
        match self.terms.reuse {
            Reuse::Call => {}
            Reuse::Transaction => {
                if let Some(with) = with {
                    with.put(self.key(), Box::new(parked));
                }
            }
            Reuse::Pool => self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(parked),
        }
    }

    /// Tells this sink, as it was loaded, from all others.
    fn key(&self) -> usize {
        Arc::as_ptr(&self.code) as usize
    }
}

impl Sink for Sandboxed {
    fn interest(&self) -> Interest {
        self.interest.clone()
    }

    fn vitals(&self) -> Option<Vitals> {
        let kind = if self.code.script.is_some() { "script" } else { "module" };
        let (reuse, left_out) = (self.terms.reuse, self.terms.log.left_out());
        Some(Vitals { kind, reuse, parked: self.parked(), left_out })
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        let companions = scene.transaction.map(|transaction| &transaction.companions);
        Hearing::Later(Box::pin(async move { self.call(Lent::of(&scene), companions, edits).await }))
    }
}

/// An instance that waits to be used again, counted.
struct Parked {
    guest: Option<Guest>,
    of_sink: Arc<AtomicUsize>,
    /// Slots that it holds.
    weight: usize,
}

impl Parked {
    fn new(guest: Guest, of_sink: &Arc<AtomicUsize>) -> Option<Self> {
        let weight = guest.weight();
        let parked = Self { guest: Some(guest), of_sink: of_sink.clone(), weight };
        let mine = of_sink.fetch_add(1, Relaxed);
        let all = PARKED.fetch_add(weight, Relaxed);
        // One that is too many is uncounted as it is dropped.
        (mine < PARKED_MAX && all + weight <= PARKED_IN_ALL).then_some(parked)
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.of_sink.fetch_sub(1, Relaxed);
        PARKED.fetch_sub(self.weight, Relaxed);
    }
}
