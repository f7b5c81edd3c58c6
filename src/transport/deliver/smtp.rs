//! Delivery by SMTP or LMTP to `host:port`, or to a socket of this machine at `unix:` and a path.
//!
//! The addresses of the host are tried in turn until one greets us; what comes after that decides the outcome. What
//! the server said becomes the reply of the outcome, in its own words.
//!
//! A connection that has carried a message is kept for the next one ([`super::pool`]).
//!
//! Not here: the hosts that MX records name (`exchange` finds them), TLS.

use super::connection::{self, Connection};
use super::fit::{Fit, fit};
use super::pool::{Key, Open, Pool};
use super::stream::{Network, Stream, UNIX};
use super::{Job, Target};
use crate::mail::{ForwardPath, OriginalRecipient, Reply};
use crate::smtp::client::{Addressee, Cause, Hop, Letter, RcptOutcome, Stage, Trouble};
use crate::smtp::xtext;
use crate::transport::outcome::{Details, Outcome, Reach};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// No connection could be made, or no server wanted us.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) remote: String,
    pub(super) cause: Cause,
}

/// The way to a server.
pub(super) struct Way<'a> {
    pub(super) pool: &'a Pool,
    pub(super) network: &'a dyn Network,
    pub(super) address: &'a str,
    /// Its addresses, if they need not be looked up.
    pub(super) known: Option<&'a [SocketAddr]>,
    pub(super) lmtp: bool,
}

impl Way<'_> {
    /// Tries to hand the job to the server.
    pub(super) async fn deliver(&self, job: &Job<'_>) -> Vec<Outcome> {
        let hop = Hop { helo: job.hostname.clone(), lmtp: self.lmtp };
        let key = Key { address: self.address.to_owned(), hop };
        if let Some(open) = self.pool.take(&key)
            && let Some(outcomes) = carry(self.pool, key.clone(), open, job).await
        {
            return outcomes;
        }
        let open = match self.open(&key.hop).await {
            Ok((remote, connection)) => Open { connection, remote, uses: 0 },
            Err(Refusal { remote, cause }) => {
                return vec![outcome(&remote, Reach::Mailbox, cause.outcome()); job.targets.len()];
            }
        };
        carry(self.pool, key, open, job).await.unwrap_or_default()
    }

    /// The first of the host's addresses that greets us, and how to name it.
    pub(super) async fn open(&self, hop: &Hop) -> Result<(String, Connection<Stream>), Refusal> {
        let address = self.address;
        if let Some(path) = address.strip_prefix(UNIX) {
            let connection = open_one(Stream::unix(Path::new(path)), hop).await;
            return match connection {
                Ok(connection) => Ok((address.to_owned(), connection)),
                Err(cause) => Err(Refusal { remote: address.to_owned(), cause }),
            };
        }
        let mut last = refusal(address, "the name has no address".to_owned());
        let all = match self.known {
            Some(known) => known.to_vec(),
            None => resolve(address).await?,
        };
        for found in all {
            let remote = name(address, found);
            match open_one(self.network.connect(found), hop).await {
                Ok(connection) => return Ok((remote, connection)),
                Err(cause) => last = Refusal { remote, cause },
            }
        }
        Err(last)
    }
}

/// Carries the job. None if the connection had been kept for too long: the server had closed it, and has seen nothing of the job.
async fn carry(pool: &Pool, key: Key, mut open: Open, job: &Job<'_>) -> Option<Vec<Outcome>> {
    let outcomes = fitted(&mut open.connection, job).await;
    if open.uses > 0 && outcomes.iter().all(is_stale) {
        return None;
    }
    // By LMTP the other side is the mailbox's own (RFC 2033).
    let reach = match (key.hop.lmtp, open.connection.offered().has("DSN")) {
        (true, _) => Reach::Mailbox,
        (false, true) => Reach::Promised,
        (false, false) => Reach::Relayed,
    };
    let outcomes = outcomes.into_iter().map(|o| outcome(&open.remote, reach, o)).collect();
    pool.put(key, open, job.per_connection);
    Some(outcomes)
}

/// Delivers the message in the form that the server can take.
async fn fitted(connection: &mut Connection<Stream>, job: &Job<'_>) -> Vec<RcptOutcome> {
    let mut letter = letter(job);
    match fit(job.message, letter.body, connection.offered()).await {
        Ok(Fit::AsIs(body)) => {
            letter.body = body;
            connection.deliver(letter, &job.message.content()).await
        }
        Ok(Fit::Converted(message, body)) => {
            (letter.body, letter.size) = (body, message.len());
            connection.deliver(letter, &message.content()).await
        }
        Err(trouble) => vec![Cause::Trouble { stage: Stage::Mail, trouble }.outcome(); letter.recipients.len()],
    }
}

/// Whether the server was gone before it said anything to this message.
pub(super) fn is_stale(outcome: &RcptOutcome) -> bool {
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

async fn open_one(stream: impl Future<Output = io::Result<Stream>>, hop: &Hop) -> Result<Connection<Stream>, Cause> {
    let client = connection::prepare(hop.clone());
    let unreachable = |why: String| Cause::Trouble { stage: Stage::Connect, trouble: Trouble::Unreachable(why) };
    match timeout(client.patience(), stream).await {
        Ok(Ok(stream)) => Connection::greet(stream, client).await,
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable("connecting took too long".to_owned())),
    }
}

fn letter(job: &Job<'_>) -> Letter {
    let envelope = job.envelope;
    Letter {
        sender: job.sender.clone(),
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

fn outcome(remote: &str, reach: Reach, from: RcptOutcome) -> Outcome {
    match from {
        RcptOutcome::Delivered(reply) => {
            Outcome::Delivered(Details { reply, remote: Some(remote.to_owned()), note: String::new(), reach })
        }
        RcptOutcome::Deferred(cause) => Outcome::Deferred(details(remote, cause)),
        RcptOutcome::Failed(cause) => Outcome::Failed(details(remote, cause)),
    }
}

fn details(remote: &str, cause: Cause) -> Details {
    match cause {
        Cause::Reply { stage, reply } => {
            let note = format!("that was {stage}");
            Details { reply, remote: Some(remote.to_owned()), note, reach: Reach::Mailbox }
        }
        Cause::Trouble { stage, ref trouble } => {
            let code = if trouble.is_permanent() { 554 } else { 451 };
            let reply = Reply::foreign(code, Some(trouble.status()), &trouble.told());
            Details::ours(reply, format!("{remote}: {trouble}, while waiting for {stage}"))
        }
    }
}
