//! One call of one sink: guarded against panics, overruns and illegal answers.

use super::binding::Registered;
use super::breaker::FAULTS_TO_OPEN;
use super::catalogue::{Event, OnFault};
use super::edit::Edits;
use super::fault::{Fault, FaultKind};
use super::ledger;
use super::rule::Rule;
use super::sink::{BoxFuture, Hearing};
use super::split;
use super::stage::Stage;
use super::verdict::{Answer, Verdict};
use super::watchdog::{self, WatchId};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Blocking calls that may run at a time, over all sinks.
const BLOCKING_CALLS: usize = 64;
/// And of one sink: what it blocks for ever must not keep the others from running.
pub(super) const BLOCKING_OF_ONE: usize = 16;
static BLOCKING: Semaphore = Semaphore::const_new(BLOCKING_CALLS);

/// What a call that returned well has said and changed.
pub(super) struct Returned {
    pub(super) verdict: Verdict,
    /// The edits that were applied, as the ledger tells them.
    pub(super) edits: Vec<String>,
}

/// The call itself, up to the point where it has to be waited for. A sink whose breaker is open is not called.
#[inline]
pub(super) fn hear<'s>(
    sink: &'s Registered,
    event: Event,
    rule: Option<&'s Rule>,
    stage: &'s Stage<'_>,
    edits: &'s mut Edits,
) -> Hearing<'s> {
    if !sink.breaker.admits() {
        let text = "not called: it failed too often; its policy applies";
        return Hearing::Now(Err(Fault::new(FaultKind::Breaker, text)));
    }
    watchdog::watched(sink.watch, || caught(|| sink.sink.hear(stage.scene(event, rule), edits)))
        .unwrap_or_else(|panic| Hearing::Now(Err(panic)))
}

/// Waits for an answer that did not come at once. A blocking call brings edits of its own.
pub(super) async fn wait(
    sink: &Registered,
    hearing: Hearing<'_>,
    deadline: Duration,
) -> Result<(Verdict, Option<Edits>), Fault> {
    let probe = Probe(sink);
    let result = match hearing {
        Hearing::Now(result) => result.map(|verdict| (verdict, None)),
        Hearing::Later(future) => later(future, deadline, sink.watch).await.map(|verdict| (verdict, None)),
        Hearing::Blocking(work) => blocking(sink, work, deadline).await.map(|(verdict, edits)| (verdict, Some(edits))),
    };
    std::mem::forget(probe);
    result
}

/// A call that is dropped half-way, with its session, must not leave the breaker waiting for a probe.
struct Probe<'a>(&'a Registered);

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.0.breaker.abandoned();
    }
}

async fn later(
    future: BoxFuture<'_, Result<Verdict, Fault>>,
    deadline: Duration,
    watch: WatchId,
) -> Result<Verdict, Fault> {
    let mut future = Dropped(future);
    let mut guarded = poll_fn(|cx| {
        let poll = watchdog::watched(watch, || caught(|| future.0.as_mut().poll(cx)));
        poll.unwrap_or_else(|panic| Poll::Ready(Err(panic)))
    });
    // Most answers are there at the first poll: no timer for those.
    if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut guarded).poll(cx))).await {
        return result;
    }
    tokio::time::timeout(deadline, guarded).await.unwrap_or_else(|_| Err(overrun(deadline)))
}

/// A sink's future. What panics when it is dropped, as that of an overrun is half-way, harms nobody else.
struct Dropped<'a>(BoxFuture<'a, Result<Verdict, Fault>>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        let future = std::mem::replace(&mut self.0, Box::pin(pending()));
        if let Err(fault) = caught(|| drop(future)) {
            tracing::warn!("the future of a sink failed when it was dropped: {fault}");
        }
    }
}

