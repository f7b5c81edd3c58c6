//! What the command line prints, and how it ends.
//!
//! Results go to standard output, what is wrong to standard error. A reader that has gone ends the command quietly. Text
//! that came from mail is made printable: it must not steer the terminal.

use crate::admin::ClientError;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Stdout, Write};
use std::process::ExitCode;
use std::time::Duration;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed; the text is for the operator.
    Failed(String),
    /// It failed and has said so already.
    Told,
    /// It was asked for something that makes no sense.
    Usage(String),
    /// Whoever read the output has gone.
    Pipe,
}

/// How a command ends.
pub(super) type Outcome = Result<(), Failure>;

impl Failure {
    pub(super) fn failed(text: impl std::fmt::Display) -> Self {
        Self::Failed(text.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Pipe } else { Self::Failed(error.to_string()) }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Standard output. Dropped without [`Out::end`], what is left is written without a look at errors.
pub(super) struct Out(BufWriter<Stdout>);

impl Out {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// One value as one line of JSON.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> Outcome {
        serde_json::to_writer(&mut self.0, value).map_err(io::Error::from)?;
        Ok(self.0.write_all(b"\n")?)
    }

    /// Everything is written.
    pub(super) fn end(mut self) -> Outcome {
        Ok(self.0.flush()?)
    }
}

impl Write for Out {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The exit code of a command, its error told: 0 done, 1 failed, 2 usage.
pub(super) fn exit(outcome: Outcome) -> ExitCode {
    let (text, code) = match outcome {
        Ok(()) | Err(Failure::Pipe) => return ExitCode::SUCCESS,
        Err(Failure::Told) => return ExitCode::from(1),
        Err(Failure::Failed(text)) => (text, 1),
        Err(Failure::Usage(text)) => (text, 2),
    };
    complain(&text);
    ExitCode::from(code)
}

/// Says what is wrong.
pub(super) fn complain(text: &str) {
    let text = text.trim_end();
    // What was found in files says itself what it is.
    let start = if text.starts_with("error: ") || text.starts_with("warning: ") { "" } else { "error: " };
    // Nobody is left to be told if this can't be written.
    let _ = writeln!(io::stderr(), "{start}{text}");
}

/// Says what is worth knowing but no result.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Text as it can be shown: control characters, and those that turn the writing around, are escaped.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A span of time as people say it: its two largest units.
pub(super) fn span(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..3600 => two(s / 60, "m", s % 60, "s"),
        3600..86_400 => two(s / 3600, "h", s % 3600 / 60, "m"),
        _ => two(s / 86_400, "d", s % 86_400 / 3600, "h"),
    }
}

fn two(large: u64, unit: &str, small: u64, less: &str) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{less}") }
}

/// A number of octets as people say it.
pub(super) fn size(octets: u64) -> String {
    let mut value = octets as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "B" || value >= 100.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// `1 message`, `2 messages`.
pub(super) fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_mail_does_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31m\r\nä\u{202e}"), "a\\u{1b}[31m\\r\\nä\\u{202e}");
    }

    #[test]
    fn times_and_sizes_as_people_say_them() {
        let spans = [0, 59, 60, 61, 7200, 7260, 86_400, 100_000].map(|s| span(Duration::from_secs(s)));
        assert_eq!(spans, ["0s", "59s", "1m", "1m 1s", "2h", "2h 1m", "1d", "1d 3h"]);
        let sizes = [0, 1023, 1024, 1536, 200 << 10, 5 << 30].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "200 KiB", "5.0 GiB"]);
        assert_eq!((count(1, "fault"), count(0, "fault")), ("1 fault".into(), "0 faults".into()));
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let gone = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(gone, Failure::Pipe));
        assert!(matches!(Failure::from(io::Error::from(io::ErrorKind::StorageFull)), Failure::Failed(_)));
    }
}
