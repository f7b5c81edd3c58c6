//! What waits is sent on a connection that its receiver has turned round (RFC 2645 5.2): EHLO, the messages one after the other, QUIT.
//!
//! A connection that breaks loses nothing: what was not acknowledged goes on waiting, with an attempt more. Messages that come in
//! meanwhile are sent as well; none is tried twice.

use crate::event::host::{Scope, Turned};
use crate::mail::Id;
use crate::transport::deliver::Called;
use crate::transport::dossier::Dossier;
use crate::transport::pass::Pass;
use crate::transport::pipeline::Pipeline;
use crate::transport::taken::Ticket;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Sends what waits.
pub(super) async fn hand_over(pipeline: &Arc<Pipeline>, turned: Turned) {
    let Turned { stream, scopes, session, origin } = turned;
    let client = origin.client.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
    let user = origin.auth.clone().unwrap_or_default();
    let named: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    let named = named.join(", ");
    let hostname = pipeline.queue.current.pin().settings.hostname.clone();
    let mut called = match Called::greet(stream, &hostname, format!("turned connection of {client}")).await {
        Ok(called) => called,
        Err(why) => {
            tracing::warn!(%session, client, user = &*user, "the connection was turned round for {named}, and failed: {why}");
            return;
        }
    };
    tracing::info!(%session, client, user = &*user, "the connection is turned round for {named}");
    let mut seen = BTreeSet::new();
    loop {
        let all = pipeline.waiting.messages(&scopes, |id| pipeline.queue.has(id));
        let next: Vec<Id> = all.difference(&seen).copied().collect();
        if next.is_empty() || pipeline.stopping.is_cancelled() || !called.is_ready() {
            break;
        }
        for id in next {
            if pipeline.stopping.is_cancelled() || !called.is_ready() {
                break;
            }
            seen.insert(id);
            // Whoever has it at the moment leaves it waiting.
            if let Some(ticket) = pipeline.queue.take(id) {
                one(pipeline, ticket, &scopes, &mut called).await;
            }
        }
    }
    let left = pipeline.waiting.messages(&scopes, |id| pipeline.queue.has(id)).len();
    let (delivered, deferred, failed) = called.counts();
    tracing::info!(
        %session, client, user = &*user, delivered, deferred, failed, left,
        "handed over for {named}: {delivered} delivered, {deferred} deferred, {failed} failed; {left} messages wait"
    );
    called.quit().await;
}

async fn one(pipeline: &Arc<Pipeline>, ticket: Ticket, scopes: &[Scope], called: &mut Called) {
    let id = ticket.id;
    let taken = match ticket.load().await {
        Ok(taken) => taken,
        Err((_, fault)) => {
            tracing::error!(%id, %fault, "a message can't be read, and waits");
            return;
        }
    };
    // A pass notes it again if something of it goes on waiting.
    pipeline.waiting.remove(scopes, id);
    if taken.entry.hold.is_some() {
        return;
    }
    let snapshot = pipeline.queue.current.pin();
    let dossier = Dossier::new(pipeline.queue.clone(), snapshot, taken);
    Pass::called_for(pipeline, dossier, scopes).hand_over(called).await;
}
