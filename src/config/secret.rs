//! Secrets: texts that are used and never shown.
//!
//! A sink's configuration names one, `{ secret = "webhook" }`, and the sink is given the text. Whatever is said about the sink
//! afterwards, in errors, logs and ledgers, goes through [`Secrets::mask`]. That is a net for accidents: a sink that wants to
//! give its secret away can.

use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What stands in place of a secret.
const MASK: &str = "***";

/// A text that neither `Debug` nor `Display` shows. Native sinks may use it in their configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever has a use for it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The secrets of one sink.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// One more. An empty text is no secret.
    pub fn add(&mut self, secret: Secret) {
        if !secret.0.is_empty() {
            // Line breaks are taken out of what is told: each line has to be known by itself.
            let lines = secret.0.lines().map(str::trim).filter(|line| line.len() >= 4 && **line != *secret.0);
            self.0.extend(lines.map(Secret::new).collect::<Vec<_>>());
            self.0.push(secret);
            // One secret may be part of another: then the longer one goes first.
            self.0.sort_by_key(|s| std::cmp::Reverse(s.0.len()));
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without the secrets in it, also where they were written with escapes, as in Rust or JSON.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for Secret(secret) in &self.0 {
            let quoted = [format!("{secret:?}"), serde_json::Value::from(&**secret).to_string()];
            let escaped = quoted.iter().filter_map(|text| text.strip_prefix('"')?.strip_suffix('"'));
            for form in escaped.chain([&**secret]) {
                if masked.contains(form) {
                    masked = Cow::Owned(masked.replace(form, MASK));
                }
            }
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_by_accident() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** *** Some(***)");
        assert_eq!(secret.expose(), "hush");
    }

    #[test]
    fn texts_are_masked_in_every_form_and_the_longer_secret_first() {
        let mut secrets = Secrets::default();
        for text in ["hush", "", "hush hush", "a\"b\\c\n"] {
            secrets.add(Secret::new(text));
        }
        for (text, masked) in [
            ("https://x/?key=hush&a", "https://x/?key=***&a"),
            ("hush hush", "***"),
            (r#"invalid value: string "a\"b\\c\n", expected"#, r#"invalid value: string "***", expected"#),
            ("as it is: a\"b\\c\n.", "as it is: ***."),
            ("nothing here", "nothing here"),
            ("", ""),
        ] {
            assert_eq!(secrets.mask(text), masked);
        }
        assert_eq!(Secrets::default().mask("hush"), "hush");
    }
}
