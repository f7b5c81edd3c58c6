//! The server's side of SCRAM.
//!
//! For a user who does not exist the driver gives keys that are made up: the exchange takes the same steps and the same
//! time, and fails as with a wrong password. The server's proof goes out as a challenge, which the client answers with an
//! empty response, since SMTP has no place for it in the final reply (RFC 4954 4).

use super::keys::{Keys, hmac, sha256, xor};
use super::message::{Bound, ClientFinal, ClientFirst};
use crate::sasl::Claim;
use crate::sasl::server::{Failure, MISUSE, Server, Setup, Step, text};
use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One exchange.
pub(in crate::sasl) struct ScramServer {
    setup: Setup,
    /// SCRAM-SHA-256-PLUS.
    bound: bool,
    state: State,
}

enum State {
    ExpectFirst,
    ExpectKeys(First),
    ExpectFinal {
        first: First,
        keys: Keys,
        server_first: String,
    },
    /// The claim is being checked; the text is our proof.
    Checking(String),
    /// Our proof is with the client.
    Proven,
    Over,
}

/// What is kept of the client's first message.
struct First {
    /// What `c=` has to be.
    binding: Vec<u8>,
    bare: String,
    user: String,
    authzid: Option<String>,
    nonce: String,
}

impl ScramServer {
    pub(in crate::sasl) fn new(setup: Setup, bound: bool) -> Self {
        Self { setup, bound, state: State::ExpectFirst }
    }

    fn first(&mut self, response: &[u8]) -> Result<Step, Failure> {
        let first = ClientFirst::parse(text(response)?)?;
        let mut binding = first.header.as_bytes().to_vec();
        match (&first.gs2.bound, self.bound) {
            (Bound::By(kind), true) => {
                let data = self.setup.binding.data(kind);
                binding.extend_from_slice(data.ok_or(Failure::Malformed("an unknown kind of channel binding"))?);
            }
            (Bound::By(_), false) => return Err(Failure::Malformed("channel binding without a -PLUS mechanism")),
            (Bound::No | Bound::Missed, true) => {
                return Err(Failure::Malformed("a -PLUS mechanism without channel binding"));
            }
            (Bound::Missed, false) if self.setup.plus => {
                return Err(Failure::Refused("the client was kept from seeing that we offer channel binding"));
            }
            (Bound::No | Bound::Missed, false) => {}
        }
        let user = first.user.clone();
        self.state = State::ExpectKeys(First {
            binding,
            bare: first.bare.to_owned(),
            user: first.user,
            authzid: first.gs2.authzid,
            nonce: format!("{}{}", first.nonce, self.setup.nonce),
        });
        Ok(Step::Keys(user))
    }

    fn last(&mut self, response: &[u8], first: First, keys: &Keys, server_first: &str) -> Result<Step, Failure> {
        let last = ClientFinal::parse(text(response)?)?;
        let said = format!("{},{server_first},{}", first.bare, last.without_proof);
        let signature = hmac(&keys.stored, said.as_bytes());
        let stored = sha256(&xor(&last.proof, &signature));
        let proven = constant_time::verify_slices_are_equal(&stored, &keys.stored).is_ok();
        if last.nonce != first.nonce {
            return Err(Failure::Refused("the nonce is another one"));
        }
        if last.binding != first.binding {
            return Err(Failure::Refused("the channel binding is of another connection"));
        }
        if !proven || keys.made_up {
            return Err(Failure::Refused("the proof is wrong, or there are no SCRAM keys for the user"));
        }
        let proof = hmac(&keys.server, said.as_bytes());
        self.state = State::Checking(format!("v={}", STANDARD.encode(proof)));
        Ok(Step::Check(Claim::Proven { authzid: first.authzid, user: first.user }))
    }
}

