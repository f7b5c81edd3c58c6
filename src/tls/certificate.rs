//! What is read out of a certificate (RFC 5280): names, times, who issued it. Whether to trust it is not decided here.

use crate::mail::{PeerCertificate, one_line};
use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use std::fmt::Write;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// A certificate and what it says.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The whole of it.
    pub der: CertificateDer<'static>,
    /// The common name of its subject; empty if it has none.
    pub subject: String,
    /// Its DNS names, in lower case.
    pub dns_names: Vec<String>,
    /// Its DNS names and e-mail addresses, in its order.
    pub names: Vec<String>,
    /// It counts from this time on, in seconds after 1970.
    pub not_before: i64,
    /// It counts up to this time, in seconds after 1970.
    pub not_after: i64,
    /// Whether it may issue others.
    pub is_ca: bool,
    /// The subject, as it is written.
    pub subject_raw: Vec<u8>,
    /// The subject of its issuer, as it is written.
    pub issuer_raw: Vec<u8>,
}

impl Certificate {
    /// Reads one. The error says what is wrong with it.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        let (rest, read) = X509Certificate::from_der(der).map_err(|e| e.to_string())?;
        if !rest.is_empty() {
            return Err(format!("{} octets follow it", rest.len()));
        }
        let (mut names, mut dns_names) = (Vec::new(), Vec::new());
        let alternatives = read.subject_alternative_name().map_err(|e| e.to_string())?;
        for name in alternatives.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::DNSName(name) => {
                    dns_names.push(name.to_ascii_lowercase());
                    names.push(one_line((*name).to_owned()));
                }
                GeneralName::RFC822Name(address) => names.push(one_line((*address).to_owned())),
                _ => {}
            }
        }
        let common = read.subject().iter_common_name().next();
        Ok(Self {
            subject: common.map(|name| text(name.as_slice())).unwrap_or_default(),
            dns_names,
            names,
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
            is_ca: read.is_ca(),
            subject_raw: read.subject().as_raw().to_vec(),
            issuer_raw: read.issuer().as_raw().to_vec(),
            der: CertificateDer::from(der.to_vec()),
        })
    }

    /// The names by which clients may ask for it: its DNS names, or else its subject, as in old certificates.
    pub fn server_names(&self) -> Vec<String> {
        if self.dns_names.is_empty() && !self.subject.is_empty() {
            return vec![self.subject.to_ascii_lowercase()];
        }
        self.dns_names.clone()
    }

    /// As rules and sinks see it.
    pub fn as_peer(&self, verified: bool) -> PeerCertificate {
        let fingerprint = fingerprint(&self.der);
        PeerCertificate { subject: self.subject.clone(), names: self.names.clone(), fingerprint, verified }
    }
}

/// The SHA-256 of a certificate, in lower-case hexadecimal digits.
pub fn fingerprint(der: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for octet in digest(&SHA256, der).as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// The text of a name, in whichever of the old ways it is encoded, on one line.
fn text(octets: &[u8]) -> String {
    one_line(String::from_utf8_lossy(octets).into_owned())
}
