//! Errors and warnings that point at the spot, and how they are printed.
//!
//! Readers of configuration put what they find into [`Diagnostics`] and go on, so that one run tells
//! everything. Printed plainly, without colour: file, line, column, the line itself with a caret under the
//! spot, and what to do. What is printed depends on the texts alone, never on the terminal.

use super::secret::Secrets;
use super::sources::{ReadFault, SourceId, Sources, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt::{self, Write};
use std::io;
use std::path::Path;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is used as long as this stands.
    Error,
    /// Used all the same; perhaps not as meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where, if it is in a text at all.
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub message: String,
    /// Said right at the caret.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Says something right at the caret.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.label = Some(text.into());
        self
    }

    /// Says what to do.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }
}

/// What was found, with the texts that it was found in.
#[derive(Debug, Default)]
pub struct Diagnostics {
    /// The texts.
    pub sources: Sources,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Notes an error; the answer takes a label and a help text.
    pub fn error(&mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Error, span.into(), message.into())
    }

    /// Notes a warning; the answer takes a label and a help text.
    pub fn warning(&mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Warning, span.into(), message.into())
    }

    fn push(&mut self, severity: Severity, span: Option<Span>, message: String) -> &mut Diagnostic {
        self.list.push_mut(Diagnostic { severity, span, message, label: None, help: None })
    }

    /// Adds one that was made elsewhere.
    pub fn add(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Reads and registers a file. What keeps it from being read is noted at `named_at`, the place that names it.
    pub fn open(&mut self, path: &Path, named_at: Option<Span>) -> Option<SourceId> {
        match self.sources.read(path) {
            Ok(id) => return Some(id),
            Err(fault) => self.unreadable(path, named_at, fault),
        }
        None
    }

    /// Notes why a file can't be read.
    pub(super) fn unreadable(&mut self, path: &Path, named_at: Option<Span>, fault: ReadFault) {
        let fault = match fault {
            ReadFault::NotUtf8(span) => {
                self.error(span, "the file is not valid UTF-8").help("save the file as UTF-8");
                return;
            }
            ReadFault::TooLarge => "it is larger than 256 MiB".to_owned(),
            ReadFault::Io(error) => io_text(&error),
        };
        let told = self.error(named_at, format!("cannot read `{}`: {fault}", path.display()));
        told.help(match named_at {
            Some(_) => "a relative path starts at the file that names it",
            None => "name another file with `--config FILE`",
        });
    }

    /// Whether anything found is an error.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many of one kind were found.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// How many things were found.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Takes secrets out of what was found after the first `from` things.
    pub fn mask(&mut self, from: usize, secrets: &Secrets) {
        let hide = |text: &mut String| *text = secrets.mask(text).into_owned();
        for found in self.list.iter_mut().skip(from) {
            hide(&mut found.message);
            found.label.iter_mut().chain(&mut found.help).for_each(hide);
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What was found, in the order of finding.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// The printed form of one diagnostic, without a line end.
    pub fn render(&self, diagnostic: &Diagnostic) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(printable(&diagnostic.message)));
        if let Some((span, line)) = diagnostic.span.and_then(|s| Some((s, self.sources.line(s)?))) {
            let caret = AnnotationKind::Primary.span(line.range).label(diagnostic.label.as_deref().map(printable));
            let (text, path) = (in_place(line.text), printable(self.sources.name(span.source)));
            let snippet = Snippet::source(text).path(path).line_start(line.number);
            group = group.element(snippet.annotation(caret));
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(printable(help)));
        }
        Renderer::plain().render(&[group])
    }
}

/// Everything, in the order of the texts, and the count on the last line.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<&Diagnostic> = self.list.iter().collect();
        sorted.sort_by_key(|d| d.span.map(|s| (s.source, s.start)));
        for diagnostic in sorted {
            writeln!(f, "{}\n", self.render(diagnostic))?;
        }
        let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let counts = [(Severity::Error, "error"), (Severity::Warning, "warning")].map(|(s, w)| (self.count(s), w));
        let told: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, w)| plural(*n, w)).collect();
        if told.is_empty() { Ok(()) } else { writeln!(f, "{}", told.join(", ")) }
    }
}

impl std::error::Error for Diagnostics {}

/// What the system said, in words that are the same on every system.
pub fn io_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

/// Text from a file must not steer the terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A line of a file, fit for the terminal. Each character keeps its octets, so that places stay where they are: the renderer
/// has pictures for ASCII's control characters, and the others have two octets as the dot that stands for them.
fn in_place(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !c.is_ascii(), "\u{b7}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, range: std::ops::Range<usize>) -> String {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f.toml", text);
        found.error(Span::new(id, range), "bad\u{1b}[31m").label("here").help("mend it");
        found.to_string()
    }

    #[test]
    fn the_caret_stands_under_the_spot() {
        let want = "error: bad\\u{1b}[31m\n --> f.toml:2:3\n  |\n2 | x yy z\n  |   ^^ here\n  |\n  = help: mend it\n\n1 error\n";
        assert_eq!(one("a\nx yy z\n", 4..6), want);
    }

    #[test]
    fn a_file_does_not_steer_the_terminal() {
        let told = one("x = \u{1b}\u{9b}31m é\n", 11..13);
        assert!(told.contains("1 | x = ␛·31m é\n  |           ^ here"), "{told}");
        assert!(!told.contains(|c: char| c != '\n' && c.is_control()));
    }

    #[test]
    fn a_span_of_many_lines_is_shown_on_its_first() {
        assert!(one("x = [\n1,\n]\n", 4..9).contains("1 | x = [\n  |     ^ here"));
    }

    #[test]
    fn what_was_found_comes_in_the_order_of_the_text() {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f", "a\nb\n");
        found.warning(Span::new(id, 2..3), "second");
        found.error(Span::new(id, 0..1), "first");
        found.error(None, "no place");
        let text = found.to_string();
        let at = |needle: &str| text.find(needle).unwrap();
        assert!(at("no place") < at("first") && at("first") < at("second"));
        assert!(text.ends_with("\n2 errors, 1 warning\n"), "{text}");
    }
}
