//! Certificates that the server has fetched by itself: one file with the certificates, the server's own first, and the key.

use super::certificate::Certificate;
use super::pair::{self, Loaded};
use crate::config::Diagnostics;
use crate::config::listener::tls::Pair;
use crate::config::listener::{Ordered, PemFile};
use std::path::Path;

/// What such a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The names of the certificate, in lower case.
    pub names: Vec<String>,
    /// It counts from this time on, in seconds after 1970.
    pub not_before: i64,
    /// It counts up to this time, in seconds after 1970.
    pub not_after: i64,
}

impl Kept {
    /// Reads the text of such a file. The error says what keeps it from being used.
    pub fn read(path: &Path, text: &str) -> Result<Self, String> {
        let mut found = Diagnostics::default();
        let file = PemFile::of_text(path, text, &mut found);
        let loaded = pair::load(&Pair { certificate: file.clone(), key: file }, true, &mut found);
        let why = |found: &Diagnostics| found.iter().map(|told| told.message.clone()).collect::<Vec<_>>().join("; ");
        let Some(loaded) = loaded else { return Err(why(&found)) };
        let own = loaded.certified.cert.first().ok_or_else(|| "there is no certificate".to_owned())?;
        let own = Certificate::read(own)?;
        Ok(Self { names: own.dns_names, not_before: own.not_before, not_after: own.not_after })
    }
}

/// Loads what has been fetched; an empty answer is that nothing has been yet. What is wrong is noted, and nothing returned.
pub(super) fn load(ordered: &Ordered, found: &mut Diagnostics) -> Option<Option<Loaded>> {
    let Some(file) = &ordered.file else { return Some(None) };
    pair::load(&Pair { certificate: file.clone(), key: file.clone() }, true, found).map(Some)
}
