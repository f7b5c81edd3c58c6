//! `etrn`: a receiver asks that its mail be tried now (RFC 1985).
//!
//! Who may ask for which domains is said by networks and by authenticated users; nobody else is told that the verb exists. How often is
//! bounded for each client and node. Mail goes where it always goes, over connections of our own, so that nobody gets another's mail by
//! asking. Parked mail stays parked. What waits for ATRN is not sent by it.

use super::bucket::{Buckets, Rate, Take};
use super::scopes::{NetworkText, ScopeText, UserText};
use super::value;
use crate::event::host::{QueueFault, QueueOf, Scope};
use crate::event::{Claims, CommandAnswer, Conditions, Env, Fault, Heard, OnLater, Ruling, VerbClaim, View, on};
use crate::mail::{EnhancedCode, Origin, Reply};
use async_trait::async_trait;
use serde::Deserialize;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Clients and nodes whose last request is remembered. About 200 octets each.
const BUCKETS_MAX: usize = 10_000;
/// The longest node, in octets: a domain and what stands before it.
const NODE_MAX: usize = 256;

const SYNTAX: Reply = Reply::new(501, EnhancedCode(5, 5, 4), "Say ETRN and a domain, @domain or #queue");
const HELLO_FIRST: Reply = Reply::new(503, EnhancedCode(5, 5, 1), "Say EHLO first");
const IN_MAIL: Reply = Reply::new(503, EnhancedCode(5, 5, 1), "Transaction is open; finish it or send RSET");

