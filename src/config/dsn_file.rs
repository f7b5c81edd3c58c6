//! The file of a template of reports: what is wrong in it is told with its place, for nobody would notice a slip before a
//! sender reads it.

use super::diagnostic::Diagnostics;
use super::dsn_template::{Piece, SECTIONS, Template, VALUES, Value, Words};
use super::sources::{SourceId, Span};
use super::suggest::suggest;
use std::path::Path;

/// Reads the file that is named at `named_at`. What is wrong is noted.
pub(super) fn read(path: &Path, named_at: Span, found: &mut Diagnostics) -> Template {
    match found.open(path, Some(named_at)) {
        Some(id) => parse(id, Template::built_in(), found),
        None => Template::built_in(),
    }
}

/// A line without its end, and where it begins.
#[derive(Clone, Copy)]
struct Line<'a> {
    at: usize,
    text: &'a str,
}

/// A section as it stands in the file.
struct Section<'a> {
    name: &'a str,
    at: Line<'a>,
    lines: Vec<Line<'a>>,
}

/// One text that is being read.
struct Reading<'a> {
    id: SourceId,
    found: &'a mut Diagnostics,
}

/// Puts the sections of a text in place of those in `template`.
pub(super) fn parse(id: SourceId, mut template: Template, found: &mut Diagnostics) -> Template {
    let text = found.sources.text(id);
    let mut reading = Reading { id, found };
    let mut seen: Vec<&str> = Vec::new();
    for section in reading.sections(&text) {
        let span = reading.span(section.at);
        let Some(words) = template.section(section.name) else {
            let told = reading.found.error(span, format!("unknown section `[{}]`", section.name));
            match suggest(section.name, SECTIONS) {
                Some(meant) => told.label(format!("did you mean `[{meant}]`?")),
                None => told.help(format!("sections are [{}]", SECTIONS.join("], ["))),
            };
            continue;
        };
        if seen.contains(&section.name) {
            reading.found.error(span, format!("the section `[{}]` stands here twice", section.name));
            continue;
        }
        seen.push(section.name);
        reading.section(&section, words);
    }
    template
}

impl<'a> Reading<'a> {
    fn span(&self, line: Line<'_>) -> Span {
        Span::new(self.id, line.at..line.at + line.text.len())
    }

    fn sections<'t>(&mut self, text: &'t str) -> Vec<Section<'t>> {
        let mut sections: Vec<Section<'t>> = Vec::new();
        let mut at = 0;
        for raw in text.split_inclusive('\n') {
            let line = Line { at, text: raw.trim_end_matches(['\n', '\r']) };
            at += raw.len();
            let name = line.text.trim_end().strip_prefix('[').and_then(|t| t.strip_suffix(']'));
            match (name.filter(|n| is_name(n)), sections.last_mut()) {
                (Some(name), _) => sections.push(Section { name, at: line, lines: Vec::new() }),
                (None, Some(section)) => section.lines.push(line),
                (None, None) if line.text.trim().is_empty() || line.text.starts_with('#') => {}
                (None, None) => {
                    let told = self.found.error(self.span(line), "there is text before the first section");
                    told.help("begin with a line such as `[failed]`, or make it a comment with `#`");
                    return Vec::new();
                }
            }
        }
        sections
    }

    fn section(&mut self, section: &Section<'_>, words: &mut Words) {
        let mut lines = trimmed(&section.lines);
        if let [first, rest @ ..] = lines
            && let Some((name, subject)) = first.text.split_once(':')
            && name.eq_ignore_ascii_case("subject")
        {
            let start = first.at + first.text.len() - subject.trim_start().len();
            words.subject.clear();
            self.pieces(Line { at: start, text: subject.trim() }, true, &mut words.subject);
            lines = trimmed(rest);
        }
        if lines.is_empty() {
            let told = self.found.error(self.span(section.at), format!("the section `[{}]` has no text", section.name));
            told.help("write one, or leave the section out to have the built-in text");
        }
        words.text.clear();
        for line in lines {
            self.pieces(*line, false, &mut words.text);
            text(&mut words.text, "\n");
        }
    }

    /// Adds the pieces of a line. `alone`: it must stay one line.
    fn pieces(&mut self, line: Line<'_>, alone: bool, pieces: &mut Vec<Piece>) {
        let mut rest = line.text;
        if rest.contains(|c: char| c.is_control() && c != '\t') {
            self.found.error(self.span(line), "the line has a control character in it");
        }
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            text(pieces, before);
            let place = line.at + line.text.len() - from.len();
            if let Some(after) = from.strip_prefix("{{") {
                text(pieces, "{");
                rest = after;
            } else if let Some(after) = from.strip_prefix('}') {
                text(pieces, "}");
                rest = after.strip_prefix('}').unwrap_or(after);
            } else if let Some((name, after)) = from.strip_prefix('{').and_then(|f| f.split_once('}')) {
                let span = Span::new(self.id, place..place + name.len() + 2);
                pieces.extend(self.value(name, alone, span).map(Piece::Value));
                rest = after;
            } else {
                let told = self.found.error(Span::new(self.id, place..place + 1), "a `{` without its `}`");
                told.help("write `{{` for the brace itself");
                return;
            }
        }
        text(pieces, rest);
    }

    fn value(&mut self, name: &str, alone: bool, span: Span) -> Option<Value> {
        let value = VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        if value.is_none() {
            let told = self.found.error(span, format!("unknown placeholder `{{{name}}}`"));
            let known = VALUES.map(|(known, _)| known);
            match suggest(name, known) {
                Some(meant) => told.label(format!("did you mean `{{{meant}}}`?")),
                None => told.help(format!("placeholders are {{{}}}; write `{{{{` for a brace", known.join("}, {"))),
            };
        } else if alone && value.is_some_and(Value::has_lines) {
            self.found.error(span, format!("`{{{name}}}` is several lines, and a subject is one"));
            return None;
        }
        value
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Without the empty lines at both ends.
fn trimmed<'a, 't>(mut lines: &'a [Line<'t>]) -> &'a [Line<'t>] {
    while let [first, rest @ ..] = lines
        && first.text.trim().is_empty()
    {
        lines = rest;
    }
    while let [rest @ .., last] = lines
        && last.text.trim().is_empty()
    {
        lines = rest;
    }
    lines
}

