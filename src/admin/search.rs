//! Finding accounts: in the queue while a message is there, in the history once it is not.

use super::commands::Ops;
use super::filter::Filter;
use crate::intake::Account;
use crate::mail::Id;

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
    tokio::task::spawn_blocking(move || queue.account(id)).await.map_err(std::io::Error::other)
}

/// What became of messages and transactions, newest first, `limit` at most. `id` is that of a message, a transaction or
/// a session.
pub(super) async fn why(ops: &Ops, id: Option<Id>, filter: &Filter, limit: usize) -> Result<Vec<Account>, String> {
    let matcher = filter.compile()?;
    let wanted = move |account: &Account| id.is_none_or(|id| is_about(account, id)) && matcher.matches(account);
    let (queue, history) = (ops.queue.clone(), ops.history.clone());
    let find = move || {
        let mut found = queue.accounts(&wanted);
        if !id.is_some_and(|id| found.iter().any(|account| account.id == id)) {
            found.extend(history.find(limit, wanted)?);
        }
        Ok::<_, std::io::Error>(found)
    };
    let found = tokio::task::spawn_blocking(find).await.map_err(|e| e.to_string())?;
    let mut found = found.map_err(|e| format!("the history can't be read: {e}"))?;
    found.sort_by_key(|account| std::cmp::Reverse(account.time));
    found.truncate(limit);
    Ok(found)
}

fn is_about(account: &Account, id: Id) -> bool {
    account.id == id || account.origin.session == Some(id)
}
