//! GSSAPI (RFC 4752), the server's side: tokens until there is a security context, then what the two agree on in it.
//!
//! The context itself reads a keytab and computes, so it is none of this machine's: what to ask of it goes out as an [`Ask`], what
//! it says comes back as [`Told`]. No security layer is offered, since TLS is there for that. The context is not bound to the TLS
//! connection: both sides give it no channel bindings (RFC 4752 3.1, 3.2).
//!
//! Whatever is wrong with what a client sends is told like wrong credentials.

use super::Claim;
use super::prep;
use super::server::{Failure, MISUSE, Server, Step};

/// Tokens of a client until there is a context. Kerberos needs one, or two.
const TOKENS_MAX: u32 = 4;
/// The one security layer that is offered, none, and the largest message that we take in one: nothing (RFC 4752 3.3).
const OFFER: [u8; 4] = [1, 0, 0, 0];

/// What is asked of the security context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Take this token of the client's: `GSS_Accept_sec_context`.
    Accept(Vec<u8>),
    /// Protect these octets against changes: `GSS_Wrap` without confidentiality.
    Wrap(Vec<u8>),
    /// Open what the client has protected: `GSS_Unwrap`.
    Unwrap(Vec<u8>),
}

/// What the context says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// To [`Ask::Accept`].
    Token {
        /// For the client, if there are any.
        octets: Vec<u8>,
        /// The context is there, and this is the client, as `name@REALM`. Otherwise it has to send another token.
        principal: Option<String>,
    },
    /// To [`Ask::Wrap`] and [`Ask::Unwrap`].
    Octets(Vec<u8>),
    /// What the client sent is not good.
    Refused,
}

/// One exchange.
pub(super) struct Gssapi(State);

enum State {
    /// The client is to send a token. How many it has sent.
    Tokens(u32),
    Accepting(u32),
    /// The context is there; the client has to take our last token first.
    Confirming(String),
    Wrapping(String),
    /// The client is to choose a security layer.
    Offered(String),
    Unwrapping(String),
    Over,
}

const BAD_TOKEN: Failure = Failure::Refused("the client has no good Kerberos ticket for this service");

impl Gssapi {
    pub(super) fn new() -> Self {
        Self(State::Tokens(0))
    }

    fn ask(&mut self, next: State, ask: Ask) -> Step {
        self.0 = next;
        Step::Context(ask)
    }

    fn challenge(&mut self, next: State, octets: Vec<u8>) -> Step {
        self.0 = next;
        Step::Challenge(octets)
    }
}

impl Server for Gssapi {
    fn respond(&mut self, response: &[u8]) -> Step {
        if response.len() > super::MESSAGE_MAX {
            return Step::Failed(Failure::Malformed("the message is too long"));
        }
        match std::mem::replace(&mut self.0, State::Over) {
            State::Tokens(TOKENS_MAX) => Step::Failed(Failure::Refused("the client sends tokens without end")),
            State::Tokens(_) if response.is_empty() => Step::Failed(BAD_TOKEN),
            State::Tokens(count) => self.ask(State::Accepting(count + 1), Ask::Accept(response.to_vec())),
            State::Confirming(principal) if response.is_empty() => {
                self.ask(State::Wrapping(principal), Ask::Wrap(OFFER.to_vec()))
            }
            State::Confirming(_) => Step::Failed(Failure::Refused("the client says more than it was asked")),
            State::Offered(principal) => self.ask(State::Unwrapping(principal), Ask::Unwrap(response.to_vec())),
            State::Accepting(_) | State::Wrapping(_) | State::Unwrapping(_) | State::Over => Step::Failed(MISUSE),
        }
    }

    fn context(&mut self, told: Told) -> Step {
        match (std::mem::replace(&mut self.0, State::Over), told) {
            (State::Accepting(count), Told::Token { octets, principal: None }) => {
                self.challenge(State::Tokens(count), octets)
            }
            (State::Accepting(_), Told::Token { octets, principal: Some(principal) }) if octets.is_empty() => {
                self.ask(State::Wrapping(principal), Ask::Wrap(OFFER.to_vec()))
            }
            (State::Accepting(_), Told::Token { octets, principal: Some(principal) }) => {
                self.challenge(State::Confirming(principal), octets)
            }
            (State::Wrapping(principal), Told::Octets(octets)) => self.challenge(State::Offered(principal), octets),
            (State::Unwrapping(principal), Told::Octets(octets)) => {
                chosen(principal, &octets).map_or_else(Step::Failed, Step::Check)
            }
            (State::Accepting(_) | State::Wrapping(_) | State::Unwrapping(_), Told::Refused) => Step::Failed(BAD_TOKEN),
            _ => Step::Failed(MISUSE),
        }
    }
}

