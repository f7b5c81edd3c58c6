//! `[[route]]`: where the mail of a domain goes, most specific first.

use super::diagnostic::Diagnostics;
use super::domains;
use super::places::Places;
use super::reader::{Table, one_or_list};
use super::sources::Span;
use super::target::{self, Target};
use super::tree::Node;
use super::values;
use crate::mail::Domain;
use std::collections::BTreeMap;
use std::fmt;

/// The routes. Which one holds for a domain does not depend on the order in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    exact: BTreeMap<String, Vec<Target>>,
    /// By what stands behind the `*.`.
    below: BTreeMap<String, Vec<Target>>,
    any: Option<Vec<Target>>,
}

/// `domain = …` of a route, or of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `example.com`.
    Exact(String),
    /// `*.example.com`: every domain below that one, not itself.
    Below(String),
    /// `*`.
    Any,
}

impl Routes {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, places: &Places<'_>) -> Self {
        let mut routes = Self::default();
        let one = |table: &mut Table<'_>, found: &mut Diagnostics| {
            let pattern = table.require("domain", found, |n, f| Some((pattern(n, "a route", f)?, n.span)));
            let kinds = &["smtp", "smtps", "lmtp", "maildir", "drop"];
            let targets = table.require("to", found, |node, found| {
                let targets = one_or_list(node, found, |n, f| target::read(n, kinds, places, f))?;
                if targets.len() > 1 && targets.contains(&Target::Turn) {
                    let told = found.error(node.span, "\"turn\" stands beside other targets");
                    told.help("mail waits to be called for, or it is sent: write \"turn\" alone, or leave it out");
                }
                Some(targets).filter(|list| !list.is_empty())
            });
            pattern.zip(targets)
        };
        for ((pattern, place), targets) in table.tables("route", found, one).into_iter().flatten() {
            routes.add(pattern, place, targets, found);
        }
        routes
    }

    fn add(&mut self, pattern: Pattern, place: Span, targets: Vec<Target>, found: &mut Diagnostics) {
        let before = match pattern {
            Pattern::Exact(name) => self.exact.insert(name, targets),
            Pattern::Below(name) => self.below.insert(name, targets),
            Pattern::Any => self.any.replace(targets),
        };
        if before.is_some() {
            found.error(place, "there is already a route for this domain").help("remove one of the two");
        }
    }

    /// The targets of all routes, in no order.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.exact.values().chain(self.below.values()).chain(&self.any).flatten()
    }

    /// The targets for a domain, to be tried in this order, given by its key: those of the exact route, else the longest
    /// `*.suffix`, else `*`.
    pub fn find(&self, domain: &str) -> Option<&[Target]> {
        let parents = domain.match_indices('.').filter_map(|(dot, _)| domain.get(dot + 1..));
        let below = || parents.into_iter().find_map(|parent| self.below.get(parent));
        self.exact.get(domain).or_else(below).or(self.any.as_ref()).map(Vec::as_slice)
    }
}

/// A pattern as it would be written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// A pattern for domains. `whose` is who is to have it, for the error.
pub(super) fn pattern(node: &Node, whose: &str, found: &mut Diagnostics) -> Option<Pattern> {
    let text = values::string(node, found)?;
    if text == "*" {
        return Some(Pattern::Any);
    }
    if let Some(suffix) = text.strip_prefix("*.")
        && let Ok(name) = Domain::parse(suffix)
    {
        return Some(Pattern::Below(name.key().into_owned()));
    }
    if text.contains('*') {
        let told = found.error(node.span, format!("`{text}` is not a pattern that {whose} can have"));
        told.help("write a domain, \"*.example.com\" for everything below it, or \"*\" for everything");
        return None;
    }
    domains::domain(node, found).map(Pattern::Exact)
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    #[test]
    fn the_most_specific_route_holds_whatever_the_order() {
        let mut text = "hostname = 'mx.example'\n[[listener]]\naddress = '127.0.0.1:0'\n".to_owned();
        for (domain, port) in [("*", 1), ("*.example", 2), ("*.uni.example", 3), ("uni.example", 4)] {
            text += &format!("[[route]]\ndomain = '{domain}'\nto = {{ smtp = 'h:{port}' }}\n");
        }
        let settings = Settings::parse(std::path::Path::new("f.toml"), &text).map_err(|e| e.to_string()).unwrap().0;
        let port = |domain| match settings.delivery.routes.find(domain) {
            Some([super::Target::Smtp(endpoint)]) => endpoint.port,
            other => panic!("{other:?}"),
        };
        let domains = ["uni.example", "a.uni.example", "b.a.uni.example", "x.example", "example", "elsewhere", ""];
        assert_eq!(domains.map(port), [4, 3, 3, 2, 1, 1, 1]);
    }
}
