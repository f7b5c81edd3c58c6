//! The door of `mailsluice send`: a message from an operator or a program of this machine.
//!
//! Who may use the socket may send anywhere, so there is no relay check; users of local domains must exist. The limits on
//! size, header, recipients and hops are those of every other door. A refusal is noted in the history and names its id.

use super::commands::Ops;
use super::wire::Wire;
use crate::intake::{Reports, Visit};
use crate::mail::{Door, ForwardPath, Id, Reply, ReversePath};
use std::io;

/// Takes a message whose octets follow on the wire. An inner error is a refusal; the octets may not have been read then.
pub(super) async fn send(
    ops: &Ops,
    envelope: (ReversePath, Vec<ForwardPath>),
    reports: Reports,
    octets: u64,
    wire: &mut Wire,
) -> io::Result<Result<Id, Reply>> {
    let snapshot = ops.current.pin();
    let mut visit = Visit::new(&ops.intake, &snapshot, Door::Send, envelope, octets);
    visit.ask_for(reports);
    let refusal = match visit.guards(octets) {
        Some(reply) => Some(reply),
        None => content(&mut visit, octets, wire).await?,
    };
    Ok(visit.end(refusal).await)
}

/// Reads the message onto the transaction.
async fn content(visit: &mut Visit<'_>, octets: u64, wire: &mut Wire) -> io::Result<Option<Reply>> {
    let mut letter = visit.letter();
    let mut left = octets;
    while left > 0 {
        let chunk = wire.octets(left).await?;
        left -= chunk.len() as u64;
        if let Err(fault) = letter.write(&chunk) {
            tracing::error!(id = %visit.id(), %fault, "the draft can't be written");
            return Ok(Some(fault.reply()));
        }
    }
    Ok(visit.finish(letter))
}
