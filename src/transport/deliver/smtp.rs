//! Delivery by SMTP or LMTP to `host:port`, or to a socket of this machine at `unix:` and a path.
//!
//! The addresses of the host are tried in turn until one greets us; what comes after that decides the outcome. What
//! the server said becomes the reply of the outcome, in its own words.
//!
//! A connection that has carried a message is kept for the next one ([`super::pool`]).
//!
//! Where TLS need not be and its handshake fails, the same address is tried once more without, and the log says so.
//!
//! Not here: the hosts that MX records name (`exchange` finds them), what TLS has to prove (`security`).

use super::connection::{Connection, Unmet};
use super::fit::{Fit, fit};
use super::pool::{Key, Open, Pool};
use super::safety::Safety;
use super::stream::{Network, Stream, UNIX};
use super::{Job, Target};
use crate::mail::{ForwardPath, OriginalRecipient, Reply};
use crate::smtp::client::{Addressee, Cause, Hop, Letter, RcptOutcome, Stage, Terms, Trouble};
use crate::smtp::xtext;
use crate::tls::client::{Demand, Failure, Kind};
use crate::transport::ears::Ears;
use crate::transport::outcome::{Details, Outcome, Reach};
use crate::transport::security::Advisor;
use crate::transport::security::reports::{Basis, Tried};
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
    /// What the server has to prove, and who we are.
    pub(super) safety: Safety,
    /// Who counts what comes of TLS, and for which domain.
    pub(super) of_domain: Option<(&'a Advisor, &'a str)>,
}

impl Way<'_> {
    /// Tries to hand the job to the server. Sinks who hear of connections say first on what terms.
    pub(super) async fn deliver(&self, job: &Job<'_>, mut ears: Option<&mut Ears<'_>>) -> Vec<Outcome> {
        let terms = match ears.as_deref_mut() {
            None => Terms::default(),
            Some(ears) => match ears.connect().await {
                Ok(terms) => terms,
                Err(reply) => {
                    let cause = Cause::Ours { stage: Stage::Connect, reply };
                    return vec![outcome(self.address, Reach::Mailbox, cause.outcome()); job.targets.len()];
                }
            },
        };
        let hop = Hop { helo: terms.helo.as_ref().unwrap_or(job.hostname).clone(), lmtp: self.lmtp };
        let safety = self.safety.clone().with(terms.tls, terms.credentials.as_ref(), host(self.address));
        let safety = match safety {
            Ok(safety) => safety,
            Err(why) => return self.refused(Trouble::Tls(why), job),
        };
        let key = Key { address: self.address.to_owned(), hop, terms, safety };
        if let Some(mut open) = self.pool.take(&key) {
            open.connection.hear_by(&open.remote, ears.as_deref_mut());
            if let Some(outcomes) = carry(self.pool, key.clone(), open, job, ears.as_deref_mut()).await {
                return outcomes;
            }
        }
        let open = match self.open(&key, ears.as_deref_mut()).await {
            Ok((remote, connection)) => Open { connection, remote, uses: 0 },
            Err(Refusal { remote, cause }) => {
                return vec![outcome(&remote, Reach::Mailbox, cause.outcome()); job.targets.len()];
            }
        };
        carry(self.pool, key, open, job, ears).await.unwrap_or_default()
    }

    /// Counts what came of TLS. A host that can't be reached says nothing of it.
    fn note(&self, safety: &Safety, found: SocketAddr, opened: &Result<Connection, Unmet>) {
        let Some((advisor, domain)) = self.of_domain else { return };
        let failure = match opened {
            Ok(connection) => match connection.tls() {
                Some(tls) => tls.flaw.clone(),
                None => Some(Failure::new(Kind::NoStartTls, "the server offers no TLS, or refuses it")),
            },
            Err(Unmet { failure: Some(failure), .. }) => Some(failure.clone()),
            Err(Unmet { cause: Cause::Trouble { stage: Stage::StartTls, trouble }, .. }) => {
                let kind = if *trouble == Trouble::NoStartTls { Kind::NoStartTls } else { Kind::ValidationFailure };
                Some(Failure::new(kind, trouble.to_string()))
            }
            Err(Unmet { cause: cause @ Cause::Reply { stage: Stage::StartTls, .. }, .. }) => {
                Some(Failure::new(Kind::NoStartTls, cause.to_string()))
            }
            Err(_) => return,
        };
        match (&safety.demand, &failure) {
            (Demand::None, _) => return,
            (Demand::Tested { .. }, Some(failure)) => {
                let host = self.address;
                tracing::warn!(%domain, %host, "the mail goes, for the domain's policy of MTA-STS is in testing; else it would wait: {failure}");
            }
            _ => {}
        }
        let (basis, result) = (Basis::of(&safety.demand), failure.as_ref().map_or(Ok(()), Err));
        advisor.note(Tried { domain, basis, host: self.address, ip: Some(found.ip()), result });
    }

    /// No connection is opened.
    fn refused(&self, trouble: Trouble, job: &Job<'_>) -> Vec<Outcome> {
        let cause = Cause::Trouble { stage: Stage::Connect, trouble };
        vec![outcome(self.address, Reach::Mailbox, cause.outcome()); job.targets.len()]
    }

    /// The first of the host's addresses that greets us, and how to name it.
    pub(super) async fn open(
        &self,
        key: &Key,
        mut ears: Option<&mut Ears<'_>>,
    ) -> Result<(String, Connection), Refusal> {
        let address = self.address;
        if let Some(path) = address.strip_prefix(UNIX) {
            let connection = open_one(Stream::unix(Path::new(path)), key, &key.safety, address, ears).await;
            return match connection {
                Ok(connection) => Ok((address.to_owned(), connection)),
                Err(Unmet { cause, .. }) => Err(Refusal { remote: address.to_owned(), cause }),
            };
        }
        let mut last = refusal(address, "the name has no address".to_owned());
        let all = match self.known {
            Some(known) => known.to_vec(),
            None => resolve(address).await?,
        };
        for found in all {
            let remote = name(address, found);
            let source = key.terms.source;
            if let Some(source) = source.filter(|source| source.is_ipv4() != found.is_ipv4()) {
                last = refusal(&remote, format!("from {source} there is no way to an address of another kind"));
                continue;
            }
            let connect = || self.network.connect(found, source);
            let mut opened = open_one(connect(), key, &key.safety, &remote, ears.as_deref_mut()).await;
            self.note(&key.safety, found, &opened);
            if let Err(unmet) = &opened
                && let Some(plain) = fall_back(&key.safety, unmet)
            {
                tracing::info!(%remote, "TLS failed, and is not required: the mail goes without: {}", unmet.cause);
                opened = open_one(connect(), key, &plain, &remote, ears.as_deref_mut()).await;
            }
            match opened {
                Ok(connection) => {
                    let tls = connection.tls().map_or_else(|| "none".to_owned(), ToString::to_string);
                    tracing::debug!(%remote, demand = %key.safety.demand, %tls, "connected");
                    return Ok((remote, connection));
                }
                // What we have refused ourselves is refused at every address.
                Err(Unmet { cause: cause @ Cause::Ours { .. }, .. }) => return Err(Refusal { remote, cause }),
                Err(Unmet { cause, .. }) => last = Refusal { remote, cause },
            }
        }
        Err(last)
    }
}