/// What the client has chosen: a layer, the largest message that it takes in it, and whom it wants to be taken for (RFC 4752 3.3).
fn chosen(principal: String, octets: &[u8]) -> Result<Claim, Failure> {
    let (choice, authzid) =
        octets.split_first_chunk::<4>().ok_or(Failure::Refused("the client has chosen no security layer"))?;
    if *choice != OFFER {
        return Err(Failure::Refused("the client wants a security layer, which was not offered"));
    }
    let unfit = Failure::Refused("the name has characters that it may not have");
    let authzid = match std::str::from_utf8(authzid).map_err(|_| unfit)? {
        "" => None,
        name => Some(prep::name(name).ok_or(unfit)?),
    };
    Ok(Claim::Principal { authzid, principal })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(octets: &[u8], principal: Option<&str>) -> Told {
        Told::Token { octets: octets.to_vec(), principal: principal.map(str::to_owned) }
    }

    /// The machine when it has made its offer.
    fn offered() -> Gssapi {
        let mut gssapi = Gssapi::new();
        assert_eq!(gssapi.open(), Step::Challenge(Vec::new()));
        assert_eq!(gssapi.respond(b"ticket"), Step::Context(Ask::Accept(b"ticket".to_vec())));
        assert_eq!(gssapi.context(token(b"mutual", Some("tim@A"))), Step::Challenge(b"mutual".to_vec()));
        assert_eq!(gssapi.respond(b""), Step::Context(Ask::Wrap(vec![1, 0, 0, 0])));
        assert_eq!(gssapi.context(Told::Octets(b"offer".to_vec())), Step::Challenge(b"offer".to_vec()));
        gssapi
    }

    fn choose(octets: &[u8]) -> Step {
        let mut gssapi = offered();
        assert_eq!(gssapi.respond(b"choice"), Step::Context(Ask::Unwrap(b"choice".to_vec())));
        gssapi.context(Told::Octets(octets.to_vec()))
    }

    #[test]
    fn an_exchange() {
        let claim = |authzid: Option<&str>| {
            Step::Check(Claim::Principal { authzid: authzid.map(str::to_owned), principal: "tim@A".to_owned() })
        };
        assert_eq!(choose(&[1, 0, 0, 0]), claim(None));
        assert_eq!(choose(b"\x01\0\0\0ursel"), claim(Some("ursel")));
    }

    #[test]
    fn what_was_not_offered_can_not_be_chosen() {
        for wrong in [&b""[..], &[1, 0, 0], &[2, 0, 0, 0], &[4, 0, 16, 0], &[1, 0, 16, 0], &[0; 4], &[3, 0, 0, 0]] {
            assert!(matches!(choose(wrong), Step::Failed(Failure::Refused(_))), "{wrong:?}");
        }
        assert!(matches!(choose(b"\x01\0\0\0\xff"), Step::Failed(Failure::Refused(_))));
        assert!(matches!(choose(b"\x01\0\0\0a\x07"), Step::Failed(Failure::Refused(_))));
    }

    #[test]
    fn tokens_end_and_nothing_goes_on_after_a_refusal() {
        let mut gssapi = Gssapi::new();
        for _ in 0..TOKENS_MAX {
            assert!(matches!(gssapi.respond(b"x"), Step::Context(Ask::Accept(_))));
            assert_eq!(gssapi.context(token(b"more", None)), Step::Challenge(b"more".to_vec()));
        }
        assert!(matches!(gssapi.respond(b"x"), Step::Failed(Failure::Refused(_))));
        assert_eq!(gssapi.respond(b"x"), Step::Failed(MISUSE));
        let mut gssapi = offered();
        assert!(matches!(gssapi.respond(b"x"), Step::Context(_)));
        assert_eq!(gssapi.context(Told::Refused), Step::Failed(BAD_TOKEN));
        assert_eq!(gssapi.context(Told::Octets(vec![1, 0, 0, 0])), Step::Failed(MISUSE));
        assert_eq!(Gssapi::new().respond(b""), Step::Failed(BAD_TOKEN));
        assert_eq!(Gssapi::new().context(token(b"", Some("tim@A"))), Step::Failed(MISUSE));
    }

    #[test]
    fn without_a_last_token_the_offer_follows_at_once() {
        let mut gssapi = Gssapi::new();
        assert!(matches!(gssapi.respond(b"ticket"), Step::Context(_)));
        assert_eq!(gssapi.context(token(b"", Some("tim@A"))), Step::Context(Ask::Wrap(OFFER.to_vec())));
        // Nothing may come while the context is at work.
        assert_eq!(gssapi.respond(b""), Step::Failed(MISUSE));
    }
}
