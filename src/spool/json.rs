//! JSON that is carried and not read: kept as the text that came, put into records as it is.
//!
//! Always well-formed, because it is only made by parsing or by serialising.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// One JSON value as text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The JSON of a value. An error if it has none, such as a map with keys that are no strings.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Reads it as a value.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(self.0.get())
    }

    /// Whether it is `null`, the default.
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }
}

impl Default for Json {
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self::of(&value).unwrap_or_default()
    }
}

impl std::str::FromStr for Json {
    type Err = serde_json::Error;
    fn from_str(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}
