//! `[[traffic]]`: how much goes out at once to a site or domain, or for a tenant, campaign or source, and when it is
//! tried again.
//!
//! A table holds for each of the names that its pattern matches by itself. Where several match one name, each key is taken
//! from the most specific table that has it.

use super::diagnostic::Diagnostics;
use super::pattern::Patterns;
use super::queue::{self, Queue, Schedule};
use super::rate::{Rate, rate};
use super::reader::Table;
use super::sources::Span;
use super::values::{duration_above_zero, integer, string};
use super::{route, tree::Node};
use std::time::Duration;

/// Connections to one site at a time, where nothing else is set.
pub const PER_SITE: u32 = 20;

/// What a limit attaches to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The hosts behind a domain.
    Site,
    /// A recipient domain.
    Domain,
    /// The property `queue.tenant` of a message.
    Tenant,
    /// The property `queue.campaign`.
    Campaign,
    /// The property `queue.source`.
    Source,
}

impl Kind {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 5] = [Self::Site, Self::Domain, Self::Tenant, Self::Campaign, Self::Source];

    /// The key in the file, which names it elsewhere, too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Domain => "domain",
            Self::Tenant => "tenant",
            Self::Campaign => "campaign",
            Self::Source => "source",
        }
    }
}

/// The core properties of a message to which limits attach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Props<'a> {
    /// `queue.tenant`.
    pub tenant: Option<&'a str>,
    /// `queue.campaign`.
    pub campaign: Option<&'a str>,
    /// `queue.source`.
    pub source: Option<&'a str>,
}

/// How much one name may have. Nothing: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `connections`: at a time. Default: 20 for a site, no limit for the others.
    pub connections: Option<u32>,
    /// `messages-per-connection`: over one connection, which is closed then. Default: as many as one connection carries anyway.
    pub messages_per_connection: Option<u32>,
    /// `messages`: in a period, such as `"100/1m"`. Default: no limit.
    pub rate: Option<Rate>,
}

/// All limits, and the schedules that differ from `[queue]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What holds where no table says otherwise.
    queue: Queue,
    /// In the order of [`Kind::ALL`].
    rules: [Patterns<Rule>; 5],
}

/// What one table sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    limits: Limits,
    retry: Option<Vec<Duration>>,
    expire: Option<Duration>,
    warn_after: Option<Duration>,
}

impl Traffic {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, queue: &Queue) -> Self {
        let mut traffic = Self { queue: queue.clone(), ..Self::default() };
        let one = |table: &mut Table<'_>, found: &mut Diagnostics| {
            let selector = selector(table, found);
            let rule = Rule::read(table, found, queue);
            selector.map(|(kind, pattern, place)| (kind, pattern, place, rule))
        };
        for (kind, pattern, place, rule) in table.tables("traffic", found, one).into_iter().flatten() {
            let rules = traffic.rules.get_mut(kind as usize);
            if !rules.is_none_or(|rules| rules.add(&pattern, rule)) {
                let told = found.error(place, format!("there is already a table for this {}", kind.as_str()));
                told.help("put what both say into one of the two");
            }
        }
        traffic
    }

    /// Connections to all sites together, at a time: `connections` of `[queue]`.
    pub fn connections(&self) -> u32 {
        self.queue.connections
    }

    /// The limits of one site, domain, tenant, campaign or source.
    pub fn limits_of(&self, kind: Kind, name: &str) -> Limits {
        let mut limits = Limits::default();
        for rule in self.matching(kind, name) {
            limits.connections = limits.connections.or(rule.limits.connections);
            limits.messages_per_connection = limits.messages_per_connection.or(rule.limits.messages_per_connection);
            limits.rate = limits.rate.or(rule.limits.rate);
        }
        if kind == Kind::Site {
            limits.connections = limits.connections.or(Some(PER_SITE));
        }
        limits
    }

    /// When a message for a domain is tried again, and for how long. Each key is taken from the first that sets it: the
    /// domain, its site if that is known, the campaign, the tenant, the source, and at last `[queue]`.
    pub fn schedule(&self, domain: &str, site: Option<&str>, props: Props<'_>) -> Schedule<'_> {
        let names = [
            (Kind::Domain, Some(domain)),
            (Kind::Site, site),
            (Kind::Campaign, props.campaign),
            (Kind::Tenant, props.tenant),
            (Kind::Source, props.source),
        ];
        let (mut retry, mut expire, mut warn_after) = (None, None, None);
        for (kind, name) in names {
            for rule in name.into_iter().flat_map(|name| self.matching(kind, name)) {
                retry = retry.or(rule.retry.as_deref());
                expire = expire.or(rule.expire);
                warn_after = warn_after.or(rule.warn_after);
            }
        }
        let rest = self.queue.schedule();
        Schedule {
            retry: retry.unwrap_or(rest.retry),
            expire: expire.unwrap_or(rest.expire),
            warn_after: warn_after.unwrap_or(rest.warn_after),
        }
    }

    fn matching<'s>(&'s self, kind: Kind, name: &str) -> impl Iterator<Item = &'s Rule> {
        self.rules.get(kind as usize).into_iter().flat_map(|rules| rules.matching(name))
    }
}