/// What to try if TLS could not be had where it need not be: the same without. Plaintext behind the server's go-ahead is no reason
/// to go on in plain.
fn fall_back(safety: &Safety, unmet: &Unmet) -> Option<Safety> {
    let broke = match &unmet.cause {
        Cause::Trouble { stage: Stage::StartTls, trouble } => *trouble != Trouble::Injected,
        _ => false,
    };
    let may = safety.demand.does_without() && !safety.implicit && broke;
    may.then(|| Safety { demand: Demand::None, ..safety.clone() })
}

/// The name of the server in `host:port`, without the brackets of an address.
fn host(address: &str) -> &str {
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => address,
    };
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Carries the job. None if the connection had been kept for too long: the server had closed it, and has seen nothing of the job.
async fn carry(
    pool: &Pool,
    key: Key,
    mut open: Open,
    job: &Job<'_>,
    ears: Option<&mut Ears<'_>>,
) -> Option<Vec<Outcome>> {
    let outcomes = fitted(&mut open.connection, job, key.hop.lmtp, ears).await;
    if open.uses > 0 && outcomes.iter().all(is_stale) {
        return None;
    }
    let outcomes = told(&open.connection, &open.remote, key.hop.lmtp, job, outcomes);
    pool.put(key, open, job.per_connection);
    Some(outcomes)
}

/// Carries the job over a connection that is nobody else's.
pub(super) async fn carry_on(
    connection: &mut Connection,
    remote: &str,
    job: &Job<'_>,
    ears: Option<&mut Ears<'_>>,
) -> Vec<Outcome> {
    let outcomes = fitted(connection, job, false, ears).await;
    told(connection, remote, false, job, outcomes)
}

