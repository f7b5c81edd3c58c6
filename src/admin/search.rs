//! Finding accounts: in the queue while a message is there, in the history once it is not.

use super::commands::Ops;
use super::filter::Filter;
use crate::intake::{Account, Step};
use crate::mail::Id;
use std::time::Duration;

/// How often, and how long apart, a message is looked for that is leaving the queue.
const LOOKS: usize = 50;
const LOOK_PAUSE: Duration = Duration::from_millis(10);
/// Steps of one message that are told.
const STEPS: usize = 1000;

/// The messages in the queue that the filter picks, oldest first.
pub(super) async fn queued(ops: &Ops, filter: &Filter) -> Result<Vec<Account>, String> {
    let matcher = filter.compile()?;
    let queue = ops.queue.clone();
    // Each message is read from the spool, and its ledger parsed: too much for the event loop.
    let found = tokio::task::spawn_blocking(move || queue.accounts(&|account| matcher.matches(account))).await;
    found.map_err(|e| e.to_string())
}

/// One message in the queue.
pub(super) async fn one(ops: &Ops, id: Id) -> std::io::Result<Option<Account>> {
    let queue = ops.queue.clone();
    let find = move || {
        let mut account = queue.account(id)?;
        let turn = || {
            let (site, why) = queue.governor.why(id)?;
            Some(format!("for a turn at {site}: {why}"))
        };
        account.waits = account.waits.or_else(turn);
        Some(account)
    };
    tokio::task::spawn_blocking(find).await.map_err(std::io::Error::other)
}

/// What became of messages and transactions, newest first, `limit` at most. `id` is that of a message, a transaction or
/// a session.
pub(super) async fn why(ops: &Ops, id: Option<Id>, filter: &Filter, limit: usize) -> Result<Vec<Account>, String> {
    let matcher = filter.compile()?;
    let wanted = move |account: &Account| id.is_none_or(|id| is_about(account, id)) && matcher.matches(account);
    let (queue, history) = (ops.queue.clone(), ops.history.clone());
    let find = move || {
        for _ in 0..LOOKS {
            let leaving = id.is_some_and(|id| queue.has(id));
            let mut found = queue.accounts(&wanted);
            if !id.is_some_and(|id| found.iter().any(|account| account.id == id)) {
                found.extend(history.find(limit, &wanted)?);
            }
            if !found.is_empty() || !leaving {
                return Ok::<_, std::io::Error>(found);
            }
            // It is done, and its account is on its way from here to there.
            std::thread::sleep(LOOK_PAUSE);
        }
        Ok(Vec::new())
    };
    let found = tokio::task::spawn_blocking(find).await.map_err(|e| e.to_string())?;
    let mut found = found.map_err(|e| format!("the history can't be read: {e}"))?;
    found.sort_by_key(|account| std::cmp::Reverse(account.time));
    found.truncate(limit);
    Ok(found)
}

/// The track of a message, oldest step first, the last [`STEPS`] of it.
pub(super) async fn steps(ops: &Ops, id: Id) -> std::io::Result<Vec<Step>> {
    let history = ops.history.clone();
    let find = move || history.steps(STEPS, |step| step.id == id);
    let mut steps = tokio::task::spawn_blocking(find).await.map_err(std::io::Error::other)??;
    steps.reverse();
    Ok(steps)
}

fn is_about(account: &Account, id: Id) -> bool {
    account.id == id || account.origin.session == Some(id)
}
