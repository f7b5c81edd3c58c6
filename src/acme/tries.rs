//! What was tried before, over restarts: a server that is started again and again must not ask again and again.

use super::store::Store;
use crate::config::acme::Acme;
use crate::mail::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const FILE: &str = "tries.json";

/// The last try for a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Try {
    pub(super) at: Timestamp,
    /// Failures in a row.
    pub(super) failures: u32,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Not again before then.
    pub(super) next: Timestamp,
    /// Under which settings. Under others it may go well at once.
    pub(super) settings: String,
}

/// All of them, by the name that a certificate is called after.
pub(super) struct Tries {
    store: Store,
    list: BTreeMap<String, Try>,
}

impl Tries {
    /// Reads them. A file that can't be read costs a try, and nothing more.
    pub(super) async fn open(store: Store) -> Self {
        let list = match store.read(FILE).await {
            Ok(octets) => octets.map(|octets| serde_json::from_slice(&octets).map_err(|error| error.to_string())),
            Err(failure) => Some(Err(failure.why)),
        };
        let list = list.transpose().unwrap_or_else(|error| {
            tracing::warn!(error, "what was tried before for certificates is not known");
            None
        });
        Self { store, list: list.unwrap_or_default() }
    }

    /// The last one under these settings.
    pub(super) fn last(&self, name: &str, settings: &str) -> Option<&Try> {
        self.list.get(name).filter(|last| last.settings == settings)
    }

    /// Notes one, or that there was none.
    pub(super) async fn note(&mut self, name: &str, last: Option<Try>) {
        match last {
            Some(last) => self.list.insert(name.to_owned(), last),
            None => self.list.remove(name),
        };
        let octets = serde_json::to_vec_pretty(&self.list).unwrap_or_default();
        if let Err(failure) = self.store.write(FILE, octets).await {
            tracing::warn!(error = failure.why, "what was tried for a certificate can't be written");
        }
    }
}

/// What decides whether a try may go well, without secrets.
pub(super) fn settings(acme: &Acme, names: &[String]) -> String {
    let Acme { directory, contact, ca, challenges, http_listen, tls_alpn_listen, binding, renew_before: _ } = acme;
    let ca = ca.as_ref().map(|ca| ca.0.iter().map(|der| blake3::hash(der)).collect::<Vec<_>>());
    let binding = binding.as_ref().map(|binding| &binding.key_id);
    let all = format!("{:?}", (names, directory, contact, ca, challenges, http_listen, tls_alpn_listen, binding));
    blake3::hash(all.as_bytes()).to_hex().to_string()
}
