//! Fields whose values come from outside: a reply, a name or an address ends neither its field nor its line.
//!
//! A control character becomes a space, and where only ASCII may stand, any other character `\x{…}` (as RFC 6533 3 embeds it).
//! Lines are folded at spaces; what has none is cut before it gets too long.

use std::borrow::Cow;

/// Lines are folded to at most this many octets where there is white space (RFC 5322 2.1.1).
const FOLD_AT: usize = 78;
/// No line gets longer than this, in octets; 998 are allowed (RFC 5322 2.1.1).
const LINE_MAX: usize = 900;

/// Fields, each ended by CRLF.
pub(super) struct Fields {
    out: String,
    unicode: bool,
    /// Octets of the line that is being written.
    column: usize,
}

impl Fields {
    /// `unicode`: whether values may have more than ASCII.
    pub(super) fn new(unicode: bool) -> Self {
        Self { out: String::new(), unicode, column: 0 }
    }

    /// Adds a field.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.add_lines(name, [value]);
    }

    /// Adds a field whose value has lines of its own: each begins one.
    pub(super) fn add_lines<'v>(&mut self, name: &str, lines: impl IntoIterator<Item = &'v str>) {
        self.put(name);
        self.put(":");
        for (i, line) in lines.into_iter().enumerate() {
            if i > 0 {
                self.fold();
            }
            self.fill(inert(line, self.unicode).trim_matches(' '));
        }
        self.fold();
    }

    /// Ends a block of fields with an empty line.
    pub(super) fn end(&mut self) {
        self.fold();
    }

    /// What has been added.
    pub(super) fn into_string(self) -> String {
        self.out
    }

    fn fill(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        for (i, word) in text.split(' ').enumerate() {
            // An empty word is one of a run of spaces; it rides on the line that it stands in.
            if word.is_empty() && self.column < LINE_MAX {
                self.put(" ");
                continue;
            }
            if i > 0 && !word.is_empty() && self.column + 1 + word.len() > FOLD_AT {
                self.fold();
            }
            let mut rest = word;
            while !rest.is_empty() {
                let room = LINE_MAX.saturating_sub(self.column + 1).max(FOLD_AT);
                let (piece, after) = rest.split_at(rest.floor_char_boundary(room));
                self.put(" ");
                self.put(piece);
                rest = after;
                if !rest.is_empty() {
                    self.fold();
                }
            }
        }
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }

    fn fold(&mut self) {
        self.out.push_str("\r\n");
        self.column = 0;
    }
}

/// Text that is one line, whatever reads it.
pub(super) fn inert(text: &str, unicode: bool) -> Cow<'_, str> {
    // Some readers end lines at the separators of Unicode, too.
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let stands = |c: char| !breaks(c) && (unicode || c.is_ascii());
    if text.chars().all(stands) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if breaks(c) => out.push(' '),
            c if stands(c) => out.push(c),
            c => out.push_str(&format!("\\x{{{:02X}}}", u32::from(c))),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(value: &str, unicode: bool) -> String {
        let mut fields = Fields::new(unicode);
        fields.add("X", value);
        fields.into_string()
    }

    #[test]
    fn a_value_stays_in_its_field() {
        for (value, ascii, unicode) in [
            ("plain", "X: plain\r\n", "X: plain\r\n"),
            ("", "X:\r\n", "X:\r\n"),
            ("a\r\nBcc: b", "X: a  Bcc: b\r\n", "X: a  Bcc: b\r\n"),
            ("a\0\u{7f}\u{85}\u{2028}b\t", "X: a    b\r\n", "X: a    b\r\n"),
            ("ü\u{1F600}", "X: \\x{FC}\\x{1F600}\r\n", "X: ü\u{1F600}\r\n"),
        ] {
            assert_eq!(field(value, false), ascii, "{value:?}");
            assert_eq!(field(value, true), unicode, "{value:?}");
        }
    }

    #[test]
    fn no_line_is_long_and_none_is_blank() {
        let long = [
            "word ".repeat(400),
            "x".repeat(5000),
            "ü".repeat(2000),
            format!("a{}b", " ".repeat(3000)),
            format!("{} x {}", "a".repeat(899), "b".repeat(901)),
        ];
        for value in long {
            for unicode in [false, true] {
                let text = field(&value, unicode);
                assert!(text.ends_with("\r\n"));
                for line in text.trim_end_matches("\r\n").split("\r\n") {
                    assert!(line.len() <= 998 && !line.trim().is_empty(), "{line:?}");
                }
                assert!(text.trim_end_matches("\r\n").split("\r\n").skip(1).all(|line| line.starts_with(' ')));
                let kept = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                assert_eq!(kept(&text), kept(&format!("X:{}", inert(&value, unicode))));
            }
        }
    }

    #[test]
    fn lines_begin_lines() {
        let mut fields = Fields::new(false);
        fields.add_lines("D", ["smtp; 550-a", "550 b\r\n"]);
        fields.end();
        assert_eq!(fields.into_string(), "D: smtp; 550-a\r\n 550 b\r\n\r\n");
    }
}
