//! Certificates from a file, and the authorities among them that vouch for clients.

use super::certificate::Certificate;
use super::pem::{self, Section, sections};
use crate::config::listener::PemFile;
use crate::config::{Diagnostics, Span};
use rustls::RootCertStore;

/// The certificates of a file, in its order, each with where it begins. That there is none is noted, and so is each that can't
/// be read; then nothing is returned.
pub(super) fn certificates(file: &PemFile, found: &mut Diagnostics) -> Option<Vec<(Certificate, Span)>> {
    let sections = sections(file, found)?;
    let mut read = Vec::new();
    let mut sound = true;
    for section in sections.iter().filter(|s| is_certificate(s)) {
        match Certificate::read(&section.der) {
            Ok(certificate) => read.push((certificate, section.span)),
            Err(why) => {
                sound = false;
                let told = found.error(section.span, format!("the certificate can't be read: {why}"));
                told.help("copy it again from where it was made");
            }
        }
    }
    if sound && read.is_empty() {
        no_certificate(file, &sections, found);
        return None;
    }
    sound.then_some(read)
}

fn is_certificate(section: &Section) -> bool {
    matches!(section.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE")
}

fn no_certificate(file: &PemFile, sections: &[Section], found: &mut Diagnostics) {
    let told = found.error(file.named_at, format!("there is no certificate in `{}`", file.path.display()));
    told.help(match sections.first().map(|s| s.label.as_str()) {
        Some(label) if label.ends_with("PRIVATE KEY") => "it holds a key: are `certificate` and `key` exchanged?",
        Some("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") => {
            "it holds a request for a certificate; the certificate is what the authority sends back"
        }
        Some("TRUSTED CERTIFICATE") => "it is in a form of OpenSSL's own: openssl x509 -in OLD -out NEW",
        Some("PKCS7") => "it is in another form: openssl pkcs7 -print_certs -in OLD -out NEW",
        None if pem::is_binary(&file.octets) => {
            "it seems to be in binary form; make a text of it: openssl x509 -inform der -in OLD -out NEW"
        }
        _ => "a certificate begins with `-----BEGIN CERTIFICATE-----`",
    });
}

/// The authorities that vouch for clients.
pub(super) fn authorities(file: &PemFile, found: &mut Diagnostics) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    let mut sound = true;
    for (certificate, span) in certificates(file, found)? {
        let added = if certificate.is_ca {
            store.add(certificate.der).map_err(|e| e.to_string())
        } else {
            Err("it is not one of an authority (basicConstraints says so)".to_owned())
        };
        if let Err(why) = added {
            sound = false;
            let told = found.error(span, format!("this certificate can't vouch for others: {why}"));
            told.help("`client-ca` holds the certificates of authorities, not those of clients");
        }
    }
    sound.then_some(store)
}