/// Adds text, to the piece before if that is text too.
fn text(pieces: &mut Vec<Piece>, more: &str) {
    match pieces.last_mut() {
        _ if more.is_empty() => {}
        Some(Piece::Text(before)) => before.push_str(more),
        _ => pieces.push(Piece::Text(more.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Template, String) {
        let mut found = Diagnostics::default();
        let id = found.sources.add("dsn.txt", text);
        let template = parse(id, Template::built_in(), &mut found);
        (template, found.to_string())
    }

    #[test]
    fn a_section_is_a_subject_and_a_text() {
        let (template, told) =
            read("# ours\r\n\r\n[failed] \r\n\r\nsubject:  {{{id}}} }\r\n\r\na{recipients}\r\n\r\n b\r\n\r\n");
        assert_eq!(told, "");
        let piece = |text: &str| Piece::Text(text.into());
        assert_eq!(template.failed.subject, [piece("{"), Piece::Value(Value::Id), piece("} }")]);
        assert_eq!(template.failed.text, [piece("a"), Piece::Value(Value::Recipients), piece("\n\n b\n")]);
        let (template, told) = read("[delayed]\nSubjects: none\n[expanded]\n[not one]\n");
        assert_eq!(told, "");
        assert_eq!(template.delayed.subject, Template::built_in().delayed.subject);
        assert_eq!(template.delayed.text, [piece("Subjects: none\n")]);
        assert_eq!(template.expanded.text, [piece("[not one]\n")], "what is no name begins no section");
    }

    #[test]
    fn every_slip_is_told_with_its_place() {
        let slips = "[failed]\nSubject: {recipients}\n\nto {recipient} at {x-y}\n{id\n[faild]\n[delayed]\n\n[delayed]\na\n[relayed]\na\u{7}\n";
        let mut found = Diagnostics::default();
        let id = found.sources.add("dsn.txt", slips);
        parse(id, Template::built_in(), &mut found);
        let told: Vec<_> =
            found.iter().map(|d| (found.sources.line_column(d.span.unwrap()).unwrap(), d.message.as_str())).collect();
        assert_eq!(
            told,
            [
                ((2, 10), "`{recipients}` is several lines, and a subject is one"),
                ((4, 4), "unknown placeholder `{recipient}`"),
                ((4, 19), "unknown placeholder `{x-y}`"),
                ((5, 1), "a `{` without its `}`"),
                ((6, 1), "unknown section `[faild]`"),
                ((7, 1), "the section `[delayed]` has no text"),
                ((9, 1), "the section `[delayed]` stands here twice"),
                ((12, 1), "the line has a control character in it"),
            ]
        );
        let told = found.to_string();
        assert!(told.contains("did you mean `{recipients}`?") && told.contains("did you mean `[failed]`?"), "{told}");
        assert!(read("Hello\n[failed]\n").1.contains("there is text before the first section"));
    }
}