async fn blocking(
    sink: &Registered,
    work: Box<dyn FnOnce() -> Result<(Verdict, Edits), Fault> + Send>,
    deadline: Duration,
) -> Result<(Verdict, Edits), Fault> {
    let closed = |_| Fault::error("the pool of blocking calls is closed");
    let run = async {
        // Its own share first, so that who waits for it holds nothing of the others'.
        let of_sink = sink.blocking.clone().acquire_owned().await.map_err(closed)?;
        let permit = BLOCKING.acquire().await.map_err(closed)?;
        let job = tokio::task::spawn_blocking(move || {
            let result = caught(work);
            drop((of_sink, permit));
            result.unwrap_or_else(Err)
        });
        job.await.unwrap_or_else(|e| Err(Fault::error(format!("the blocking call was cancelled: {e}"))))
    };
    tokio::time::timeout(deadline, run).await.unwrap_or_else(|_| Err(overrun(deadline)))
}

/// A panic is the sink's fault. What it leaves behind is the sink's own: the core's state is not in its reach.
fn caught<R>(work: impl FnOnce() -> R) -> Result<R, Fault> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Fault::panic(&*payload))
}

fn overrun(deadline: Duration) -> Fault {
    Fault::new(FaultKind::Overrun, format!("no answer within {} ms", deadline.as_millis()))
}

/// Applies the edits of a call that returned well. Faults, those of what it said and changed included, are counted and
/// logged here.
pub(super) fn settle(
    sink: &Registered,
    event: Event,
    stage: &mut Stage<'_>,
    answer: Result<Verdict, Fault>,
    edits: Edits,
    policy: OnFault,
) -> Result<Returned, Fault> {
    let settled = answer.and_then(|verdict| apply(sink, event, stage, verdict, edits));
    let settled = settled.map_err(|fault| fault.masked(&sink.secrets));
    match &settled {
        Ok(_) => sink.breaker.succeeded(),
        Err(fault) if fault.kind == FaultKind::Breaker => {}
        Err(fault) => report(sink, event, stage, fault, policy),
    }
    settled
}

fn apply(
    sink: &Registered,
    event: Event,
    stage: &mut Stage<'_>,
    verdict: Verdict,
    edits: Edits,
) -> Result<Returned, Fault> {
    let spec = event.spec();
    if !spec.allows(verdict.kind()) {
        return Err(Fault::new(
            FaultKind::Illegal,
            format!("the verdict `{}` is not allowed at {event}", verdict.name()),
        ));
    }
    if let Verdict::Answer(answer) = &verdict
        && answer.kind() != spec.answer
    {
        return Err(Fault::new(FaultKind::Illegal, format!("an answer of another type than {event} takes")));
    }
    if let Verdict::Answer(Answer::Command(answer)) = &verdict
        && let Some(wrong) = answer.fault()
    {
        return Err(Fault::new(FaultKind::Illegal, wrong));
    }
    if let Some(text) = stage.forbids(event, &verdict) {
        return Err(Fault::new(FaultKind::Illegal, text));
    }
    if let Some(text) = split::forbids(&edits, &verdict) {
        return Err(Fault::new(FaultKind::Illegal, text));
    }
    if edits.is_empty() {
        return Ok(Returned { verdict, edits: Vec::new() });
    }
    let told = ledger::told(&edits);
    stage.apply(event, sink, edits)?;
    Ok(Returned { verdict, edits: told })
}

fn report(sink: &Registered, event: Event, stage: &Stage<'_>, fault: &Fault, policy: OnFault) {
    let id = stage.scene(event, None).id();
    let streak = sink.breaker.failed(id, fault);
    let message = id.map_or_else(String::new, |id| format!(", message {id}"));
    let policy = policy.as_str();
    tracing::warn!(
        sink = &*sink.name,
        event = event.name(),
        id = id.map(tracing::field::display),
        "{fault}; sink {}, {event}{message}, policy {policy}, breaker {streak}/{FAULTS_TO_OPEN}",
        sink.name
    );
}
