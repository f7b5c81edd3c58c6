//! Which messages have something to deliver to which domain: an index of the queue, so that nobody need read the spool for that.
//!
//! It holds the domains of the recipients that are open, of messages that are neither parked nor held by their sender. A domain stands
//! next to those below it, since its labels are turned round: `example.org` is `org.example.`. About 50 octets for each message and domain.

use crate::event::host::Scope;
use crate::mail::Id;
use crate::spool::Outline;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

/// A place in the index.
pub(super) type Spot = (Arc<str>, Id);

/// The index.
#[derive(Debug, Default)]
pub(super) struct Pending(BTreeSet<Spot>);

/// The domains of one message, turned round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Domains {
    #[default]
    None,
    One(Arc<str>),
    More(Box<[Arc<str>]>),
}

impl Domains {
    fn each(&self) -> &[Arc<str>] {
        match self {
            Self::None => &[],
            Self::One(domain) => std::slice::from_ref(domain),
            Self::More(domains) => domains,
        }
    }
}

impl Pending {
    /// Adds a message, and gives what takes it out again.
    pub(super) fn add(&mut self, outline: &Outline) -> Domains {
        let mut domains: Vec<Arc<str>> = outline.domains.iter().map(|domain| self.shared(&turned(domain))).collect();
        self.0.extend(domains.iter().map(|domain| (domain.clone(), outline.id)));
        match (domains.pop(), domains.is_empty()) {
            (None, _) => Domains::None,
            (Some(only), true) => Domains::One(only),
            (Some(last), false) => {
                domains.push(last);
                Domains::More(domains.into())
            }
        }
    }

    /// Takes a message out.
    pub(super) fn remove(&mut self, id: Id, domains: &Domains) {
        for domain in domains.each() {
            self.0.remove(&(domain.clone(), id));
        }
    }

    /// At most so many places within a scope, in order, from the first one behind `after` on.
    pub(super) fn within(&self, scope: &Scope, after: Option<&Spot>, most: usize) -> Vec<Spot> {
        let (key, below) = (turned(scope.domain()), scope.is_with_below());
        let inside = |domain: &str| if below { domain.starts_with(&*key) } else { *domain == *key };
        let from = match after.filter(|(domain, _)| inside(domain)) {
            Some(after) => Bound::Excluded(after.clone()),
            None => Bound::Included((Arc::from(&*key), Id(0))),
        };
        let rest = self.0.range((from, Bound::Unbounded));
        rest.take_while(|(domain, _)| inside(domain)).take(most).cloned().collect()
    }

    /// The domain as it stands here already, if it does.
    fn shared(&self, domain: &str) -> Arc<str> {
        let domain: Arc<str> = domain.into();
        let first = self.0.range((domain.clone(), Id(0))..).next();
        first.filter(|(there, _)| *there == domain).map_or(domain, |(there, _)| there.clone())
    }
}

/// `a.example.org` as `org.example.a.`: what lies below a domain begins as that does.
fn turned(domain: &str) -> String {
    let mut turned = String::with_capacity(domain.len() + 1);
    for label in domain.rsplit('.') {
        turned.push_str(label);
        turned.push('.');
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(id: u64, domains: &[&str]) -> Outline {
        Outline { id: Id(id), due: None, until: None, domains: domains.iter().map(|domain| (*domain).into()).collect() }
    }

    #[test]
    fn a_domain_and_what_lies_below_it_piece_by_piece() {
        let mut pending = Pending::default();
        let several = pending.add(&outline(3, &["example.org", "a.example.org"]));
        let one = pending.add(&outline(1, &["example.org"]));
        for (id, domain) in
            [(2, "b.a.example.org"), (4, "badexample.org"), (5, "org"), (6, "example.com"), (7, "example.organ")]
        {
            pending.add(&outline(id, &[domain]));
        }
        assert_eq!(pending.add(&outline(8, &[])), Domains::None);
        let ids = |pending: &Pending, scope: &str, most| {
            let scope = Scope::parse(scope).unwrap();
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let some = pending.within(&scope, after.as_ref(), most);
                let Some(last) = some.last() else { return all };
                after = Some(last.clone());
                all.extend(some.iter().map(|(_, id)| id.0));
            }
        };
        for most in [1, 2, 100] {
            assert_eq!(ids(&pending, "example.org", most), [1, 3]);
            assert_eq!(ids(&pending, "@example.org", most), [1, 3, 3, 2]);
            assert_eq!(ids(&pending, "@a.example.org", most), [3, 2]);
            assert_eq!(ids(&pending, "c.example.org", most), Vec::<u64>::new());
        }
        pending.remove(Id(3), &several);
        pending.remove(Id(1), &one);
        assert_eq!(ids(&pending, "@example.org", 2), [2]);
    }

    #[test]
    fn a_domain_is_kept_once() {
        let mut pending = Pending::default();
        let [Domains::One(first), Domains::One(second)] = [1, 2].map(|id| pending.add(&outline(id, &["example.org"])))
        else {
            panic!("one domain each")
        };
        assert!(Arc::ptr_eq(&first, &second));
    }
}
