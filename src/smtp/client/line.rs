//! What others may put into our dialogue: a whole command, or a parameter of one of ours.
//!
//! Both are checked when they are made, so that none can end a line, or be what only the machine may say.

use bytes::Bytes;
use std::fmt;

/// The longest command, without its CRLF: what RFC 5321 4.5.3.1.4 leaves, and as much again for what extensions add.
const COMMAND_MAX: usize = 1022;
/// The longest parameter.
const PARAMETER_MAX: usize = 500;

/// The commands on which the machine's states hang.
const OWN: [&str; 11] = ["EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "QUIT", "STARTTLS", "AUTH"];

/// The most octets that may follow a command.
pub const OCTETS_MAX: usize = 1 << 20;

/// A command, without its CRLF, and octets that follow once the server has said 354 to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommandLine {
    text: Box<str>,
    behind: Option<Bytes>,
}

/// A parameter of MAIL or RCPT: a keyword, and a value behind `=` (RFC 5321 4.1.2, esmtp-param).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter(Box<str>);

/// Why a text is neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongLine {
    /// It does not begin with a verb, or has a control character.
    NotACommand(String),
    /// Its verb is one that only the machine may say there.
    Own(String),
    /// It is no parameter.
    NotAParameter(String),
    /// It is longer than this.
    TooLong(usize),
    /// The octets that are to follow are more than this.
    TooMuch(usize),
}

impl fmt::Display for WrongLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACommand(text) => {
                write!(f, "`{text}` is no command: write a verb and what follows it, on one line")
            }
            Self::Own(verb) => write!(f, "{verb} can't be put in here: the order of the session hangs on it"),
            Self::NotAParameter(text) => {
                write!(f, "`{text}` is no parameter: write KEYWORD or KEYWORD=value, without spaces")
            }
            Self::TooLong(most) => write!(f, "it is longer than {most} octets"),
            Self::TooMuch(most) => write!(f, "over {most} octets are to follow it"),
        }
    }
}

impl std::error::Error for WrongLine {}

impl CommandLine {
    /// A command that is put in between those of the machine, which has to be none of these.
    pub fn to_insert(text: &str) -> Result<Self, WrongLine> {
        let command = Self::parse(text)?;
        if OWN.contains(&command.verb().as_str()) { Err(WrongLine::Own(command.verb())) } else { Ok(command) }
    }

    /// The same, with octets that follow it once the server has said 354. Another reply than that and they are not sent.
    pub fn with_octets(self, octets: Bytes) -> Result<Self, WrongLine> {
        if octets.len() > OCTETS_MAX {
            return Err(WrongLine::TooMuch(OCTETS_MAX));
        }
        Ok(Self { behind: Some(octets), ..self })
    }

    /// A command in the place of the machine's own with this verb: the same command in other words, or one that the server takes
    /// for it.
    pub fn to_replace(text: &str, verb: &str) -> Result<Self, WrongLine> {
        let command = Self::parse(text)?;
        if command.verb() == verb { Ok(command) } else { Self::to_insert(text) }
    }

    fn parse(text: &str) -> Result<Self, WrongLine> {
        if text.len() > COMMAND_MAX {
            return Err(WrongLine::TooLong(COMMAND_MAX));
        }
        let verb = text.split(' ').next().unwrap_or_default();
        let named = verb.starts_with(|c: char| c.is_ascii_alphabetic())
            && verb.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !named || text.chars().any(char::is_control) {
            return Err(WrongLine::NotACommand(excerpt(text)));
        }
        Ok(Self { text: text.into(), behind: None })
    }

    /// What follows it.
    pub(super) fn behind(&self) -> Option<&Bytes> {
        self.behind.as_ref()
    }

    /// The verb, in upper case.
    pub fn verb(&self) -> String {
        self.text.split(' ').next().unwrap_or_default().to_ascii_uppercase()
    }

    /// The whole command.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Parameter {
    /// Reads `KEYWORD` or `KEYWORD=value`.
    pub fn parse(text: &str) -> Result<Self, WrongLine> {
        if text.len() > PARAMETER_MAX {
            return Err(WrongLine::TooLong(PARAMETER_MAX));
        }
        let (keyword, value) = text.split_once('=').map_or((text, None), |(keyword, value)| (keyword, Some(value)));
        let named = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let valued = value.is_none_or(|v| !v.is_empty() && v.chars().all(|c| c != '=' && c != ' ' && !c.is_control()));
        if named && valued { Ok(Self(text.into())) } else { Err(WrongLine::NotAParameter(excerpt(text))) }
    }

    /// Whether it has this keyword. Case does not matter.
    pub fn is(&self, keyword: &str) -> bool {
        self.0.split('=').next().is_some_and(|own| own.eq_ignore_ascii_case(keyword))
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_line_early() {
        for text in ["", " NOOP", "XHELLO\r\nMAIL FROM:<>", "X\nY", "X\0", "-X", "1X", "X=1"] {
            assert!(matches!(CommandLine::to_insert(text), Err(WrongLine::NotACommand(_))), "{text:?}");
        }
        for text in ["", "X Y", "X=", "X=a=b", "X=a b", "X=a\r\nRSET", "=x", "-X", "X_Y=1"] {
            assert!(matches!(Parameter::parse(text), Err(WrongLine::NotAParameter(_))), "{text:?}");
        }
        assert_eq!(Parameter::parse(&"X".repeat(501)), Err(WrongLine::TooLong(500)));
        assert_eq!(CommandLine::to_insert(&"X".repeat(1023)), Err(WrongLine::TooLong(1022)));
    }

    #[test]
    fn the_order_of_the_session_is_the_machine_s() {
        for text in OWN {
            assert_eq!(CommandLine::to_insert(&text.to_ascii_lowercase()), Err(WrongLine::Own(text.into())));
            assert!(CommandLine::to_replace(text, text).is_ok());
        }
        assert!(CommandLine::to_replace("DATA", "RCPT").is_err());
        assert_eq!(CommandLine::to_insert("xhello you").map(|c| c.verb()), Ok("XHELLO".into()));
        assert!(Parameter::parse("size=5").is_ok_and(|p| p.is("SIZE") && !p.is("SIZ")));
    }
}
