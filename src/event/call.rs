//! One call of one sink: guarded against panics, overruns and illegal answers.

use super::binding::Registered;
use super::catalogue::Event;
use super::edit::Edits;
use super::fault::{Fault, FaultKind};
use super::rule::Rule;
use super::sink::{BoxFuture, Hearing};
use super::stage::Stage;
use super::verdict::Verdict;
use super::watchdog::{self, WatchId};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Blocking calls that may run at a time, over all sinks.
const BLOCKING_CALLS: usize = 64;
static BLOCKING: Semaphore = Semaphore::const_new(BLOCKING_CALLS);

/// What a call that returned well has said and changed.
pub(super) struct Returned {
    pub(super) verdict: Verdict,
    /// The edits that were applied, as the ledger tells them.
    pub(super) edits: Vec<String>,
}

/// Calls the sink and applies its edits. Faults are counted and logged here.
pub(super) async fn call(
    sink: &Registered,
    event: Event,
    rule: Option<&Rule>,
    deadline: Duration,
    stage: &mut Stage<'_>,
) -> Result<Returned, Fault> {
    let probe = Probe(sink);
    let result = match heard(sink, event, rule, deadline, stage).await {
        Ok((verdict, edits)) => settle(sink, event, stage, verdict, edits),
        Err(fault) => Err(fault),
    };
    std::mem::forget(probe);
    match &result {
        Ok(_) => sink.breaker.succeeded(),
        Err(fault) => report(sink, event, stage, fault),
    }
    result
}

/// A call that is dropped half-way, with its session, must not leave the breaker waiting for a probe.
struct Probe<'a>(&'a Registered);

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.0.breaker.abandoned();
    }
}

async fn heard(
    sink: &Registered,
    event: Event,
    rule: Option<&Rule>,
    deadline: Duration,
    stage: &Stage<'_>,
) -> Result<(Verdict, Edits), Fault> {
    let mut edits = Edits::new();
    let verdict = {
        let lent = &mut edits;
        let watched = watchdog::enter(sink.watch);
        let hearing = caught(move || sink.sink.hear(stage.scene(event, rule), lent));
        drop(watched);
        match hearing {
            Err(panic) => return Err(panic),
            Ok(Hearing::Now(result)) => result?,
            Ok(Hearing::Later(future)) => later(future, deadline, sink.watch).await?,
            Ok(Hearing::Blocking(work)) => return blocking(work, deadline).await,
        }
    };
    Ok((verdict, edits))
}

async fn later(
    mut future: BoxFuture<'_, Result<Verdict, Fault>>,
    deadline: Duration,
    watch: WatchId,
) -> Result<Verdict, Fault> {
    let mut guarded = poll_fn(|cx| {
        let watched = watchdog::enter(watch);
        let poll = caught(|| future.as_mut().poll(cx));
        drop(watched);
        poll.unwrap_or_else(|panic| Poll::Ready(Err(panic)))
    });
    // Most answers are there at the first poll: no timer for those.
    if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut guarded).poll(cx))).await {
        return result;
    }
    tokio::time::timeout(deadline, guarded).await.unwrap_or_else(|_| Err(overrun(deadline)))
}

async fn blocking(
    work: Box<dyn FnOnce() -> Result<(Verdict, Edits), Fault> + Send>,
    deadline: Duration,
) -> Result<(Verdict, Edits), Fault> {
    let run = async {
        let permit = BLOCKING.acquire().await.map_err(|_| Fault::error("the pool of blocking calls is closed"))?;
        let job = tokio::task::spawn_blocking(move || {
            let result = caught(work);
            drop(permit);
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

fn settle(
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
    if edits.is_empty() {
        return Ok(Returned { verdict, edits: Vec::new() });
    }
    let told = edits.iter().map(ToString::to_string).collect();
    stage.apply(event, &sink.name, sink.may_relay, edits)?;
    Ok(Returned { verdict, edits: told })
}

fn report(sink: &Registered, event: Event, stage: &Stage<'_>, fault: &Fault) {
    let id = stage.scene(event, None).id();
    let streak = sink.breaker.failed(id, fault);
    let id = id.map(tracing::field::display);
    tracing::warn!(
        sink = &*sink.name,
        event = event.name(),
        id,
        streak,
        "sink `{}` failed at {event}: {fault}",
        sink.name
    );
}
