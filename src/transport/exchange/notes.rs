//! What was odd about the records of a domain, for operators.
//!
//! Bounded: whoever fills a zone with nonsense does not fill logs and queue with it.

use crate::mail::one_line;
use std::fmt;

/// Notes that are kept; of others there is the number.
const KEPT: usize = 10;
/// The longest note, in octets.
const NOTE_MAX: usize = 120;

/// Notes in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Vec<String>,
    more: usize,
}

impl Notes {
    pub(super) fn add(&mut self, note: impl Into<String>) {
        if self.kept.len() == KEPT {
            self.more += 1;
            return;
        }
        let mut note = one_line(note.into());
        note.truncate(note.floor_char_boundary(NOTE_MAX));
        self.kept.push(note);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// On one line.
impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kept.join("; "))?;
        if self.more == 0 { Ok(()) } else { write!(f, "; and {} more like these", self.more) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_and_long_ones_stay_short() {
        let mut notes = Notes::default();
        (0..1000).for_each(|n| notes.add(format!("{n}: {}\n", "ä".repeat(1000))));
        let text = notes.to_string();
        assert!(text.len() < 1300 && text.ends_with("; and 990 more like these"), "{} octets", text.len());
        assert!(!text.contains('\n'));
    }
}
