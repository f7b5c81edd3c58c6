//! What the sinks that serve receivers on demand read from their configuration: domains, users, networks.

use super::value;
use crate::event::glob::Glob;
use crate::event::host::Scope;
use crate::event::networks;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// `"example.org"`, or `"@example.org"` for that domain and those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScopeText(pub(super) Scope);

impl<'de> Deserialize<'de> for ScopeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value::text(deserializer, "a domain such as \"example.org\" or \"@example.org\"", |text| {
            let wrong = || {
                format!("`{text}` is no domain: write \"example.org\", or \"@example.org\" for that and all below it")
            };
            Scope::parse(text).map(Self).ok_or_else(wrong)
        })
    }
}

/// A network such as `"192.0.2.0/24"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NetworkText(pub(super) IpNet);

impl<'de> Deserialize<'de> for NetworkText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value::text(deserializer, "an address or network such as \"192.0.2.0/24\"", |text| {
            networks::parse(text).map(Self).map_err(|error| format!("`{text}`: {error}"))
        })
    }
}

/// A user's name, or a glob for several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserText(pub(super) Glob);

impl<'de> Deserialize<'de> for UserText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value::text(deserializer, "a user such as \"site-7\"", |text| match text.is_empty() {
            true => Err("a user needs a name, or \"*\" for every one who has authenticated"),
            false => Ok(Self(Glob::new(text))),
        })
    }
}
