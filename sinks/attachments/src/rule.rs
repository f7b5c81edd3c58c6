//! One rule of the policy.

use crate::name::extensions;
use mailsluice_sink::{Fault, Glob, Part};
use serde::{Deserialize, Deserializer, de};

/// What becomes of a message or of the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// The message is refused.
    Reject,
    /// The part is removed.
    Remove,
    /// The message is parked.
    Hold,
    /// Nothing.
    Next,
}

/// All conditions must hold; a list means any of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rule {
    pub(crate) action: Action,
    /// Globs on the MIME type.
    #[serde(rename = "type", default)]
    types: Vec<Glob>,
    /// Globs on the last extension of the name.
    #[serde(rename = "extension", default)]
    extensions: Vec<Glob>,
    /// Whether the extensions before the last one count as well.
    #[serde(default)]
    anywhere: bool,
    /// Globs on the whole name.
    #[serde(rename = "name", default)]
    names: Vec<Glob>,
    /// Octets, once decoded.
    #[serde(default, deserialize_with = "size")]
    larger_than: Option<u64>,
    /// The reply of a refusal, or the reason of a hold.
    pub(crate) text: Option<String>,
    /// What stands in the place of what was removed; without it nothing does.
    pub(crate) note: Option<String>,
}

impl Rule {
    /// Whether the rule makes sense.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.types.is_empty() && self.extensions.is_empty() && self.names.is_empty() && self.larger_than.is_none() {
            return Err(Fault::error("[sink.config]: a rule needs `type`, `extension`, `name` or `larger-than`"));
        }
        if let Some(glob) = self.extensions.iter().find(|glob| glob.as_str().contains('.')) {
            let text = format!("[sink.config]: extension `{}` should be written without a dot", glob.as_str());
            return Err(Fault::error(text));
        }
        Ok(())
    }

    /// Whether it is about this part.
    pub(crate) fn holds(&self, part: &Part) -> bool {
        let any = |globs: &[Glob], value: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(value));
        let name = part.file_name.as_deref().unwrap_or_default();
        any(&self.types, &part.content_type)
            && (self.extensions.is_empty() || self.has_extension(name))
            && any(&self.names, name)
            && self.larger_than.is_none_or(|limit| part.size > limit)
    }

    fn has_extension(&self, name: &str) -> bool {
        let extensions = extensions(name);
        let looked_at =
            if self.anywhere { &extensions[..] } else { extensions.last().map_or(&[][..], std::slice::from_ref) };
        looked_at.iter().any(|extension| self.extensions.iter().any(|glob| glob.matches(extension)))
    }
}

/// A number of octets, or one with a unit as in the server's configuration.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Octets(u64),
    Text(String),
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Size::deserialize(deserializer)? {
        Size::Octets(octets) => Ok(Some(octets)),
        Size::Text(text) => octets(&text)
            .map(Some)
            .ok_or_else(|| de::Error::custom(format!("`{text}` is no size: write 500, \"64 KiB\" or \"10 MiB\""))),
    }
}

fn octets(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit.trim() {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}