/// The outcomes, with how far they reach.
fn told(connection: &Connection, remote: &str, lmtp: bool, job: &Job<'_>, outcomes: Vec<RcptOutcome>) -> Vec<Outcome> {
    // By LMTP the other side is the mailbox's own (RFC 2033).
    let reach = match (lmtp, connection.offered().has("DSN")) {
        (true, _) => Reach::Mailbox,
        (false, true) => Reach::Promised,
        (false, false) => Reach::Relayed,
    };
    let tls = connection.tls().map(ToString::to_string).unwrap_or_default();
    let tells = reach != Reach::Mailbox && job.request.tells_of_relay(connection.offered().has("DELIVERBY"));
    let told = |outcome| match outcome {
        Outcome::Delivered(details) => Outcome::Delivered(Details { tells, note: tls.clone(), ..details }),
        other => other,
    };
    outcomes.into_iter().map(|o| told(outcome(remote, reach, o))).collect()
}

/// Delivers the message in the form that the server can take, with what sinks put on top of it.
async fn fitted(
    connection: &mut Connection,
    job: &Job<'_>,
    lmtp: bool,
    mut ears: Option<&mut Ears<'_>>,
) -> Vec<RcptOutcome> {
    let mut letter = letter(job);
    let refused = |cause: Cause| vec![cause.outcome(); letter.recipients.len()];
    if !lmtp && job.request.needs_verified_tls(job.sender) && !connection.has_verified_tls() {
        return refused(Cause::Trouble { stage: Stage::Mail, trouble: Trouble::NoVerifiedTls });
    }
    let (message, body) = match fit(job.message, letter.body, connection.offered()).await {
        Ok(Fit::AsIs(body)) => (job.message.clone(), body),
        Ok(Fit::Converted(message, body)) => (message, body),
        Err(trouble) => return refused(Cause::Trouble { stage: Stage::Mail, trouble }),
    };
    let message = match connection.stamped(message, ears.as_deref_mut()).await {
        Ok(message) => message,
        Err(reply) => return refused(Cause::Ours { stage: Stage::Mail, reply }),
    };
    (letter.body, letter.size) = (body, message.len());
    connection.deliver(letter, &message.content(), ears).await
}

/// Whether the server was gone before it said anything to this message.
pub(super) fn is_stale(outcome: &RcptOutcome) -> bool {
    let RcptOutcome::Deferred(cause) = outcome else { return false };
    match cause {
        Cause::Reply { stage, reply } => is_first(*stage) && reply.code() == 421,
        Cause::Trouble { stage, trouble } => {
            is_first(*stage) && matches!(trouble, Trouble::Closed | Trouble::Broken(_))
        }
        Cause::Ours { .. } => false,
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

async fn open_one(
    stream: impl Future<Output = io::Result<Stream>>,
    key: &Key,
    safety: &Safety,
    remote: &str,
    ears: Option<&mut Ears<'_>>,
) -> Result<Connection, Unmet> {
    let unreachable = |why: String| {
        let cause = Cause::Trouble { stage: Stage::Connect, trouble: Trouble::Unreachable(why) };
        Unmet { cause, failure: None }
    };
    match timeout(Stage::Connect.patience(), stream).await {
        Ok(Ok(stream)) => Connection::greet(stream, key.hop.clone(), (safety, host(&key.address)), remote, ears).await,
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
        wishes: job.request.wishes(),
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
            let ours = Details::ours(reply, String::new());
            Outcome::Delivered(Details { remote: Some(remote.to_owned()), reach, ..ours })
        }
        RcptOutcome::Deferred(cause) => Outcome::Deferred(details(remote, cause)),
        RcptOutcome::Failed(cause) => Outcome::Failed(details(remote, cause)),
    }
}

fn details(remote: &str, cause: Cause) -> Details {
    match cause {
        Cause::Reply { stage, reply } => {
            let note = format!("that was {stage}");
            Details { remote: Some(remote.to_owned()), ..Details::ours(reply, note) }
        }
        Cause::Ours { ref reply, .. } => Details::ours(reply.clone(), format!("{remote}: {cause}")),
        Cause::Trouble { stage, ref trouble } => {
            let code = if trouble.is_permanent() { 554 } else { 451 };
            let reply = Reply::foreign(code, Some(trouble.status()), &trouble.told());
            let elsewhere = trouble.is_of_the_host();
            Details { elsewhere, ..Details::ours(reply, format!("{remote}: {trouble}, while waiting for {stage}")) }
        }
    }
}
