//! Whom we believe when they vouch for a certificate: the authorities of the system, or those of a file.

use super::failure::{Failure, Kind};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the system's certificates are used before they are read again.
const FRESH: Duration = Duration::from_secs(3600);

/// Authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Roots {
    /// Those of the system.
    #[default]
    System,
    /// These certificates, in DER.
    These(Arc<[Vec<u8>]>),
}

impl Roots {
    /// As rustls wants them.
    pub(super) fn store(&self) -> Result<Arc<RootCertStore>, Failure> {
        match self {
            Self::System => system(),
            Self::These(certificates) => these(certificates).map(Arc::new),
        }
    }
}

fn these(certificates: &[Vec<u8>]) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        let added = store.add(CertificateDer::from(certificate.as_slice()));
        added.map_err(|error| unusable(format!("a certificate of the `ca` file can't be used: {error}")))?;
    }
    Ok(store)
}

/// Read at the first use, and from time to time again. An older set is better than none.
fn system() -> Result<Arc<RootCertStore>, Failure> {
    static KEPT: Mutex<Option<(Instant, Arc<RootCertStore>)>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read, store)) = &*kept
        && read.elapsed() < FRESH
    {
        return Ok(store.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (usable, _) = store.add_parsable_certificates(found.certs);
    match (usable, &*kept) {
        (0, Some((_, old))) => Ok(old.clone()),
        (0, None) => {
            let why = found.errors.first().map_or_else(|| "none was found".to_owned(), ToString::to_string);
            Err(unusable(format!("the system has no certificates of authorities: {why}; name a `ca` file")))
        }
        _ => {
            let store = Arc::new(store);
            *kept = Some((Instant::now(), store.clone()));
            Ok(store)
        }
    }
}

fn unusable(text: String) -> Failure {
    Failure::new(Kind::CertificateNotTrusted, text)
}