/// `[sink.config]` of `etrn`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Config {
    /// Who may ask for what.
    allow: Vec<AllowConfig>,
    /// The least time between two requests of a client for the same node.
    #[serde(deserialize_with = "value::duration", default = "a_minute")]
    every: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AllowConfig {
    domains: Vec<ScopeText>,
    #[serde(default)]
    clients: Vec<NetworkText>,
    #[serde(default)]
    users: Vec<UserText>,
    /// `#queue` for all of these domains.
    queue: Option<String>,
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

/// The sink.
pub(super) struct Etrn {
    queue: QueueOf,
    allow: Vec<Allow>,
    buckets: Option<Arc<Buckets>>,
    every: Duration,
}

struct Allow {
    scopes: Vec<Scope>,
    queue: Option<String>,
    who: Conditions,
}

/// Opens the sink. Who has asked is remembered over a reload.
pub(super) fn open(config: Config, env: &mut Env) -> Result<Etrn, String> {
    let queue = env.queue.clone().ok_or("it needs the queue: write `[sink.allow]` with `queue = true`")?;
    if config.allow.is_empty() {
        return Err(
            "nobody could ask: give it `allow`, a list of tables with `domains` and `clients` or `users`".into()
        );
    }
    let before = env.predecessor::<Etrn>().filter(|before| before.every == config.every);
    let rate = Rate { burst: NonZeroU32::MIN, tokens: NonZeroU32::MIN, per: config.every };
    let fresh = || Arc::new(Buckets::new(rate, BUCKETS_MAX, env.clock.clone()));
    let buckets = before.and_then(|before| before.buckets.clone());
    let buckets = (!config.every.is_zero()).then(|| buckets.unwrap_or_else(fresh));
    let allow = config.allow.into_iter().map(allow).collect::<Result<_, _>>()?;
    Ok(Etrn { queue, allow, buckets, every: config.every })
}

fn allow(config: AllowConfig) -> Result<Allow, String> {
    if config.domains.is_empty() {
        return Err("an entry of `allow` has no `domains`".to_owned());
    }
    if config.clients.is_empty() && config.users.is_empty() {
        return Err("an entry of `allow` has neither `clients` nor `users`: say who may ask".to_owned());
    }
    let who = Conditions {
        tls: false,
        users: config.users.into_iter().map(|user| user.0).collect(),
        clients: config.clients.into_iter().map(|net| net.0).collect(),
    };
    Ok(Allow { scopes: config.domains.into_iter().map(|scope| scope.0).collect(), queue: config.queue, who })
}

impl Etrn {
    fn claims(&self) -> Claims {
        let mut who = Conditions::default();
        for allow in &self.allow {
            who.users.extend_from_slice(&allow.who.users);
            who.clients.extend_from_slice(&allow.who.clients);
        }
        Claims { verbs: vec![VerbClaim::new("ETRN").announced("ETRN").under(who)], ..Claims::default() }
    }

    /// What the client asks for.
    fn asked(&self, node: &str, origin: &Origin) -> Result<Vec<Scope>, Reply> {
        let mine = self.allow.iter().filter(|allow| allow.who.met(origin) == crate::event::Met::Yes);
        if let Some(name) = node.strip_prefix('#') {
            if name.is_empty() || name.len() > NODE_MAX || !name.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(SYNTAX);
            }
            let named = |allow: &&Allow| allow.queue.as_deref().is_some_and(|queue| queue.eq_ignore_ascii_case(name));
            let found = mine.into_iter().find(named).map(|allow| allow.scopes.clone());
            return found.ok_or_else(|| not_allowed(node, "it is no queue of yours"));
        }
        let scope = Scope::parse(node).filter(|_| node.len() <= NODE_MAX).ok_or(SYNTAX)?;
        let covered = mine.into_iter().any(|allow| allow.scopes.iter().any(|own| own.covers(&scope)));
        if covered { Ok(vec![scope]) } else { Err(not_allowed(node, "it is not yours")) }
    }

    /// Who asks too often is told so.
    fn pace(&self, node: &str, origin: &Origin) -> Result<(), Reply> {
        let who =
            origin.auth.as_deref().map(ToOwned::to_owned).or(origin.client.map(|ip| ip.to_canonical().to_string()));
        let key = format!("{} {}", who.unwrap_or_default(), node.to_ascii_lowercase());
        match self.buckets.as_ref().map(|buckets| buckets.take(&key, 1)) {
            Some(Take::Wait(time)) => {
                let seconds = time.as_millis().div_ceil(1000).max(1);
                Err(unable(node, &format!("asked for a moment ago, try again in {seconds} s")))
            }
            _ => Ok(()),
        }
    }

    async fn answer(&self, node: &str, origin: &Origin) -> Reply {
        let scopes = match self.asked(node, origin).and_then(|scopes| self.pace(node, origin).map(|()| scopes)) {
            Ok(scopes) => scopes,
            Err(reply) => return reply,
        };
        let by = format!("ETRN {node}");
        let started = match self.queue.get() {
            Ok(queue) => queue.start(&scopes, &by).await,
            Err(fault) => Err(fault),
        };
        match started {
            Ok(0) => told(251, EnhancedCode(2, 0, 0), &format!("OK, no messages waiting for node {node}")),
            Ok(count) => {
                told(253, EnhancedCode(2, 0, 0), &format!("OK, {count} pending messages for node {node} started"))
            }
            Err(QueueFault::Busy) => unable(node, "others are asking, try again in a moment"),
            Err(fault) => {
                tracing::warn!("ETRN {node}: {fault}");
                unable(node, "the queue is not available")
            }
        }
    }
}

fn told(code: u16, status: EnhancedCode, text: &str) -> Reply {
    Reply::foreign(code, Some(status), text)
}

fn unable(node: &str, why: &str) -> Reply {
    told(458, EnhancedCode(4, 3, 0), &format!("Unable to queue messages for node {node}: {why}"))
}

fn not_allowed(node: &str, why: &str) -> Reply {
    told(459, EnhancedCode(4, 7, 1), &format!("Node {node} not allowed: {why}"))
}

#[async_trait]
impl OnLater<on::InCommand> for Etrn {
    async fn on_later(&self, heard: &mut Heard<'_, on::InCommand>) -> Result<Ruling<on::InCommand>, Fault> {
        let View::Verb { verb: "ETRN", argument, .. } = heard.view else { return Ok(Ruling::next()) };
        let reply = match () {
            () if heard.origin.helo.is_none() => HELLO_FIRST,
            () if heard.transaction.is_some() => IN_MAIL,
            () => self.answer(argument, heard.origin).await,
        };
        Ok(Ruling::answer(CommandAnswer::Reply(reply)))
    }
}

