//! A call with a measure, for authors: what a fresh instance takes to be made and to answer.

use super::lent::Lent;
use super::sink::Sandboxed;
use crate::event::{Edits, Fault, Scene, Verdict};
use std::time::{Duration, Instant};

/// What one call in a fresh instance took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Until the instance was there.
    pub start: Duration,
    /// From then to the answer, with everything that was waited for.
    pub call: Duration,
    /// The guest's own part of `call`, as `limits.cpu` counts it.
    pub guest: Duration,
    /// Octets of memory at the end.
    pub memory: usize,
}

impl Sandboxed {
    /// Calls the sink once, in an instance of its own.
    pub async fn measured(&self, scene: &Scene<'_>, edits: &mut Edits) -> (Result<Verdict, Fault>, Spent) {
        let began = Instant::now();
        let mut spent = Spent::default();
        let mut guest = match self.fresh(Lent::of(scene)).await {
            Ok(guest) => guest,
            Err(fault) => return (Err(fault), Spent { start: began.elapsed(), ..spent }),
        };
        spent.start = began.elapsed();
        let began = Instant::now();
        let time = guest.time();
        time.measure();
        let said = guest.ask(self.code()).await;
        (spent.call, spent.guest, spent.memory) = (began.elapsed(), time.used(), guest.memory());
        let verdict = said.map(|(verdict, asked)| {
            *edits = asked;
            verdict
        });
        (verdict, spent)
    }
}
