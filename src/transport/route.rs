//! Where a recipient goes: routes of the configuration, then local delivery or the smart host.
//!
//! Asked per attempt, so that a changed configuration moves what is queued.

use super::categorize::Category;
use super::deliver::{NextHop, Pattern};
use super::outcome::{Details, Outcome};
use crate::config::Settings;
use crate::config::target::Target;
use crate::mail::{EnhancedCode, Reply};

/// The hops to try in turn within one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route(pub Vec<NextHop>);

const NO_ROUTE: Reply = Reply::new(451, EnhancedCode(4, 4, 4), "No route to this domain at present");

/// The route of a recipient; without one, a deferral that says what to configure.
pub fn route(settings: &Settings, category: &Category) -> Result<Route, Outcome> {
    let delivery = &settings.delivery;
    let domain = match category {
        Category::Local(user) => &user.domain,
        Category::Remote(domain) => domain,
    };
    if let Some(target) = delivery.routes.find(domain) {
        return Ok(Route(vec![hop(target)?]));
    }
    match category {
        Category::Local(_) => Ok(Route(vec![hop(&delivery.local)?])),
        Category::Remote(_) if !delivery.smart_host.is_empty() => {
            Ok(Route(delivery.smart_host.iter().map(|e| NextHop::Smtp(e.to_string())).collect()))
        }
        Category::Remote(domain) => {
            let note = format!("no [[route]] for {domain} and no delivery.smart-host in the configuration");
            Err(Outcome::Deferred(Details::ours(NO_ROUTE, note)))
        }
    }
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
        Target::Smtp(endpoint) => NextHop::Smtp(endpoint.to_string()),
        Target::Lmtp(endpoint) => NextHop::Lmtp(endpoint.to_string()),
    })
}
