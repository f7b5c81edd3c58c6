//! OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner: a bearer token, and whose mailbox it is for.
//!
//! A token that is refused is answered with a challenge that says so in JSON; the client sends a message without meaning, and
//! only then it is told the reply (RFC 7628 3.2.3).

use super::prep;
use super::scram::message::Gs2;
use super::server::{Failure, MISUSE, Server, Step, text};
use super::{Claim, Hidden};

/// Separates the parts of a message.
const MARK: char = '\u{1}';
const REFUSED: Failure = Failure::Refused("the token is not good");

/// One exchange.
pub(super) struct Oauth {
    /// XOAUTH2.
    old: bool,
    state: State,
}

enum State {
    Start,
    Checking,
    Refused,
}

impl Oauth {
    pub(super) fn bearer() -> Self {
        Self { old: false, state: State::Start }
    }

    pub(super) fn xoauth2() -> Self {
        Self { old: true, state: State::Start }
    }
}

impl Server for Oauth {
    fn respond(&mut self, response: &[u8]) -> Step {
        match self.state {
            State::Refused => Step::Failed(REFUSED),
            State::Checking => Step::Failed(MISUSE),
            State::Start => {
                let claim = text(response).and_then(|text| if self.old { xoauth2(text) } else { bearer(text) });
                if claim.is_ok() {
                    self.state = State::Checking;
                }
                claim.map_or_else(Step::Failed, Step::Check)
            }
        }
    }

    fn settle(&mut self, holds: bool) -> Step {
        if holds {
            return Step::Done;
        }
        self.state = State::Refused;
        Step::Challenge(match self.old {
            true => br#"{"status":"401","schemes":"Bearer","scope":""}"#.to_vec(),
            false => br#"{"status":"invalid_token"}"#.to_vec(),
        })
    }
}

/// `n,a=user,^Ahost=…^Aport=…^Aauth=Bearer …^A^A`
fn bearer(text: &str) -> Result<Claim, Failure> {
    let (gs2, rest) = Gs2::parse(text)?;
    let rest = rest.strip_prefix(MARK).ok_or(Failure::Malformed("OAUTHBEARER without its parts"))?;
    Ok(Claim::Token { user: gs2.authzid, token: token(rest)? })
}

/// `user=…^Aauth=Bearer …^A^A`
fn xoauth2(text: &str) -> Result<Claim, Failure> {
    let rest = text.strip_prefix("user=").ok_or(Failure::Malformed("XOAUTH2 without a user"))?;
    let (user, rest) = rest.split_once(MARK).ok_or(Failure::Malformed("XOAUTH2 without a token"))?;
    let user = prep::name(user).ok_or(Failure::Refused("the name has characters that it may not have"))?;
    Ok(Claim::Token { user: Some(user), token: token(rest)? })
}

/// The token among the parts, each of which ends with a mark; a mark more ends the message.
fn token(parts: &str) -> Result<Hidden, Failure> {
    let parts = parts.strip_suffix("\u{1}\u{1}").ok_or(Failure::Malformed("the message has no end"))?;
    let mut values = parts.split(MARK).filter_map(|part| part.strip_prefix("auth="));
    let (Some(auth), None) = (values.next(), values.next()) else {
        return Err(Failure::Malformed("the message has not one token"));
    };
    let (scheme, token) = auth.split_once(' ').ok_or(Failure::Malformed("the token has no scheme"))?;
    let token = token.trim_matches(' ');
    let fits = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b',';
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || !token.bytes().all(fits) {
        return Err(Failure::Malformed("the token is none"));
    }
    Ok(Hidden::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7628() {
        let mut oauth = Oauth::bearer();
        let message = b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
        let token = Hidden::new("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        let claim = Claim::Token { user: Some("user@example.com".into()), token };
        assert_eq!(oauth.respond(message), Step::Check(claim));
        assert_eq!(oauth.settle(false), Step::Challenge(br#"{"status":"invalid_token"}"#.to_vec()));
        assert_eq!(oauth.respond(b"\x01"), Step::Failed(REFUSED));
        let Step::Check(claim) = Oauth::bearer().respond(b"n,,\x01auth=Bearer x\x01\x01") else { panic!() };
        assert_eq!(claim.user(), None);
    }

    #[test]
    fn its_forerunner() {
        let mut oauth = Oauth::xoauth2();
        let claim = Claim::Token { user: Some("a@b".into()), token: Hidden::new("ya29.x") };
        assert_eq!(oauth.respond(b"user=a@b\x01auth=Bearer ya29.x\x01\x01"), Step::Check(claim));
        assert_eq!(oauth.settle(true), Step::Done);
        for wrong in ["", "user=a", "user=a\u{1}\u{1}", "user=a\u{1}auth=Basic x\u{1}\u{1}", "user=a\u{1}auth=Bearer x"]
        {
            assert!(matches!(Oauth::xoauth2().respond(wrong.as_bytes()), Step::Failed(_)), "{wrong:?}");
        }
    }
}
