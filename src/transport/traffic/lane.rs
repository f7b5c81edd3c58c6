//! What a message is to the limits: where it goes, and whose it is.

use crate::config::traffic::{Kind, Props};
use crate::mail::Properties;
use serde_json::Value;
use std::sync::Arc;

/// The namespace of the core's own properties.
const CORE: &str = "queue";

/// The names under which limits count one message on its way to one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The name of the set of hosts behind the domain.
    pub site: Arc<str>,
    /// The recipient domain, as its key.
    pub domain: Arc<str>,
    /// The property `queue.tenant`.
    pub tenant: Option<Arc<str>>,
    /// The property `queue.campaign`.
    pub campaign: Option<Arc<str>>,
    /// The property `queue.source`.
    pub source: Option<Arc<str>>,
}

impl Lane {
    /// The lane of a message with these properties. Strings and numbers count; what else a sink has set does not.
    pub fn of(site: Arc<str>, domain: Arc<str>, properties: &Properties) -> Self {
        let text = |kind: Kind| match properties.get(CORE, kind.as_str())? {
            Value::String(text) if !text.is_empty() => Some(text.as_str().into()),
            Value::Number(number) => Some(number.to_string().into()),
            _ => None,
        };
        let (tenant, campaign, source) = (text(Kind::Tenant), text(Kind::Campaign), text(Kind::Source));
        Self { site, domain, tenant, campaign, source }
    }

    /// The properties, for the schedule.
    pub fn props(&self) -> Props<'_> {
        Props { tenant: self.tenant.as_deref(), campaign: self.campaign.as_deref(), source: self.source.as_deref() }
    }

    pub(super) fn name(&self, kind: Kind) -> Option<&Arc<str>> {
        match kind {
            Kind::Site => Some(&self.site),
            Kind::Domain => Some(&self.domain),
            Kind::Tenant => self.tenant.as_ref(),
            Kind::Campaign => self.campaign.as_ref(),
            Kind::Source => self.source.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_s_properties_name_it() {
        let mut properties = Properties::default();
        properties.set("queue", "tenant", Value::from("acme"));
        properties.set("queue", "campaign", Value::from(7));
        properties.set("queue", "source", Value::from(vec![1]));
        properties.set("other", "source", Value::from("x"));
        let lane = Lane::of("s".into(), "d".into(), &properties);
        assert_eq!(lane.props(), Props { tenant: Some("acme"), campaign: Some("7"), source: None });
    }
}
