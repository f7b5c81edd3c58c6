//! A hop with the hosts behind it: what a turn is taken for.

use super::Pass;
use crate::event::host::{DnsFault, Mx, RecordKind, Resolver, Signed, Tlsa};
use crate::event::{Answer, Decision, Dispatcher, Event, Focus, Question, Stage};
use crate::mail::{EnhancedCode, Origin, Reply};
use crate::snapshot::Snapshot;
use crate::transport::deliver::{NextHop, Safety};
use crate::transport::exchange::{Exchange, Ourselves, exchanges, site};
use crate::transport::outcome::{Details, Outcome};
use crate::transport::pipeline::Pipeline;
use async_trait::async_trait;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where SMTP servers listen.
pub(in crate::transport) const SMTP: u16 = 25;

const NO_SINK: Reply = Reply::new(451, EnhancedCode(4, 3, 5), "No route to this domain at present");

/// Hops that are one site: one turn is for all of them.
pub(in crate::transport) struct Stop {
    /// The name of the site; none if there is nothing to connect to.
    pub(in crate::transport) site: Option<Arc<str>>,
    pub(in crate::transport) hops: Vec<NextHop>,
}

impl Pass<'_> {
    /// The hosts behind a hop. The error is the outcome of a try at it.
    pub(super) async fn stop(&self, hop: &NextHop) -> Result<Stop, Outcome> {
        match hop {
            NextHop::Mx(name) => hosts(self.pipeline, &self.dossier.snapshot, &self.dossier.entry().origin, name).await,
            NextHop::Sink(name) if self.dossier.snapshot.sinks.iter().all(|sink| *sink.name != **name) => {
                Err(Outcome::Deferred(Details::ours(NO_SINK, format!("there is no sink `{name}` to deliver"))))
            }
            hop => Ok(Stop { site: hop.site().map(Arc::from), hops: vec![hop.clone()] }),
        }
    }
}

/// The hosts that the DNS, or a sink in its place, names for a domain. The error is the outcome of a try at them.
pub(in crate::transport) async fn hosts(
    pipeline: &Pipeline,
    snapshot: &Snapshot,
    origin: &Origin,
    name: &str,
) -> Result<Stop, Outcome> {
    let asking = Asking { resolver: &*pipeline.resolver, dispatcher: &snapshot.dispatcher, origin };
    let listeners = pipeline.own_addresses(&snapshot.settings);
    let ourselves = Ourselves { hostname: snapshot.settings.hostname.as_str(), addresses: &listeners };
    let mut shuffle = pipeline.shuffle();
    let found = exchanges(&asking, name, &ourselves, &mut |n| shuffle.below(n)).await?;
    let hop = |exchange: &Exchange| NextHop::Host {
        name: exchange.host.as_str().into(),
        addresses: exchange.addresses.iter().map(|ip| SocketAddr::new(*ip, SMTP)).collect(),
        domain: name.into(),
        secure: exchange.secure,
        safety: Safety::default(),
    };
    Ok(Stop { site: Some(site(&found).into()), hops: found.iter().map(hop).collect() })
}

/// The resolver, behind the sinks that hear `dns.resolve`.
struct Asking<'a> {
    resolver: &'a dyn Resolver,
    dispatcher: &'a Dispatcher,
    origin: &'a Origin,
}

impl Asking<'_> {
    /// What sinks answer; none if nobody does.
    async fn heard(&self, name: &str, kind: RecordKind) -> Result<Option<Vec<String>>, DnsFault> {
        if !self.dispatcher.hears(Event::DnsResolve) {
            return Ok(None);
        }
        let mut stage = Stage::new(self.origin);
        stage.focus = Focus::Question(Question { name, kind });
        match self.dispatcher.raise(Event::DnsResolve, &mut stage).await {
            Decision::Answer(Answer::Records(records)) if records.is_empty() => Err(DnsFault::NotFound),
            Decision::Answer(Answer::Records(records)) => Ok(Some(records)),
            Decision::Defer(reply, _) => Err(DnsFault::Temporary(format!("a sink has deferred it: {reply}").into())),
            _ => Ok(None),
        }
    }
}

#[async_trait]
impl Resolver for Asking<'_> {
    async fn mx(&self, domain: &str) -> Result<Signed<Vec<Mx>>, DnsFault> {
        match self.heard(domain, RecordKind::Mx).await? {
            Some(records) => Ok(Signed::insecure(records.iter().map(|text| mx(text)).collect::<Result<_, _>>()?)),
            None => self.resolver.mx(domain).await,
        }
    }

    async fn addresses(&self, host: &str) -> Result<Signed<Vec<IpAddr>>, DnsFault> {
        match self.heard(host, RecordKind::A).await? {
            Some(records) => Ok(Signed::insecure(records.iter().map(|text| address(text)).collect::<Result<_, _>>()?)),
            None => self.resolver.addresses(host).await,
        }
    }

    async fn tlsa(&self, name: &str) -> Result<Signed<Vec<Tlsa>>, DnsFault> {
        self.resolver.tlsa(name).await
    }

    async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFault> {
        self.resolver.texts(name).await
    }

    async fn validates(&self) -> bool {
        self.resolver.validates().await
    }
}

fn mx(text: &str) -> Result<Mx, DnsFault> {
    let parsed =
        text.split_once(' ').and_then(|(preference, host)| Some(Mx::new(preference.parse().ok()?, host.trim())));
    parsed.ok_or_else(|| foreign(text, "`10 mx.example.`"))
}

fn address(text: &str) -> Result<IpAddr, DnsFault> {
    text.parse().map_err(|_| foreign(text, "an IP address"))
}

/// A sink's mistake is not the domain's fault: mail waits.
fn foreign(text: &str, wanted: &str) -> DnsFault {
    let text: String = text.chars().take(100).collect();
    DnsFault::Temporary(format!("a sink has answered `{text}`, which is not {wanted}").into())
}
