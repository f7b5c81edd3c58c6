//! A certificate of ours, for servers that ask for one: by it alone, or with AUTH EXTERNAL, they know who we are.
//!
//! The files were read and checked with the settings; what is in them is parsed at each handshake.

use super::failure::{Failure, Kind};
use crate::config::Diagnostics;
use crate::config::listener::tls::Pair;
use crate::tls::pair;
use rustls::client::ResolvesClientCert;
use rustls::sign::SingleCertAndKey;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Pair);

impl Identity {
    /// Of this pair, which has passed [`check`](crate::tls::check).
    pub fn new(pair: Pair) -> Self {
        Self(pair)
    }

    /// As rustls wants it.
    pub(super) fn resolver(&self) -> Result<Arc<dyn ResolvesClientCert>, Failure> {
        let loaded = pair::load(&self.0, false, &mut Diagnostics::default()).ok_or_else(|| {
            let shown = self.0.certificate.path.display();
            Failure::new(Kind::ValidationFailure, format!("our own certificate in `{shown}` can't be used"))
        })?;
        Ok(Arc::new(SingleCertAndKey::from((*loaded.certified).clone())))
    }
}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.certificate.octets.hash(state);
        self.0.key.octets.hash(state);
    }
}
