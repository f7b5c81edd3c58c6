//! Finding accounts: in the queue while a message is there, in the history once it is not.

use super::commands::Ops;
use super::filter::Filter;
use crate::intake::Account;
use crate::mail::Id;

/// The messages in the queue that the filter picks, oldest first.
pub(super) fn queued(ops: &Ops, filter: &Filter) -> Result<Vec<Account>, String> {
    let matcher = filter.compile()?;
    Ok(ops.queue.accounts(&|account| matcher.matches(account)))
}

/// What became of messages and transactions, newest first, `limit` at most. `id` is that of a message, a transaction or
/// a session.
pub(super) async fn why(ops: &Ops, id: Option<Id>, filter: &Filter, limit: usize) -> Result<Vec<Account>, String> {
    let matcher = filter.compile()?;
    let wanted = move |account: &Account| id.is_none_or(|id| is_about(account, id)) && matcher.matches(account);
    let mut found = ops.queue.accounts(&wanted);
    if id.is_some_and(|id| found.iter().any(|account| account.id == id)) {
        return Ok(found);
    }
    let history = ops.history.clone();
    let ended = tokio::task::spawn_blocking(move || history.find(limit, wanted)).await;
    let ended = ended.map_err(|e| e.to_string())?.map_err(|e| format!("the history can't be read: {e}"))?;
    found.extend(ended);
    found.sort_by_key(|account| std::cmp::Reverse(account.time));
    found.truncate(limit);
    Ok(found)
}

fn is_about(account: &Account, id: Id) -> bool {
    account.id == id || account.origin.session == Some(id)
}
