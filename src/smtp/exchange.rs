//! The lines of an authentication exchange (RFC 4954 4).
//!
//! Reads AUTH and what the client answers to a challenge; writes challenges. What the octets mean, mechanisms know.

use super::fault::Fault;
use crate::mail::Reply;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The longest line of an exchange in octets, CRLF included (RFC 4954 4).
pub(crate) const LINE_MAX: usize = 12_288;
/// The longest name of a mechanism (RFC 4422 3.1).
const NAME_MAX: usize = 20;

/// AUTH.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCommand {
    /// The mechanism in upper case.
    pub mechanism: String,
    /// The initial response; `Some` and empty if it was given as `=`.
    pub initial: Option<Vec<u8>>,
}

/// Without the response, which may hold a password.
impl fmt::Debug for AuthCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthCommand").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// Octets of a client's response, which may hold a password: not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Response(pub Vec<u8>);

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response(..)")
    }
}

/// Parses the argument of AUTH.
pub(super) fn command(argument: &str) -> Result<AuthCommand, Fault> {
    let (name, initial) = argument.split_once(' ').map_or((argument, None), |(name, initial)| (name, Some(initial)));
    let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !(1..=NAME_MAX).contains(&name.len()) || !name.bytes().all(valid) {
        return Err(Fault::Argument);
    }
    let initial = match initial {
        None => None,
        Some("=") => Some(Vec::new()),
        Some(text) => Some(decode(text.as_bytes()).ok_or(Fault::BadBase64)?),
    };
    Ok(AuthCommand { mechanism: name.to_ascii_uppercase(), initial })
}

/// What a line answers to a challenge.
#[derive(PartialEq, Eq)]
pub(super) enum Line {
    /// `*`.
    Cancel,
    Response(Response),
    Malformed,
}

/// Reads a client's line. An empty one is an empty response.
pub(super) fn line(line: &[u8]) -> Line {
    match line {
        b"*" => Line::Cancel,
        text => decode(text).map_or(Line::Malformed, |octets| Line::Response(Response(octets))),
    }
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// 334 with a challenge; an empty one is `334 ` and nothing behind it.
pub(super) fn challenge(octets: &[u8]) -> Reply {
    Reply::plain(334, STANDARD.encode(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_responses() {
        let initial = |argument: &str| command(argument).map(|c| c.initial);
        assert_eq!(initial("plain"), Ok(None));
        assert_eq!(initial("PLAIN ="), Ok(Some(vec![])));
        assert_eq!(initial("plain AGEAYg=="), Ok(Some(b"\0a\0b".to_vec())));
        for bad in ["PLAIN AGEAYg", "PLAIN AGEAYg==x", "PLAIN A GEAYg==", "PLAIN *", "PLAIN AGEAYh=="] {
            assert_eq!(initial(bad), Err(Fault::BadBase64), "{bad}");
        }
        for bad in ["", "a.b", "ABCDEFGHIJKLMNOPQRSTU", "="] {
            assert_eq!(initial(bad), Err(Fault::Argument), "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?} {:?}", command("PLAIN AGEAYg==").unwrap(), Response(b"secret".to_vec()));
        assert_eq!(shown, "AuthCommand { mechanism: \"PLAIN\", .. } Response(..)");
    }
}