impl Server for ScramServer {
    fn respond(&mut self, response: &[u8]) -> Step {
        let step = match std::mem::replace(&mut self.state, State::Over) {
            State::ExpectFirst => self.first(response),
            State::ExpectFinal { first, keys, server_first } => self.last(response, first, &keys, &server_first),
            State::Proven if response.is_empty() => Ok(Step::Done),
            State::Proven => Err(Failure::Malformed("the response to our proof is not empty")),
            State::ExpectKeys(_) | State::Checking(_) | State::Over => Err(MISUSE),
        };
        step.unwrap_or_else(Step::Failed)
    }

    fn keys(&mut self, keys: Keys) -> Step {
        let State::ExpectKeys(first) = std::mem::replace(&mut self.state, State::Over) else {
            return Step::Failed(MISUSE);
        };
        let server_first = format!("r={},s={},i={}", first.nonce, STANDARD.encode(&keys.salt), keys.iterations);
        let challenge = server_first.clone().into_bytes();
        self.state = State::ExpectFinal { first, keys, server_first };
        Step::Challenge(challenge)
    }

    fn settle(&mut self, holds: bool) -> Step {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Checking(proof) if holds => {
                self.state = State::Proven;
                Step::Challenge(proof.into_bytes())
            }
            State::Checking(_) => Step::Failed(Failure::Refused("the user is not let in")),
            _ => Step::Failed(MISUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::Binding;

    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";

    fn keys() -> Keys {
        Keys::of_password("pencil", &STANDARD.decode(SALT).unwrap(), 4096)
    }

    fn server() -> ScramServer {
        ScramServer::new(Setup { nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".into(), ..Setup::default() }, false)
    }

    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const LAST: &[u8] =
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_exchange_of_rfc_7677() {
        let mut server = server();
        assert_eq!(server.respond(FIRST), Step::Keys("user".into()));
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(server.keys(keys()), Step::Challenge(challenge.into()));
        assert_eq!(server.respond(LAST), Step::Check(Claim::Proven { authzid: None, user: "user".into() }));
        let proof = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(server.settle(true), Step::Challenge(proof.into()));
        assert_eq!(server.respond(b""), Step::Done);
        assert_eq!(server.respond(b""), Step::Failed(MISUSE));
    }

    #[test]
    fn wrong_keys_and_keys_made_up_fail_alike() {
        let wrong = Keys::of_password("pen", b"salt", 4096);
        let made_up = Keys { made_up: true, ..keys() };
        let fail = |keys: Keys| {
            let mut server = server();
            server.respond(FIRST);
            server.keys(keys);
            server.respond(LAST)
        };
        assert!(matches!(fail(wrong.clone()), Step::Failed(Failure::Refused(_))));
        assert_eq!(fail(wrong), fail(made_up));
    }

    #[test]
    fn steps_out_of_order_fail() {
        let mut one = server();
        assert_eq!(one.settle(true), Step::Failed(MISUSE));
        let mut one = server();
        one.respond(FIRST);
        assert_eq!(one.respond(LAST), Step::Failed(MISUSE));
        let mut one = server();
        assert_eq!(one.keys(keys()), Step::Failed(MISUSE));
    }

    #[test]
    fn channel_binding_is_neither_dropped_nor_of_another_connection() {
        let setup =
            Setup { nonce: "s".into(), binding: Binding { exporter: Some(vec![1; 32]), end_point: None }, plus: true };
        let first = |bound, message: &[u8]| ScramServer::new(setup.clone(), bound).respond(message);
        assert_eq!(first(true, b"p=tls-exporter,,n=u,r=1"), Step::Keys("u".into()));
        assert_eq!(first(false, b"n,,n=u,r=1"), Step::Keys("u".into()));
        assert!(matches!(first(false, b"y,,n=u,r=1"), Step::Failed(Failure::Refused(_))));
        for (bound, wrong) in [
            (true, &b"n,,n=u,r=1"[..]),
            (true, b"y,,n=u,r=1"),
            (true, b"p=tls-unique,,n=u,r=1"),
            (true, b"p=tls-server-end-point,,n=u,r=1"),
            (false, b"p=tls-exporter,,n=u,r=1"),
        ] {
            assert!(matches!(first(bound, wrong), Step::Failed(Failure::Malformed(_))), "{wrong:?}");
        }
    }
}
