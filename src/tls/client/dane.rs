//! Certificates against TLSA records (RFC 6698, RFC 7671, RFC 7672 3).
//!
//! Of the usages only DANE-EE(3) and DANE-TA(2) count for SMTP (RFC 7672 3.1.3); records of others, and those of unknown selectors
//! or digests, are as good as none.

use crate::event::host::Tlsa;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

const DANE_TA: u8 = 2;
const DANE_EE: u8 = 3;
/// The whole certificate, or its key alone.
const CERTIFICATE: u8 = 0;
const KEY: u8 = 1;
/// As it is, or as a digest.
const EXACT: u8 = 0;
const SHA_256: u8 = 1;
const SHA_512: u8 = 2;

/// What the records say of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The server's own certificate is named: neither its names nor its dates matter (RFC 7672 3.1.1).
    Server,
    /// The authority at this place of the chain, 0 being the server's own, is named. It has to vouch for the server's certificate,
    /// names and dates included (RFC 7672 3.1.2).
    Authority(usize),
}

/// Whether a record can be used.
pub fn is_usable(record: &Tlsa) -> bool {
    let length = match record.matching {
        EXACT => !record.data.is_empty(),
        SHA_256 => record.data.len() == 32,
        SHA_512 => record.data.len() == 64,
        _ => false,
    };
    matches!(record.usage, DANE_TA | DANE_EE) && matches!(record.selector, CERTIFICATE | KEY) && length
}

/// Every match of a chain, the server's certificate first; those of DANE-EE come first.
pub fn matches(records: &[Tlsa], chain: &[&CertificateDer<'_>]) -> Vec<Match> {
    let usable = |usage| records.iter().filter(move |record| is_usable(record) && record.usage == usage);
    let server = chain.first().is_some_and(|certificate| usable(DANE_EE).any(|record| names(record, certificate)));
    let mut found = Vec::new();
    if server {
        found.push(Match::Server);
    }
    for (place, certificate) in chain.iter().enumerate() {
        if usable(DANE_TA).any(|record| names(record, certificate)) {
            found.push(Match::Authority(place));
        }
    }
    found
}

fn names(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let key;
    let subject: &[u8] = match record.selector {
        CERTIFICATE => certificate,
        _ => match X509Certificate::from_der(certificate) {
            Ok((_, parsed)) => {
                key = parsed.tbs_certificate.subject_pki.raw;
                key
            }
            Err(_) => return false,
        },
    };
    match record.matching {
        EXACT => record.data == subject,
        SHA_256 => record.data == digest(&SHA256, subject).as_ref(),
        _ => record.data == digest(&SHA512, subject).as_ref(),
    }
}
