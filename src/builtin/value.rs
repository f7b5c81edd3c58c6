//! What several sinks read from their configuration, each value checked on the spot, so that an error points at it.

use crate::config::units;
use crate::mail::{Header, HeaderError};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;
use std::time::Duration;

/// A duration with its unit, such as `5m`; for `#[serde(deserialize_with = …)]`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    text(deserializer, "a duration such as \"5m\"", parse_duration)
}

/// A duration with its unit, and why a text is none.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    units::duration(text).map_err(|error| {
        let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
        format!("`{text}` is not a duration such as \"5m\": {error}{help}")
    })
}

/// A text and what it is parsed to. The error arises while the text is visited, which is where its place is known.
pub(super) fn text<'de, D, T, E>(
    deserializer: D,
    wanted: &'static str,
    parse: fn(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    deserializer.deserialize_str(Text { wanted, parse })
}

struct Text<T, E> {
    wanted: &'static str,
    parse: fn(&str) -> Result<T, E>,
}

impl<T, E: fmt::Display> Visitor<'_> for Text<T, E> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted)
    }

    fn visit_str<X: de::Error>(self, text: &str) -> Result<T, X> {
        (self.parse)(text).map_err(X::custom)
    }
}

/// The name of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldName(pub(super) String);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "the name of a header field", |name| match Header::default().append(name, "") {
            Ok(()) => Ok(Self(name.to_owned())),
            Err(error) => {
                Err(format!("{error}: a name has up to 78 printable ASCII characters, no colon and no space"))
            }
        })
    }
}

/// The value of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldValue(pub(super) String);

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "the value of a header field", |value| match Header::default().append("X", value) {
            Ok(()) => Ok(Self(value.to_owned())),
            Err(HeaderError::TooLong(_)) => Err("the value is too long: 64 KiB in all, and 998 octets without a space"),
            Err(_) => {
                Err("the value has a line break or control character: write it as one line, it is folded as needed")
            }
        })
    }
}

/// A header field to be written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: FieldName,
    /// Its value, unfolded.
    pub(super) value: FieldValue,
}

/// Reads the only key of a line of TOML as a sink would, for tests.
#[cfg(test)]
pub(super) fn read<T: de::DeserializeOwned>(line: &str) -> Result<T, String> {
    let mut found = crate::config::Diagnostics::default();
    let id = found.sources.add("sinks.toml", line);
    let root = crate::config::parse(id, &mut found).expect("valid TOML");
    let node = &root.as_table().and_then(|t| t.iter().next()).expect("one key").node;
    crate::config::from_node(node, &mut found).ok_or_else(|| found.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_checked_where_they_stand() {
        let read = |line| read::<Vec<Field>>(line);
        let fields = read("add = [{ name = 'X-A', value = 'b c' }]").unwrap();
        assert_eq!((fields[0].name.0.as_str(), fields[0].value.0.as_str()), ("X-A", "b c"));
        for (line, place, told) in [
            ("add = [{ name = 'X A', value = 'b' }]", "1:17", "`X A` is not a header field name"),
            ("add = [{ name = '', value = 'b' }]", "1:17", "`` is not a header field name"),
            ("add = [{ name = 'X', value = \"a\\nb\" }]", "1:30", "write it as one line"),
            ("add = [{ name = 'X', valeu = 'b' }]", "1:22", "did you mean `value`?"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(place) && error.contains(told), "{error}");
        }
        let long = format!("add = [{{ name = 'X', value = '{}' }}]", "x".repeat(1000));
        assert!(read(&long).unwrap_err().contains("too long"));
    }

    #[test]
    fn durations_need_their_unit() {
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        let error = parse_duration("5 min").unwrap_err();
        assert!(error.contains("write `m`"), "{error}");
    }
}
