//! What authorities are shown while they look whether a name is ours, and no longer.

use super::failure::Failure;
use crate::config::acme::Challenge;
use crate::tls::Challenges;
use instant_acme::KeyAuthorization;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// All of it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Shown {
    /// By token: what HTTP-01 answers.
    tokens: Arc<Mutex<HashMap<String, String>>>,
    /// What TLS-ALPN-01 shows, also at listeners that begin with the handshake.
    pub challenges: Arc<Challenges>,
}

impl Shown {
    /// With what listeners show.
    pub fn beside(challenges: Arc<Challenges>) -> Self {
        Self { challenges, ..Self::default() }
    }

    /// The answer to a token.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    /// Shows what the authority wants to see, until the answer is dropped.
    pub(super) fn show(
        &self,
        challenge: Challenge,
        (name, token): (&str, &str),
        authorization: &KeyAuthorization,
    ) -> Result<Display, Failure> {
        let key = match challenge {
            Challenge::Http01 => {
                let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
                tokens.insert(token.to_owned(), authorization.as_str().to_owned());
                token
            }
            Challenge::TlsAlpn01 => {
                let (certificate, key) = certificate(name, authorization.digest().as_ref())
                    .map_err(|error| Failure::new(format!("no certificate for the challenge: {error}")))?;
                self.challenges.show(name, certificate.der().clone(), key.into()).map_err(Failure::new)?;
                name
            }
        };
        Ok(Display { shown: self.clone(), challenge, key: key.to_owned() })
    }
}

/// Something that is shown.
pub(super) struct Display {
    shown: Shown,
    challenge: Challenge,
    key: String,
}

impl Drop for Display {
    fn drop(&mut self) {
        match self.challenge {
            Challenge::Http01 => {
                self.shown.tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
            }
            Challenge::TlsAlpn01 => self.shown.challenges.hide(&self.key),
        }
    }
}

/// A certificate with the digest of the key authorization in it (RFC 8737 3), and its key.
fn certificate(
    name: &str,
    digest: &[u8],
) -> Result<(rcgen::Certificate, PrivatePkcs8KeyDer<'static>), Box<dyn std::error::Error>> {
    let digest: &[u8; 32] = digest.try_into()?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    Ok((certificate, PrivatePkcs8KeyDer::from(key.serialize_der())))
}
