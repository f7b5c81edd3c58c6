//! The client's side of SCRAM. A server that does not prove that it knows the keys is not believed.

use super::keys::{hmac, salted, sha256, xor};
use super::message::{ServerFirst, escape};
use crate::sasl::client::{Client, Fault};
use crate::sasl::server::text;
use crate::sasl::{Hidden, prep};
use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One exchange.
pub(in crate::sasl) struct ScramClient {
    /// As it is sent, and with the binding's data behind it.
    header: String,
    binding: Vec<u8>,
    bare: String,
    nonce: String,
    password: Hidden,
    state: State,
}

enum State {
    ExpectFirst,
    /// The server has to prove this.
    ExpectProof([u8; 32]),
    Proven,
    Over,
}

impl ScramClient {
    /// `binding` is the type and the data of a channel binding: SCRAM-SHA-256-PLUS.
    pub(in crate::sasl) fn new(
        user: &str,
        password: &Hidden,
        authzid: Option<&str>,
        nonce: String,
        binding: Option<(&str, &[u8])>,
    ) -> Result<Self, Fault> {
        let user = prep::name(user).ok_or(Fault::Unfit)?;
        let password = Hidden::new(prep::password(password.expose()).ok_or(Fault::Unfit)?);
        let authzid = authzid.map(|name| format!("a={}", escape(name))).unwrap_or_default();
        let flag = binding.map_or("n".to_owned(), |(kind, _)| format!("p={kind}"));
        let header = format!("{flag},{authzid},");
        let mut bound = header.clone().into_bytes();
        bound.extend_from_slice(binding.map_or(&[], |(_, data)| data));
        let bare = format!("n={},r={nonce}", escape(&user));
        Ok(Self { header, binding: bound, bare, nonce, password, state: State::ExpectFirst })
    }

    fn prove(&mut self, challenge: &str) -> Result<Vec<u8>, Fault> {
        let first = ServerFirst::parse(challenge).map_err(|_| Fault::Server("its first SCRAM message is none"))?;
        if !first.nonce.starts_with(&self.nonce) || first.nonce.len() == self.nonce.len() {
            return Err(Fault::Server("its SCRAM nonce does not begin with ours"));
        }
        let salted = salted(self.password.expose(), &first.salt, first.iterations);
        let without_proof = format!("c={},r={}", STANDARD.encode(&self.binding), first.nonce);
        let said = format!("{},{challenge},{without_proof}", self.bare);
        let key = hmac(&salted, b"Client Key");
        let signature = hmac(&sha256(&key), said.as_bytes());
        let proof = STANDARD.encode(xor(&key, &signature));
        self.state = State::ExpectProof(hmac(&hmac(&salted, b"Server Key"), said.as_bytes()));
        Ok(format!("{without_proof},p={proof}").into_bytes())
    }

    fn believe(&mut self, challenge: &str, proof: [u8; 32]) -> Result<Vec<u8>, Fault> {
        let said = challenge.strip_prefix("v=").and_then(|v| STANDARD.decode(v.split(',').next()?).ok());
        let true_one = said.is_some_and(|said| constant_time::verify_slices_are_equal(&said, &proof).is_ok());
        if !true_one {
            return Err(Fault::Server("it did not prove that it knows the password's keys"));
        }
        self.state = State::Proven;
        Ok(Vec::new())
    }
}

impl Client for ScramClient {
    fn initial(&mut self) -> Option<Vec<u8>> {
        Some(format!("{}{}", self.header, self.bare).into_bytes())
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Fault> {
        let challenge = text(challenge).map_err(|_| Fault::Server("its SCRAM message is no text"))?;
        match std::mem::replace(&mut self.state, State::Over) {
            State::ExpectFirst => self.prove(challenge),
            State::ExpectProof(proof) => self.believe(challenge, proof),
            State::Proven | State::Over => Err(Fault::Server("it asked once more after the exchange")),
        }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        match self.state {
            State::Proven => Ok(()),
            _ => Err(Fault::Server("it did not prove that it knows the password's keys")),
        }
    }
}