impl Rule {
    fn read(table: &mut Table<'_>, found: &mut Diagnostics, queue: &Queue) -> Self {
        let count = || integer(1..=i64::from(u32::MAX));
        let rule = Self {
            limits: Limits {
                connections: table.get("connections", found, count()),
                messages_per_connection: table.get("messages-per-connection", found, count()),
                rate: table.get("messages", found, rate),
            },
            retry: queue::retry(table, found),
            expire: table.get("expire", found, duration_above_zero),
            warn_after: table.get("warn-after", found, duration_above_zero),
        };
        rule.check(table, found, queue);
        rule
    }

    fn check(&self, table: &mut Table<'_>, found: &mut Diagnostics, queue: &Queue) {
        let keys = ["connections", "messages-per-connection", "messages", "retry", "expire", "warn-after"];
        if keys.into_iter().all(|key| table.node(key).is_none()) {
            found.warning(table.span(), "this table sets nothing").help("give it a limit, such as `connections = 5`");
        }
        if self.retry.is_some() || self.expire.is_some() || self.warn_after.is_some() {
            let schedule = Schedule {
                retry: self.retry.as_deref().unwrap_or(&queue.retry),
                expire: self.expire.unwrap_or(queue.expire),
                warn_after: self.warn_after.unwrap_or(queue.warn_after),
            };
            schedule.check(table, found);
        }
    }
}

/// The one of the five that a table is about: its pattern and place.
fn selector(table: &mut Table<'_>, found: &mut Diagnostics) -> Option<(Kind, String, Span)> {
    let given: Vec<(Kind, &Node)> =
        Kind::ALL.into_iter().filter_map(|kind| Some((kind, table.node(kind.as_str())?))).collect();
    match *given.as_slice() {
        [(kind, node)] => Some((kind, pattern(kind, node, found)?, node.span)),
        [] => {
            let told = found.error(table.span(), "the table does not say what it is about");
            told.help("give it one of `site`, `domain`, `tenant`, `campaign` and `source`");
            None
        }
        [.., (kind, node)] => {
            let told = found.error(node.span, format!("`{}` is one selector too many", kind.as_str()));
            told.help("limits attach to one thing each; write a table for each");
            None
        }
    }
}

fn pattern(kind: Kind, node: &Node, found: &mut Diagnostics) -> Option<String> {
    if kind == Kind::Domain {
        return route::pattern(node, "a limit on domains", found).map(|pattern| pattern.to_string());
    }
    let text = string(node, found)?;
    if text.is_empty() {
        found.error(node.span, "the pattern is empty").help("write a name, or \"*\" for every one");
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests;
