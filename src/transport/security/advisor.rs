//! From a domain and one of its hosts to what the host has to prove.

use super::reports::{Basis, Collector, Tried};
use super::sts::{Mode, Sts};
use crate::config::Settings;
use crate::config::outbound::{Outbound, TlsRule};
use crate::event::host::{Clock, DnsFault, Http, Kv, Resolver};
use crate::mail::{Domain, EnhancedCode, Reply, TlsWish, domain::Host};
use crate::smtp::client::TlsPolicy;
use crate::snapshot::Current;
use crate::tls::client::dane::is_usable;
use crate::tls::client::demand::By;
use crate::tls::client::{Demand, Failure, Kind, Roots};
use crate::transport::deliver::{NextHop, Safety};
use crate::transport::outcome::Details;
use std::sync::Arc;

const UNSAFE: Reply =
    Reply::new(451, EnhancedCode(4, 7, 5), "A secure connection to the next host can't be made at present");

/// Finds out what hosts have to prove.
#[derive(Clone, Default)]
pub struct Advisor {
    sts: Option<Arc<Sts>>,
    /// Who may vouch for the hosts of a policy.
    roots: Roots,
    /// Where what came of it is counted.
    collector: Option<(Collector, Arc<dyn Clock>, Arc<Current>)>,
}

/// A host of a domain.
#[derive(Clone, Copy)]
struct Place<'a> {
    domain: &'a str,
    host: &'a str,
    port: u16,
    /// That the host takes the domain's mail is proven, and so are its addresses.
    secure: bool,
}

impl Advisor {
    /// One that also looks for policies of MTA-STS, fetches them by `http` and keeps them in `kv`.
    pub fn with_sts(http: Arc<dyn Http>, kv: Arc<dyn Kv>, clock: Arc<dyn Clock>) -> Self {
        Self { sts: Some(Arc::new(Sts::new(http, kv, clock))), ..Self::default() }
    }

