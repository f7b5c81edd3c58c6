//! Accounts, and the lines that sinks log, as they happen.

use super::commands::{Answer, Ops};
use super::filter::{Filter, Matcher};
use super::protocol::Response;
use super::wire::Wire;
use crate::event::host::log::Line;
use crate::intake::Account;
use std::io;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// What a follower wants to hear of.
pub(super) struct Wanted {
    matcher: Matcher,
    sink: Option<String>,
    /// A line names no sender and no client: it is told to those alone who did not ask for any.
    lines: bool,
}

impl Wanted {
    pub(super) fn new(filter: &Filter, sink: Option<String>) -> Result<Self, String> {
        Ok(Self { matcher: filter.compile()?, sink, lines: *filter == Filter::default() })
    }

    fn account(&self, account: &Account) -> bool {
        let had_to_do = |sink: &String| account.ledger.entries.iter().any(|entry| *entry.sink == **sink);
        self.matcher.matches(account) && self.sink.as_ref().is_none_or(had_to_do)
    }

    fn line(&self, line: &Line) -> bool {
        self.lines && self.sink.as_ref().is_none_or(|sink| **sink == *line.sink)
    }
}

/// Feeds the client until it goes or the server stops.
pub(super) async fn tail(
    ops: &Ops,
    wanted: &Wanted,
    wire: &mut Wire,
    stopping: &CancellationToken,
) -> io::Result<Answer> {
    let (mut feed, mut journal) = (ops.history.watch(), ops.reload.journal().follow());
    wire.say(&Response::Following).await?;
    wire.flush().await?;
    loop {
        let next = tokio::select! {
            biased;
            () = wire.gone() => return Ok(Ok(None)),
            () = stopping.cancelled() => return Ok(Ok(None)),
            // A sink has logged before the account of it all is there.
            line = journal.recv() => line.map(|line| wanted.line(&line).then_some(Response::Line(line))),
            account = feed.recv() => account.map(|account| {
                wanted.account(&account).then(|| Response::Account(Box::new((*account).clone())))
            }),
        };
        match next {
            Ok(Some(told)) => wire.say(&told).await?,
            Ok(None) => continue,
            Err(RecvError::Lagged(missed)) => wire.say(&Response::Missed(missed)).await?,
            Err(RecvError::Closed) => return Ok(Ok(None)),
        }
        wire.flush().await?;
    }
}
