//! The changes of one sink that are not committed yet: those gathered, and those on their way to the disk.
//!
//! A key found here is as it is here, whatever the disk says; a removed one is found as removed.

use super::rules::Entry;
use std::collections::HashMap;
use std::sync::Arc;

/// Key to what it holds now; None is removed.
pub(super) type Changes = HashMap<Box<str>, Option<Entry>>;

/// Uncommitted changes over what the disk has.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    gathered: Changes,
    /// Shared with the writer while it commits them.
    leaving: Arc<Changes>,
}

impl Overlay {
    /// What the key holds, if there is a change of it here.
    pub(super) fn get(&self, key: &str) -> Option<Option<&Entry>> {
        self.gathered.get(key).or_else(|| self.leaving.get(key)).map(Option::as_ref)
    }

    /// Adds a change.
    pub(super) fn put(&mut self, key: &str, entry: Option<Entry>) {
        match self.gathered.get_mut(key) {
            Some(slot) => *slot = entry,
            None => drop(self.gathered.insert(key.into(), entry)),
        }
    }

    /// Hands what was gathered to the writer. It stays visible until [`Overlay::committed`] or [`Overlay::failed`].
    pub(super) fn leave(&mut self) -> Arc<Changes> {
        self.leaving = Arc::new(std::mem::take(&mut self.gathered));
        self.leaving.clone()
    }

    /// The changes that left are on the disk.
    pub(super) fn committed(&mut self) {
        self.leaving = Arc::default();
    }

    /// The changes that left are not on the disk: they leave again next time, unless changed since.
    pub(super) fn failed(&mut self) {
        for (key, entry) in self.leaving.iter() {
            if !self.gathered.contains_key(key) {
                self.gathered.insert(key.clone(), entry.clone());
            }
        }
        self.leaving = Arc::default();
    }

    /// The keys that have a change here.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let older = self.leaving.keys().filter(|key| !self.gathered.contains_key(*key));
        older.chain(self.gathered.keys()).map(|key| &**key)
    }

    /// The keys whose entry here meets the condition.
    pub(super) fn keys_where(&self, condition: impl Fn(&Entry) -> bool) -> Vec<Box<str>> {
        self.keys().filter(|key| self.get(key).flatten().is_some_and(&condition)).map(Box::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &'static str) -> Option<Entry> {
        Some(Entry { value: text.into(), expires: None })
    }

    fn texts(overlay: &Overlay) -> Vec<Option<Option<&[u8]>>> {
        ["a", "b", "c"].iter().map(|key| overlay.get(key).map(|e| e.map(|e| &*e.value))).collect()
    }

    #[test]
    fn what_fails_to_leave_stands_behind_what_came_since() {
        let mut overlay = Overlay::default();
        overlay.put("a", entry("1"));
        overlay.put("b", entry("1"));
        overlay.put("c", None);
        let leaving = overlay.leave();
        assert_eq!(leaving.len(), 3);
        overlay.put("b", entry("22"));
        let now = [Some(Some(&b"1"[..])), Some(Some(b"22")), Some(None)];
        assert_eq!(texts(&overlay), now);
        let mut keys: Vec<_> = overlay.keys().collect();
        keys.sort_unstable();
        assert_eq!(keys, ["a", "b", "c"], "each once");
        assert_eq!(overlay.keys_where(|entry| entry.value.len() == 2), [Box::from("b")]);
        overlay.failed();
        assert_eq!(texts(&overlay), now);
        overlay.leave();
        assert_eq!(texts(&overlay), now);
        overlay.committed();
        assert_eq!(texts(&overlay), [None, None, None]);
    }
}
