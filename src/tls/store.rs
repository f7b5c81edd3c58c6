//! Which certificate is shown: by the name that the client asks for (RFC 6066 3) and by what it can check.
//!
//! A client that asks for a name that nobody has is shown the first one: it may not check at all, as most servers that send
//! mail do not, and a warning alert would be taken for a failure.

use super::pair::Loaded;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{SignatureScheme, SupportedCipherSuite};
use std::collections::HashMap;
use std::sync::Arc;

/// The certificates of a listener.
#[derive(Debug)]
pub(super) struct Store {
    /// By name, `*.example.com` among them; in the order of the settings.
    named: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// In the order of the settings.
    all: Vec<Arc<CertifiedKey>>,
}

impl Store {
    pub(super) fn new(loaded: Vec<Loaded>) -> Self {
        let mut named: HashMap<String, Vec<Arc<CertifiedKey>>> = HashMap::new();
        for one in &loaded {
            for name in &one.names {
                named.entry(name.clone()).or_default().push(one.certified.clone());
            }
        }
        Self { named, all: loaded.into_iter().map(|one| one.certified).collect() }
    }

    fn find(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let name = name.map(|n| n.trim_end_matches('.').to_ascii_lowercase());
        // A star stands for one label, the first (RFC 6125 6.4.3).
        let wild = name.as_deref().and_then(|n| n.split_once('.')).map(|(_, rest)| format!("*.{rest}"));
        let named = [name, wild].into_iter().flatten().filter_map(|name| self.named.get(&name)).flatten();
        let mut candidates = named.chain(&self.all);
        candidates.find(|c| c.key.choose_scheme(schemes).is_some()).cloned()
    }
}

impl ResolvesServerCert for Store {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name(), &checkable(&hello))
    }
}

/// The signatures that the client can check. In TLS 1.2 its cipher suites have a say in that, too (RFC 5246 7.4.2).
fn checkable(hello: &ClientHello<'_>) -> Vec<SignatureScheme> {
    let provider = super::provider();
    let common = provider.cipher_suites.iter().filter(|suite| hello.cipher_suites().contains(&suite.suite()));
    let mut fits = Vec::new();
    for suite in common {
        match suite {
            SupportedCipherSuite::Tls12(suite) => fits.extend_from_slice(suite.sign),
            SupportedCipherSuite::Tls13(_) => return hello.signature_schemes().to_vec(),
        }
    }
    hello.signature_schemes().iter().filter(|scheme| fits.contains(scheme)).copied().collect()
}
