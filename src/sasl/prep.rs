//! SASLprep (RFC 4013): two ways to type a name or password become one.

use super::{NAME_MAX, PASSWORD_MAX};
use std::borrow::Cow;

/// The text as it is compared. Nothing if it has characters that neither name nor password may have.
///
/// The profile knows the characters of Unicode 3.2. A text with newer ones, emoji for instance, is taken as it is.
pub fn prepare(text: &str) -> Option<Cow<'_, str>> {
    match stringprep::saslprep(text) {
        Ok(prepared) => Some(prepared),
        Err(_) => {
            let newer = text.chars().any(stringprep::tables::unassigned_code_point);
            (newer && !text.contains(char::is_control)).then_some(Cow::Borrowed(text))
        }
    }
}

/// A name: prepared, not empty, and no longer than [`NAME_MAX`].
pub fn name(text: &str) -> Option<String> {
    if text.len() > NAME_MAX {
        return None;
    }
    prepare(text).filter(|name| !name.is_empty() && name.len() <= NAME_MAX).map(Cow::into_owned)
}

/// A password: prepared, not empty, and no longer than [`PASSWORD_MAX`].
pub fn password(text: &str) -> Option<Cow<'_, str>> {
    if text.len() > PASSWORD_MAX {
        return None;
    }
    prepare(text).filter(|password| !password.is_empty() && password.len() <= PASSWORD_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_4013() {
        for (text, prepared) in [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            ("\u{627}\u{31}", None),
        ] {
            assert_eq!(prepare(text).as_deref(), prepared, "{text:?}");
        }
    }

    #[test]
    fn newer_characters_are_taken_as_they_are() {
        assert_eq!(prepare("pass\u{1f600}word").as_deref(), Some("pass\u{1f600}word"));
        assert_eq!(prepare("\u{1f600}\u{7}"), None);
        assert_eq!(name(""), None);
        assert_eq!(name(&"x".repeat(256)), None);
        assert_eq!(password(&"x".repeat(1025)), None);
    }
}