    /// Hosts of policies of MTA-STS are believed if these vouch for them, in place of the system's authorities.
    pub fn trusting(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// From now on, what comes of connections is counted here, while the settings in force want reports.
    pub fn counting(mut self, collector: Collector, clock: Arc<dyn Clock>, current: Arc<Current>) -> Self {
        self.collector = Some((collector, clock, current));
        self
    }

    /// The policies of MTA-STS.
    pub fn sts(&self) -> Option<Arc<Sts>> {
        self.sts.clone()
    }

    /// Counts what came of one try.
    pub(in crate::transport) fn note(&self, tried: Tried<'_>) {
        if let Some((collector, clock, current)) = &self.collector
            && current.pin().settings.tls_reports.is_some()
        {
            collector.note(clock.now(), tried);
        }
    }

    /// The hop with what it has to prove. The error is why it gets no mail now. A hop that is not a host of MX records stays as it is.
    pub(in crate::transport) async fn advise(
        &self,
        resolver: &Arc<dyn Resolver>,
        settings: &Settings,
        hop: &NextHop,
        wish: TlsWish,
    ) -> Result<NextHop, Details> {
        let NextHop::Host { name, addresses, domain, secure, .. } = hop else { return Ok(hop.clone()) };
        let port = addresses.first().map_or(25, std::net::SocketAddr::port);
        let place = Place { domain, host: name, port, secure: *secure };
        let outbound = &settings.delivery.outbound;
        match self.demand(resolver, outbound, outbound.find(domain), place, wish).await {
            Ok(demand) => {
                let demand = required(demand, place, wish);
                let safety = Safety { demand, ..Safety::default() };
                Ok(NextHop::Host {
                    name: name.clone(),
                    addresses: addresses.clone(),
                    domain: domain.clone(),
                    secure: *secure,
                    safety,
                })
            }
            Err(failure) => {
                if wish != TlsWish::Waived {
                    self.note(Tried { domain, basis: basis(&failure), host: name, ip: None, result: Err(&failure) });
                }
                tracing::warn!(%domain, host = %name, "no mail goes to this host now, TLS can't be had as it has to be: {failure}");
                Err(Details::ours(UNSAFE, format!("{name}: {failure}")))
            }
        }
    }

    async fn demand(
        &self,
        resolver: &Arc<dyn Resolver>,
        outbound: &Outbound,
        rule: &TlsRule,
        place: Place<'_>,
        wish: TlsWish,
    ) -> Result<Demand, Failure> {
        match rule.policy {
            TlsPolicy::None => Ok(Demand::None),
            TlsPolicy::Required => Ok(Demand::Required),
            TlsPolicy::Verified => Ok(verified(rule, place.host)),
            TlsPolicy::Dane => dane(&**resolver, place).await?.ok_or_else(|| {
                let why = "DANE is required, and there are no securely signed TLSA records";
                Failure::new(Kind::DaneRequired, why)
            }),
            // The sender would rather have it arrive than have it kept secret (RFC 8689 5).
            TlsPolicy::Opportunistic if wish == TlsWish::Waived => Ok(Demand::Opportunistic),
            TlsPolicy::Opportunistic => {
                if outbound.dane == Some(true) && !resolver.validates().await {
                    let why = "the name servers hand no signatures on, and `delivery.dane` says that they do";
                    return Err(Failure::new(Kind::DnssecInvalid, why));
                }
                if outbound.dane != Some(false)
                    && let Some(demand) = dane(&**resolver, place).await?
                {
                    return Ok(demand);
                }
                match self.sts.as_ref().filter(|_| outbound.mta_sts) {
                    Some(sts) => self.by_sts(sts, resolver, place).await,
                    None => Ok(Demand::Opportunistic),
                }
            }
        }
    }

    /// What a policy of MTA-STS asks for. That none can be had, though there is one, is counted.
    async fn by_sts(&self, sts: &Sts, resolver: &Arc<dyn Resolver>, place: Place<'_>) -> Result<Demand, Failure> {
        let Place { domain, host, .. } = place;
        if !Domain::parse(domain).is_ok_and(|domain| matches!(domain.host(), Host::Name(_))) {
            return Ok(Demand::Opportunistic);
        }
        let (policy, failure) = sts.policy(resolver, domain).await;
        if let Some(failure) = failure {
            self.note(Tried { domain, basis: Basis::Sts, host, ip: None, result: Err(&failure) });
        }
        let Some(policy) = policy else { return Ok(Demand::Opportunistic) };
        let names: Arc<[String]> = if policy.lists(host) { [host.to_owned()].into() } else { [].into() };
        match policy.mode {
            Mode::None => Ok(Demand::Opportunistic),
            Mode::Testing => Ok(Demand::Tested { names, roots: self.roots.clone() }),
            Mode::Enforce if names.is_empty() => {
                let why = format!("the policy of MTA-STS of {domain} does not list {host}");
                Err(Failure::new(Kind::ValidationFailure, why))
            }
            Mode::Enforce => Ok(Demand::Verified { names, roots: self.roots.clone(), by: By::MtaSts }),
        }
    }
}

/// What is demanded for a message that must not go over a connection without verified TLS: a certificate with the host's name will do
/// if it is proven that the host takes the domain's mail (RFC 8689 4.2.1). Elsewhere the connection will not be good enough.
fn required(demand: Demand, place: Place<'_>, wish: TlsWish) -> Demand {
    match demand {
        Demand::Opportunistic | Demand::Tested { .. } | Demand::Required
            if wish == TlsWish::Required && place.secure =>
        {
            Demand::verified(place.host, Roots::System)
        }
        demand => demand,
    }
}

fn verified(rule: &TlsRule, host: &str) -> Demand {
    let roots = rule.ca.as_ref().map_or(Roots::System, |ca| Roots::These(ca.0.clone()));
    let names = if rule.names.is_empty() { [host.to_owned()].into() } else { rule.names.as_slice().into() };
    Demand::Verified { names, roots, by: By::Us }
}

/// What TLSA records ask for; none if there are none that hold (RFC 7672 2.2).
async fn dane(resolver: &dyn Resolver, place: Place<'_>) -> Result<Option<Demand>, Failure> {
    // Without a proof for the host one for its certificate is worth nothing, and some servers fail at TLSA (RFC 7672 2.2.2).
    if !place.secure {
        return Ok(None);
    }
    let name = format!("_{}._tcp.{}", place.port, place.host.trim_end_matches('.'));
    let records = match resolver.tlsa(&name).await {
        Ok(found) if found.secure => found.data,
        Ok(_) | Err(DnsFault::NotFound | DnsFault::Invalid(_)) => return Ok(None),
        Err(DnsFault::Temporary(why)) => {
            return Err(Failure::new(Kind::DnssecInvalid, format!("TLSA records of {name}: {why}")));
        }
    };
    if !records.iter().any(is_usable) {
        // They say that there is TLS, and nothing that we understand of its certificate (RFC 7672 2.2).
        return Ok(Some(Demand::Required));
    }
    let names = [place.host.to_owned(), place.domain.to_owned()].into();
    Ok(Some(Demand::Dane { names, records: records.into() }))
}

/// What the destination has published that a host was turned down for, before a connection was made.
fn basis(failure: &Failure) -> Basis {
    if failure.kind == Kind::ValidationFailure { Basis::Sts } else { Basis::None }
}
