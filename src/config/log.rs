//! `[log]`: what is told on standard error, and in which form.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values::choice;

/// The log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// `format`: `"plain"` (default) or `"json"`.
    pub format: Format,
    /// `level`: `"error"`, `"warn"`, `"info"` (default), `"debug"` or `"trace"`.
    pub level: Level,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Plain,
    /// One object per line.
    Json,
}

/// The least important thing that is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// What failed.
    Error,
    /// What may become a failure.
    Warn,
    /// What happens to messages.
    #[default]
    Info,
    /// What happens within.
    Debug,
    /// Everything.
    Trace,
}

const FORMATS: &[(&str, Format)] = &[("plain", Format::Plain), ("json", Format::Json)];
const LEVELS: &[(&str, Level)] = &[
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
];

impl Log {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        Self {
            format: table.get("format", found, choice(FORMATS)).unwrap_or_default(),
            level: table.get("level", found, choice(LEVELS)).unwrap_or_default(),
        }
    }
}

impl Level {
    /// As in the file, and as tracing's filters have it.
    pub fn as_str(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("info", |(name, _)| name)
    }
}
