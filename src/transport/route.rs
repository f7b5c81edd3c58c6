//! Where a recipient goes: what sinks answer at `transport.route`, then the routes of the configuration, then local delivery, a smart
//! host, or the hosts that the DNS names.
//!
//! Each of these may pass on to the next. They are asked per attempt, so that a changed configuration moves what is queued.

use super::categorize::Category;
use super::deliver::{NextHop, Pattern, Safety};
use super::dossier::Dossier;
use super::end::End;
use super::outcome::{Details, Outcome};
use crate::config::Settings;
use crate::config::relay::Relay;
use crate::config::target::Target;
use crate::event::{Answer, Decision, Event, Focus, Leg, RouteHop};
use crate::mail::{EnhancedCode, Reply};
use crate::smtp::client::{Credentials, TlsPolicy};
use crate::tls::client::demand::By;
use crate::tls::client::{Demand, Identity, Roots};
use std::fmt;
use std::sync::Arc;

/// The hops to try in turn within one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route(pub Vec<NextHop>);

/// As the track has it.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, hop) in self.0.iter().enumerate() {
            write!(f, "{}{hop}", if nth > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

const NO_ROUTE: Reply = Reply::new(451, EnhancedCode(4, 4, 4), "No route to this domain at present");

impl Dossier {
    /// The route of recipients that share a domain and a kind. The error is their end.
    pub(super) async fn route(&mut self, category: &Category, recipients: &[usize]) -> Result<Route, End> {
        if self.hears(Event::TransportRoute)
            && let Some(route) = self.ask_for_route(category, recipients).await?
        {
            return Ok(route);
        }
        route(&self.snapshot.settings, category).map_err(End::Tried)
    }

    async fn ask_for_route(&mut self, category: &Category, recipients: &[usize]) -> Result<Option<Route>, End> {
        let first = recipients.first().copied().unwrap_or_default();
        let attempt = self.attempt(first);
        let leg = Leg { domain: category.domain().into(), attempt, recipients: recipients.to_vec(), ..Leg::default() };
        let place = self.place(first);
        match self.raise(Event::TransportRoute, place.as_ref(), Focus::Leg(&leg)).await {
            Ok(Decision::Answer(Answer::Route(hops))) => {
                let settings = &self.snapshot.settings;
                let hops: Result<Vec<NextHop>, Outcome> = hops.iter().map(|hop| of_sink(settings, hop)).collect();
                Ok(Some(Route(hops.map_err(End::Tried)?)).filter(|route| !route.0.is_empty()))
            }
            Ok(decision) => match self.ended(decision) {
                Some(end) => Err(end),
                None => Ok(None),
            },
            Err(outcome) => Err(End::Tried(outcome)),
        }
    }
}

/// The route that the configuration has for a recipient; the error is a deferral that says what to configure.
pub fn route(settings: &Settings, category: &Category) -> Result<Route, Outcome> {
    let delivery = &settings.delivery;
    if let Some(targets) = delivery.routes.find(category.domain()) {
        return targets.iter().map(hop).collect::<Result<_, _>>().map(Route);
    }
    match category {
        Category::Local(_) => Ok(Route(vec![hop(&delivery.local)?])),
        Category::Remote(_) if !delivery.smart_host.is_empty() => {
            delivery.smart_host.iter().map(hop).collect::<Result<_, _>>().map(Route)
        }
        Category::Remote(domain) => Ok(Route(vec![NextHop::Mx(domain.as_str().into())])),
    }
}

/// What a server that is named in the configuration has to prove, and who we are there.
fn safety(relay: &Relay) -> Safety {
    let roots = relay.ca.as_ref().map_or(Roots::System, |ca| Roots::These(ca.0.clone()));
    let names = if relay.names.is_empty() { vec![relay.endpoint.host.clone()] } else { relay.names.clone() };
    let demand = match relay.tls {
        TlsPolicy::None => Demand::None,
        TlsPolicy::Opportunistic => Demand::Opportunistic,
        TlsPolicy::Required => Demand::Required,
        // DANE is refused by the configuration.
        TlsPolicy::Verified | TlsPolicy::Dane => Demand::Verified { names: names.into(), roots, by: By::Us },
    };
    let credentials = relay.login.as_ref().map(|login| {
        let (user, secret) = (login.user.clone(), login.password.expose().to_owned());
        Arc::new(Credentials { user, secret, mechanism: login.mechanism.clone() })
    });
    let identity = relay.identity.clone().map(|pair| Arc::new(Identity::new(pair)));
    Safety { demand, implicit: relay.implicit, credentials, identity }
}

fn of_sink(settings: &Settings, answer: &RouteHop) -> Result<NextHop, Outcome> {
    Ok(match answer {
        RouteHop::Smtp(endpoint) => NextHop::Smtp(endpoint.clone()),
        RouteHop::Mx(name) => NextHop::Mx(name.clone()),
        RouteHop::Lmtp(endpoint) => NextHop::Lmtp(endpoint.clone()),
        RouteHop::Local => hop(&settings.delivery.local)?,
        RouteHop::Sink(name) => NextHop::Sink(name.clone()),
    })
}

fn hop(target: &Target) -> Result<NextHop, Outcome> {
    Ok(match target {
        Target::Maildir { root, pattern } => {
            // Checked with the configuration; a pattern that is wrong all the same is our trouble, not the sender's.
            let pattern =
                Pattern::parse(pattern).map_err(|e| Outcome::Deferred(Details::ours(NO_ROUTE, e.to_string())))?;
            NextHop::Maildir { root: root.clone(), pattern }
        }
        Target::Drop(folder) => NextHop::Drop(folder.clone()),
        Target::Turn => NextHop::Turn,
        Target::Smtp(endpoint) => NextHop::Smtp(endpoint.to_string().into()),
        Target::Relay(relay) => {
            NextHop::Relay { address: relay.endpoint.to_string().into(), safety: Arc::new(safety(relay)) }
        }
        Target::Mx(name) => NextHop::Mx(Arc::from(name.as_str())),
        Target::Lmtp(endpoint) => NextHop::Lmtp(endpoint.to_string().into()),
        Target::LmtpSocket(path) => NextHop::Lmtp(format!("unix:{}", path.display()).into()),
    })
}