crate::hears!(Etrn { InCommand: later } claims = Etrn::claims);

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, TestQueue};
    use crate::event::host::QueueFault;
    use std::time::Duration;

    const ALLOW: &str = "allow = [
        { domains = ['example.org', '@example.net'], clients = ['192.0.2.0/24'], queue = 'site' },
        { domains = ['example.edu'], users = ['edu'] },
    ]";

    fn rig() -> (Rig, TestQueue) {
        let mut rig = Rig::of("etrn", ALLOW);
        let queue = rig.queue();
        rig.client("192.0.2.1");
        rig.origin.helo = Some("site.example.org".into());
        (rig, queue)
    }

    #[tokio::test]
    async fn all_replies_of_rfc_1985() {
        let (mut rig, queue) = rig();
        queue.holds(3);
        assert_eq!(
            rig.command("ETRN", "example.org").await,
            "253 2.0.0 OK, 3 pending messages for node example.org started"
        );
        assert_eq!(queue.started(), ["example.org"]);
        queue.holds(0);
        assert_eq!(
            rig.command("ETRN", "@a.example.net").await,
            "251 2.0.0 OK, no messages waiting for node @a.example.net"
        );
        assert_eq!(rig.command("ETRN", "#Site").await, "251 2.0.0 OK, no messages waiting for node #Site");
        assert_eq!(queue.started(), ["example.org", "@a.example.net", "example.org", "@example.net"]);
        let refused = "459 4.7.1 Node example.com not allowed: it is not yours";
        assert_eq!(rig.command("ETRN", "example.com").await, refused);
        assert_eq!(rig.command("ETRN", "#other").await, "459 4.7.1 Node #other not allowed: it is no queue of yours");
        for bad in ["", "a b", "#", "@", "-x", "[192.0.2.1]", "x'; DROP TABLE queue"] {
            assert_eq!(rig.command("ETRN", bad).await, "501 5.5.4 Say ETRN and a domain, @domain or #queue", "{bad}");
        }
        queue.fails(QueueFault::Unavailable("the spool is sick".into()));
        let unable = "458 4.3.0 Unable to queue messages for node b.example.net: the queue is not available";
        assert_eq!(rig.command("ETRN", "b.example.net").await, unable);
    }

    #[tokio::test]
    async fn a_domain_and_those_below_it_are_two_things() {
        let (mut rig, _queue) = rig();
        assert!(rig.command("ETRN", "@example.org").await.starts_with("459 "), "only the domain itself was granted");
        assert!(rig.command("ETRN", "a.example.org").await.starts_with("459 "));
        assert!(rig.command("ETRN", "example.edu").await.starts_with("459 "), "another's");
    }

    #[tokio::test]
    async fn so_often_for_each_client_and_node() {
        let (mut rig, _queue) = rig();
        assert!(rig.command("ETRN", "example.org").await.starts_with("251 "));
        let often =
            "458 4.3.0 Unable to queue messages for node EXAMPLE.org: asked for a moment ago, try again in 60 s";
        assert_eq!(rig.command("ETRN", "EXAMPLE.org").await, often);
        assert!(rig.command("ETRN", "example.net").await.starts_with("251 "), "another node");
        rig.client("192.0.2.2");
        assert!(rig.command("ETRN", "example.org").await.starts_with("251 "), "another client");
        rig.clock.advance(Duration::from_secs(60));
        rig.client("192.0.2.1");
        assert!(rig.command("ETRN", "example.org").await.starts_with("251 "));
    }

    #[tokio::test]
    async fn who_is_not_meant_is_not_heard() {
        let (mut rig, _queue) = rig();
        rig.client("198.51.100.1");
        assert_eq!(rig.command("ETRN", "example.org").await, "ok", "the server has refused it before");
        rig.origin.auth = Some("edu".into());
        assert!(rig.command("ETRN", "example.edu").await.starts_with("251 "));
        assert!(rig.command("ETRN", "example.org").await.starts_with("459 "));
    }

    #[test]
    fn configurations_that_let_nobody_ask() {
        for (config, told) in [
            ("allow = []", "nobody could ask"),
            ("allow = [{ domains = ['x.example'] }]", "neither `clients` nor `users`"),
            ("allow = [{ domains = [], users = ['*'] }]", "has no `domains`"),
            ("allow = [{ domains = ['*.x.example'], users = ['*'] }]", "is no domain: write"),
            ("allow = [{ domains = ['x.example'], clients = ['10.0.0.1/8'] }]", "write 10.0.0.0/8"),
        ] {
            let error = Rig::errors("etrn", config);
            assert!(error.contains(told), "{config}: {error}");
        }
    }
}
