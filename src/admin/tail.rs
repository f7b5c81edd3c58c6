//! Accounts as they happen.

use super::commands::{Answer, Ops};
use super::filter::Filter;
use super::protocol::Response;
use super::wire::Wire;
use std::io;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Feeds the client until it goes or the server stops.
pub(super) async fn tail(
    ops: &Ops,
    filter: &Filter,
    wire: &mut Wire,
    stopping: &CancellationToken,
) -> io::Result<Answer> {
    let matcher = match filter.compile() {
        Ok(matcher) => matcher,
        Err(text) => return Ok(Err(text)),
    };
    let mut feed = ops.history.watch();
    wire.say(&Response::Following).await?;
    wire.flush().await?;
    loop {
        let next = tokio::select! {
            next = feed.recv() => next,
            () = wire.gone() => return Ok(Ok(None)),
            () = stopping.cancelled() => return Ok(Ok(None)),
        };
        match next {
            Ok(account) if matcher.matches(&account) => {
                wire.say(&Response::Account(Box::new((*account).clone()))).await?;
            }
            Ok(_) => continue,
            Err(RecvError::Lagged(missed)) => wire.say(&Response::Missed(missed)).await?,
            Err(RecvError::Closed) => return Ok(Ok(None)),
        }
        wire.flush().await?;
    }
}
