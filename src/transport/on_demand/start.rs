//! What waits for a domain is made due: each message durably, and in the background, so that whoever asks need not wait for it.

use crate::event::host::{QueueFault, Scope};
use crate::mail::{Id, Recipient, Timestamp};
use crate::spool::{Entry, Patch, RcptState};
use crate::transport::pending::Spot;
use crate::transport::pipeline::Pipeline;
use crate::transport::queue::Queue;
use std::collections::HashSet;
use std::sync::Arc;

/// Places of the queue that are looked at in one go.
const STRIDE: usize = 1024;

/// How many messages there are. Off the event loop: there may be a million.
pub(super) async fn count(queue: &Arc<Queue>, scopes: &[Scope]) -> Result<usize, QueueFault> {
    let (queue, scopes) = (queue.clone(), scopes.to_vec());
    let counted = tokio::task::spawn_blocking(move || {
        let mut seen = HashSet::new();
        scopes.iter().for_each(|scope| each(&queue, scope, |some| seen.extend(some.iter().map(|(_, id)| *id))));
        seen.len()
    });
    counted.await.map_err(|error| QueueFault::Unavailable(error.to_string()))
}

fn each(queue: &Queue, scope: &Scope, mut look: impl FnMut(&[Spot])) {
    let mut after = None;
    loop {
        let some = queue.pending(scope, after.as_ref(), STRIDE);
        let Some(last) = some.last() else { return };
        look(&some);
        after = Some(last.clone());
    }
}

fn waits(entry: &Entry, scopes: &[Scope], now: Timestamp) -> bool {
    // Neither what is parked nor what its sender wants held (RFC 4865).
    let released = entry.envelope.hold.is_none_or(|until| until <= now);
    entry.hold.is_none() && released && open(entry, scopes).next().is_some()
}

/// The recipients within the scopes that have still to be tried, by their place in the envelope.
fn open<'a>(entry: &'a Entry, scopes: &'a [Scope]) -> impl Iterator<Item = usize> + 'a {
    let all = entry.envelope.recipients.iter().zip(&entry.recipients).enumerate();
    let open = |state: &RcptState| !state.done && state.held.is_none();
    all.filter(move |(_, (recipient, state))| open(state) && is_within(recipient, scopes)).map(|(index, _)| index)
}

fn is_within(recipient: &Recipient, scopes: &[Scope]) -> bool {
    let key = recipient.path.mailbox().map(|mailbox| mailbox.domain_key());
    key.is_some_and(|key| scopes.iter().any(|scope| scope.has(&key)))
}

/// Makes due what waits within the scopes.
pub(super) async fn make_due(pipeline: &Pipeline, scopes: &[Scope]) {
    // What comes in meanwhile is due anyway.
    let newest = pipeline.queue.ids.next(pipeline.queue.clock.now().0);
    for scope in scopes {
        let mut after = None;
        loop {
            let some = pipeline.queue.pending(scope, after.as_ref(), STRIDE);
            let Some(last) = some.last() else { break };
            after = Some(last.clone());
            for (_, id) in some.into_iter().filter(|(_, id)| *id < newest) {
                if pipeline.stopping.is_cancelled() {
                    return;
                }
                if let Err(why) = make_one_due(&pipeline.queue, id, scopes).await {
                    tracing::warn!(%id, "could not be made due: {why}");
                }
            }
        }
    }
}

/// One that somebody has at the moment is being tried.
async fn make_one_due(queue: &Arc<Queue>, id: Id, scopes: &[Scope]) -> Result<(), String> {
    let Some(ticket) = queue.take(id) else { return Ok(()) };
    let mut taken = ticket.load().await.map_err(|(_, fault)| fault.to_string())?;
    let (now, entry) = (queue.clock.now(), Arc::make_mut(&mut taken.entry));
    if !waits(entry, scopes, now) {
        return Ok(());
    }
    queue.hurry(id);
    let mut states = entry.recipients.clone();
    let mut later = 0;
    for index in open(entry, scopes) {
        if let Some(state) = states.get_mut(index).filter(|state| state.next > now) {
            state.next = now;
            later += 1;
        }
    }
    // Those that are due only wait for a turn, and are looked at once they are back.
    if later > 0 {
        queue.amend(entry, Patch { recipients: Some(states), ..Patch::default() }).await?;
    }
    Ok(())
}
