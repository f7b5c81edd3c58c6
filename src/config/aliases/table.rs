//! The table of aliases, and the order in which it is searched.
//!
//! An alias costs about 200 octets of memory with one member, a further member about 100; a million of either are fine.

use super::member::{Member, Whom};
use std::collections::HashMap;

/// All aliases. Two tables are equal if they say the same in the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aliases {
    /// By name, for every local domain.
    anywhere: HashMap<Box<str>, u32>,
    /// By `name@domain`, and catch-alls by `@domain`: a domain has no `@`, so the last one parts them.
    in_one: HashMap<Box<str>, u32>,
    entries: Vec<Entry>,
}

/// Which alias it is, within one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub(super) u32);

/// What one name stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// In the order of the file; at least one.
    pub members: Box<[Member]>,
    /// Whom a list names as the one who hears of its failures. `owner-NAME` is looked up besides.
    pub owner: Option<Box<Whom>>,
    /// It has itself as a member, which means the mailbox of that name. Without that an alias hides the mailbox.
    pub itself: bool,
}

/// Who has a mailbox. Names are folded ([`Whom::name`]), domains are keys ([`crate::mail::domain::lookup_key`]).
pub trait Residents {
    /// Whether every local part has one, because no users are listed.
    fn everybody(&self) -> bool;
    /// Whether the name, with nothing cut off, has one in a local domain.
    fn has(&self, name: &str, domain: &str) -> bool;
}

impl Aliases {
    /// The alias that an address in a local domain means, if it means one. `base` is the name without its tag, where tags
    /// count. The whole name comes before the base, in one domain before everywhere, an alias before a user, and a
    /// catch-all is for those whom nothing else fits.
    pub fn find(&self, name: &str, base: Option<&str>, domain: &str, residents: &impl Residents) -> Option<EntryId> {
        if self.entries.is_empty() {
            return None;
        }
        let base = base.filter(|base| *base != name);
        if let Some(found) = self.named(name, domain) {
            return Some(found);
        }
        if !residents.everybody() && residents.has(name, domain) {
            return None;
        }
        if let Some(found) = base.and_then(|base| self.named(base, domain)) {
            return Some(found);
        }
        let lives = residents.everybody() && !name.is_empty() || base.is_some_and(|base| residents.has(base, domain));
        if lives { None } else { self.catch_all(domain) }
    }

    /// The alias of exactly this name, be there users or not.
    pub fn named(&self, name: &str, domain: &str) -> Option<EntryId> {
        let in_one = Some(name).filter(|name| !name.is_empty()).and_then(|name| self.in_one(name, domain));
        in_one.or_else(|| self.anywhere.get(name).copied().map(EntryId))
    }

    /// The catch-all of a domain.
    pub fn catch_all(&self, domain: &str) -> Option<EntryId> {
        self.in_one("", domain)
    }

    /// What it stands for. Nothing only if it is an entry of another table.
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(id.0 as usize)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn in_one(&self, name: &str, domain: &str) -> Option<EntryId> {
        if self.in_one.is_empty() {
            return None;
        }
        self.in_one.get(&*[name, "@", domain].concat()).copied().map(EntryId)
    }

    /// All of them, in the order of the files.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        (0..).map(EntryId).zip(&self.entries)
    }

    pub(super) fn entry_mut(&mut self, id: EntryId) -> Option<&mut Entry> {
        self.entries.get_mut(id.0 as usize)
    }

    /// Gives back the room that nothing has come into.
    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
        self.anywhere.shrink_to_fit();
        self.in_one.shrink_to_fit();
    }

    /// The entry of a key, and whether it is new.
    pub(super) fn open(&mut self, key: Key) -> (EntryId, bool) {
        let next = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let (map, key) = match key {
            Key::Anywhere(name) => (&mut self.anywhere, name),
            Key::InOne(address) => (&mut self.in_one, address),
        };
        let id = *map.entry(key).or_insert(next);
        if id == next {
            self.entries.push(Entry::default());
        }
        (EntryId(id), id == next)
    }
}

/// What an alias is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A name, folded.
    Anywhere(Box<str>),
    /// `name@domain` or `@domain`, the name folded and the domain as its key.
    InOne(Box<str>),
}

impl Key {
    /// The name, without the domain; empty for a catch-all.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Anywhere(name) => name,
            Self::InOne(address) => address.rsplit_once('@').map_or("", |(name, _)| name),
        }
    }

    /// The domain, if it is for one only.
    pub(super) fn domain(&self) -> Option<&str> {
        match self {
            Self::Anywhere(_) => None,
            Self::InOne(address) => address.rsplit_once('@').map(|(_, domain)| domain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Listed(&'static [&'static str]);

    impl Residents for Listed {
        fn everybody(&self) -> bool {
            self.0.is_empty()
        }
        fn has(&self, name: &str, _: &str) -> bool {
            self.0.contains(&name)
        }
    }

    fn table() -> Aliases {
        let mut table = Aliases::default();
        for name in ["team", "alice", "alice+list"] {
            table.open(Key::Anywhere(name.into()));
        }
        for address in ["team@b.example", "@b.example", "a@b@b.example"] {
            table.open(Key::InOne(address.into()));
        }
        table
    }

    /// What the header says an alias costs rests on these.
    #[test]
    fn a_million_fits() {
        assert!(size_of::<Member>() <= 32 && size_of::<Entry>() <= 32);
    }

    #[test]
    fn the_closest_name_wins() {
        let (table, listed, open) = (table(), Listed(&["bob", "alice+mine"]), Listed(&[]));
        for (name, domain, with_users, without) in [
            ("team", "a.example", Some(0), Some(0)),
            ("team", "b.example", Some(3), Some(3)),
            ("team+x", "b.example", Some(3), Some(3)),
            ("alice", "b.example", Some(1), Some(1)),
            ("alice+x", "a.example", Some(1), Some(1)),
            ("alice+list", "a.example", Some(2), Some(2)),
            ("alice+mine", "a.example", None, Some(1)),
            ("bob", "b.example", None, None),
            ("bob+x", "b.example", None, None),
            ("nobody", "a.example", None, None),
            ("nobody", "b.example", Some(4), None),
            ("nobody+x", "b.example", Some(4), None),
            ("", "b.example", Some(4), Some(4)),
            ("a@b", "b.example", Some(5), Some(5)),
            ("a@b", "a.example", None, None),
        ] {
            let base = name.split('+').next();
            let of = |residents: &Listed| table.find(name, base, domain, residents).map(|id| id.0);
            assert_eq!(of(&listed), with_users, "{name} at {domain}, users listed");
            assert_eq!(of(&open), without, "{name} at {domain}, no users listed");
        }
        assert_eq!(table.find("alice+x", None, "a.example", &listed), None, "no tags");
    }
}
