//! Text that comes from outside and is shown to operators: in ledgers, logs and the queue.

/// The longest such text, in octets.
pub const TEXT_MAX: usize = 1000;

/// The text as one line of at most [`TEXT_MAX`] octets: each control character is a space, what is too long is cut.
pub fn one_line(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
    }
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_and_not_too_long() {
        assert_eq!(one_line("a\r\nb\0\u{1b}[2J\u{9b}c".into()), "a  b  [2J c");
        assert_eq!(one_line("ä".repeat(TEXT_MAX)).len(), TEXT_MAX);
        assert_eq!(one_line(format!("x{}", "ä".repeat(TEXT_MAX))).len(), TEXT_MAX - 1);
    }
}
