//! Delivery by SMTP or LMTP to `host:port`.
//!
//! The addresses of the host are tried in turn until one greets us; what comes after that decides the outcome. What
//! the server said becomes the reply of the outcome, in its own words.
//!
//! A connection that has carried a message is kept for the next one ([`super::pool`]).
//!
//! Not here: MX records, TLS.

use super::connection::{self, Connection};
use super::pool::{Key, Open, Pool};
use super::{Job, Target};
use crate::mail::{ForwardPath, OriginalRecipient, Reply};
use crate::smtp::client::{Addressee, Cause, Hop, Letter, RcptOutcome, Stage, Trouble};
use crate::smtp::xtext;
use crate::transport::outcome::{Details, Outcome};
use std::net::SocketAddr;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// No connection could be made, or no server wanted us.
#[derive(Clone, Debug)]
struct Refusal {
    remote: String,
    cause: Cause,
}

/// Tries to hand the job to a server.
pub(super) async fn deliver(pool: &Pool, address: &str, lmtp: bool, job: &Job<'_>) -> Vec<Outcome> {
    let key = Key { address: address.to_owned(), hop: Hop { helo: job.hostname.clone(), lmtp } };
    if let Some(open) = pool.take(&key)
        && let Some(outcomes) = carry(pool, key.clone(), open, job).await
    {
        return outcomes;
    }
    let open = match open(address, &key.hop).await {
        Ok((remote, connection)) => Open { connection, remote, uses: 0 },
        Err(Refusal { remote, cause }) => return vec![outcome(&remote, cause.outcome()); job.targets.len()],
    };
    carry(pool, key, open, job).await.unwrap_or_default()
}

/// Carries the job. None if the connection had been kept for too long: the server had closed it, and has seen nothing of the job.
async fn carry(pool: &Pool, key: Key, mut open: Open, job: &Job<'_>) -> Option<Vec<Outcome>> {
    let outcomes = open.connection.deliver(letter(job), &job.message.content()).await;
    if open.uses > 0 && outcomes.iter().all(is_stale) {
        return None;
    }
    let outcomes = outcomes.into_iter().map(|o| outcome(&open.remote, o)).collect();
    pool.put(key, open);
    Some(outcomes)
}

/// Whether the server was gone before it said anything to this message.
fn is_stale(outcome: &RcptOutcome) -> bool {
    let RcptOutcome::Deferred(cause) = outcome else { return false };
    match cause {
        Cause::Reply { stage, reply } => is_first(*stage) && reply.code() == 421,
        Cause::Trouble { stage, trouble } => {
            is_first(*stage) && matches!(trouble, Trouble::Closed | Trouble::Broken(_))
        }
    }
}

fn is_first(stage: Stage) -> bool {
    matches!(stage, Stage::Idle | Stage::Reset | Stage::Mail)
}

/// The first of the host's addresses that greets us, and how to name it.
async fn open(address: &str, hop: &Hop) -> Result<(String, Connection<TcpStream>), Refusal> {
    let mut last = refusal(address, "the name has no address".to_owned());
    for found in resolve(address).await? {
        let remote = name(address, found);
        match open_one(found, hop).await {
            Ok(connection) => return Ok((remote, connection)),
            Err(cause) => last = Refusal { remote, cause },
        }
    }
    Err(last)
}

async fn resolve(address: &str) -> Result<Vec<SocketAddr>, Refusal> {
    match timeout(Stage::Connect.patience(), lookup_host(address)).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(refusal(address, format!("looking up the name: {error}"))),
        Err(_) => Err(refusal(address, "looking up the name took too long".to_owned())),
    }
}

fn refusal(address: &str, why: String) -> Refusal {
    let cause = Cause::Trouble { stage: Stage::Connect, trouble: Trouble::Unreachable(why) };
    Refusal { remote: address.to_owned(), cause }
}

fn name(address: &str, found: SocketAddr) -> String {
    if address == found.to_string() { address.to_owned() } else { format!("{address} [{}]", found.ip()) }
}

async fn open_one(address: SocketAddr, hop: &Hop) -> Result<Connection<TcpStream>, Cause> {
    let client = connection::prepare(hop.clone());
    let unreachable = |why: String| Cause::Trouble { stage: Stage::Connect, trouble: Trouble::Unreachable(why) };
    let stream = match timeout(client.patience(), TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(unreachable(error.to_string())),
        Err(_) => return Err(unreachable("connecting took too long".to_owned())),
    };
    // A group is one write; nothing is gained by waiting for more.
    stream.set_nodelay(true).map_err(|e| unreachable(e.to_string()))?;
    Connection::greet(stream, client).await
}

fn letter(job: &Job<'_>) -> Letter {
    let envelope = job.envelope;
    Letter {
        sender: envelope.sender.clone(),
        recipients: job.targets.iter().map(addressee).collect(),
        body: envelope.body,
        // Some clients ask for SMTPUTF8 whatever they send; a message that can do without should go without.
        smtputf8: envelope.smtputf8 && !job.message.header.raw().is_ascii(),
        size: job.message.len(),
        ret: envelope.ret,
        envid: envelope.envid.clone(),
    }
}

fn addressee(target: &Target<'_>) -> Addressee {
    let recipient = target.recipient;
    let orcpt = recipient.orcpt.clone().or_else(|| recipient.original.as_ref().map(original));
    Addressee { path: recipient.path.clone(), notify: recipient.notify, orcpt }
}

/// ORCPT for a recipient that was rewritten here: the address that the client gave (RFC 3461 5.2.1).
fn original(path: &ForwardPath) -> OriginalRecipient {
    let address = path.as_str();
    if address.is_ascii() {
        return OriginalRecipient { kind: "rfc822".to_owned(), address: xtext::encode(address) };
    }
    // A backslash would start an embedded character (RFC 6533 3).
    OriginalRecipient { kind: "utf-8".to_owned(), address: address.replace('\\', "\\x{5C}") }
}

fn outcome(remote: &str, from: RcptOutcome) -> Outcome {
    match from {
        RcptOutcome::Delivered(reply) => {
            Outcome::Delivered(Details { reply, remote: Some(remote.to_owned()), note: String::new() })
        }
        RcptOutcome::Deferred(cause) => Outcome::Deferred(details(remote, cause)),
        RcptOutcome::Failed(cause) => Outcome::Failed(details(remote, cause)),
    }
}

fn details(remote: &str, cause: Cause) -> Details {
    match cause {
        Cause::Reply { stage, reply } => {
            Details { reply, remote: Some(remote.to_owned()), note: format!("that was {stage}") }
        }
        Cause::Trouble { stage, ref trouble } => {
            let code = if trouble.is_permanent() { 554 } else { 451 };
            let reply = Reply::foreign(code, Some(trouble.status()), &trouble.told());
            Details::ours(reply, format!("{remote}: {trouble}, while waiting for {stage}"))
        }
    }
}
