//! Who waits to be called for.
//!
//! An image in memory of what the spool says: after a restart it fills as passes go over what is there. A message stands here for
//! each domain of its recipients that wait; one that is gone is forgotten when it is next looked for.

use crate::event::host::Scope;
use crate::mail::Id;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The messages that wait, by the domain that was routed.
#[derive(Debug, Default)]
pub(in crate::transport) struct Waiting(Mutex<BTreeMap<String, BTreeSet<Id>>>);

impl Waiting {
    /// A message waits for the receiver of this domain.
    pub(in crate::transport) fn add(&self, domain: &str, id: Id) {
        let mut all = self.lock();
        match all.get_mut(domain) {
            Some(ids) => drop(ids.insert(id)),
            None => drop(all.insert(domain.to_owned(), BTreeSet::from([id]))),
        }
    }

    /// Nothing of a message waits within these scopes any more, as far as is known.
    pub(super) fn remove(&self, scopes: &[Scope], id: Id) {
        let mut all = self.lock();
        all.retain(|domain, ids| {
            if scopes.iter().any(|scope| scope.has(domain)) {
                ids.remove(&id);
            }
            !ids.is_empty()
        });
    }

    /// The messages that wait for the receiver of these scopes and are still there, oldest first.
    pub(super) fn messages(&self, scopes: &[Scope], is_there: impl Fn(Id) -> bool) -> BTreeSet<Id> {
        let mut all = self.lock();
        let mut found = BTreeSet::new();
        all.retain(|domain, ids| {
            if scopes.iter().any(|scope| scope.has(domain)) {
                ids.retain(|id| is_there(*id));
                found.extend(ids.iter().copied());
            }
            !ids.is_empty()
        });
        found
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeSet<Id>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_domain_and_only_what_is_there() {
        let waiting = Waiting::default();
        for (domain, id) in [("a.example", 2), ("a.example", 1), ("b.a.example", 1), ("c.example", 3)] {
            waiting.add(domain, Id(id));
        }
        let scope = |text| [Scope::parse(text).unwrap()];
        let ids = |text| waiting.messages(&scope(text), |_| true).into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(ids("a.example"), [1, 2]);
        assert_eq!(ids("@a.example"), [1, 2], "a message counts once");
        waiting.remove(&scope("a.example"), Id(1));
        assert_eq!((ids("a.example"), ids("b.a.example")), (vec![2], vec![1]));
        assert_eq!(waiting.messages(&scope("c.example"), |_| false).len(), 0);
        assert_eq!(ids("c.example"), Vec::<u64>::new(), "who is gone is forgotten");
    }
}
