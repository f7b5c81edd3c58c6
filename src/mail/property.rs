//! Properties: named JSON values that sinks leave on sessions, messages and recipients.
//!
//! Each stands in the namespace of the sink that set it and is readable by all, as `sink.key`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What one sink may keep on a session, or on a message and its recipients together, in octets of JSON.
pub const PER_SINK_MAX: usize = 16 * 1024;

/// The properties of one session, message or recipient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Properties(BTreeMap<String, BTreeMap<String, Value>>);

/// A sink's share does not hold what it wants to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyError {
    /// The sink whose share it is.
    pub sink: String,
}

impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the properties of sink `{}` would be over {PER_SINK_MAX} octets", self.sink)
    }
}

impl std::error::Error for PropertyError {}

impl Properties {
    /// The value of `key` as `sink` set it.
    pub fn get(&self, sink: &str, key: &str) -> Option<&Value> {
        self.0.get(sink)?.get(key)
    }

    /// The value under its full name, `sink.key`. Keys may hold dots; sinks' names don't.
    pub fn lookup(&self, name: &str) -> Option<&Value> {
        let (sink, key) = name.split_once('.')?;
        self.get(sink, key)
    }

    /// Sets or, with `Value::Null`, removes. Whether the share holds it is asked once for many, with [`Self::check_share`]: to
    /// count it anew for each would make many properties slow.
    pub fn set(&mut self, sink: &str, key: &str, value: Value) {
        if !value.is_null() {
            self.0.entry(sink.to_owned()).or_default().insert(key.to_owned(), value);
        } else if let Some(own) = self.0.get_mut(sink) {
            own.remove(key);
        }
    }

    /// Whether the share of `sink` holds what it has on all these together.
    pub fn check_share<'a>(sink: &str, bearers: impl Iterator<Item = &'a Self>) -> Result<(), PropertyError> {
        let total: usize = bearers.filter_map(|p| p.0.get(sink)).flatten().map(size).sum();
        if total > PER_SINK_MAX { Err(PropertyError { sink: sink.to_owned() }) } else { Ok(()) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeMap::is_empty)
    }

    /// All of them: sink, key, value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.0.iter().flat_map(|(sink, own)| own.iter().map(move |(k, v)| (sink.as_str(), k.as_str(), v)))
    }
}

fn size((key, value): (&String, &Value)) -> usize {
    key.len() + value.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_bounded_and_one_s_own() {
        let mut p = Properties::default();
        let fits = |p: &Properties| Properties::check_share("tag", [p].into_iter()).is_ok();
        p.set("tag", "a.b", Value::from("x".repeat(PER_SINK_MAX - 5)));
        assert!(fits(&p));
        p.set("other", "c", Value::from(1));
        assert!(fits(&p));
        assert_eq!(p.lookup("other.c"), Some(&Value::from(1)));
        p.set("tag", "c", Value::from(1));
        assert!(!fits(&p));
        p.set("tag", "a.b", Value::from("short"));
        assert!(fits(&p));
        assert_eq!(p.lookup("tag.a.b"), Some(&Value::from("short")));
        p.set("tag", "a.b", Value::Null);
        assert_eq!(p.get("tag", "a.b"), None);
    }

    #[test]
    fn a_share_is_of_all_bearers_together() {
        let mut half = Properties::default();
        half.set("tag", "a", Value::from("x".repeat(PER_SINK_MAX / 2)));
        half.set("other", "a", Value::from("x"));
        assert_eq!(Properties::check_share("tag", [&half, &Properties::default()].into_iter()), Ok(()));
        assert!(Properties::check_share("tag", [&half, &half].into_iter()).is_err());
        assert_eq!(Properties::check_share("other", [&half, &half].into_iter()), Ok(()));
    }
}
