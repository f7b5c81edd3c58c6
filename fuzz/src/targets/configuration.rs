//! A configuration: it is read, or refused with errors that have their places; each time with the same.
//!
//! An input is the text.

use super::told::{reaches_out, told};
use mailsluice::config::Settings;
use std::path::Path;

pub(super) fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if reaches_out(text) {
        return;
    }
    let read = || match Settings::parse(Path::new("no-such-folder/mailsluice.toml"), text) {
        Ok((settings, warnings)) => {
            assert!(!warnings.has_errors() && !settings.listeners.is_empty());
            (Some(settings), told(&warnings))
        }
        Err(errors) => {
            assert!(errors.has_errors());
            (None, told(&errors))
        }
    };
    assert_eq!(read(), read());
}
