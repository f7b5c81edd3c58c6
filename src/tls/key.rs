//! A private key from a file: PKCS #8, PKCS #1 or SEC1, not encrypted.

use super::pem::{self, Section, sections};
use crate::config::listener::PemFile;
use crate::config::{Diagnostics, Span};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

/// A key, and where it begins.
pub(super) struct Key {
    pub(super) der: PrivateKeyDer<'static>,
    pub(super) span: Span,
}

/// The first key of a file. That there is none is noted.
pub(super) fn read(file: &PemFile, found: &mut Diagnostics) -> Option<Key> {
    let sections = sections(file, found)?;
    let Some(section) = sections.iter().find(|s| s.label.ends_with("PRIVATE KEY")) else {
        no_key(file, &sections, found);
        return None;
    };
    if file.open_to_all {
        let told =
            found.warning(file.named_at, format!("every user of the machine can read `{}`", file.path.display()));
        told.help("chmod 640, and let the group of the server have it");
    }
    let span = section.span;
    if section.encrypted || section.label == "ENCRYPTED PRIVATE KEY" {
        let told = found.error(span, "the key is encrypted, and there is nobody to ask for its passphrase");
        told.help("write it without one, where only the server can read it: openssl pkey -in OLD -out NEW");
        return None;
    }
    let octets = section.der.clone();
    let der = match section.label.as_str() {
        "PRIVATE KEY" => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(octets)),
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(octets)),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(octets)),
        other => {
            found.error(span, format!("a `{other}` can't be used")).help(KINDS);
            return None;
        }
    };
    Some(Key { der, span })
}

/// The keys that can be used.
pub(super) const KINDS: &str = "use an ECDSA key on P-256, P-384 or P-521, an RSA key of 2048 to 8192 bits, or an Ed25519 key: \
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out NEW";

fn no_key(file: &PemFile, sections: &[Section], found: &mut Diagnostics) {
    let told = found.error(file.named_at, format!("there is no private key in `{}`", file.path.display()));
    told.help(match sections.first().map(|s| s.label.as_str()) {
        Some("CERTIFICATE") => "it holds a certificate: are `certificate` and `key` exchanged?",
        Some("PUBLIC KEY") => "it holds the public half of a key; the private one is needed",
        Some(_) => "a key begins with `-----BEGIN PRIVATE KEY-----`",
        None if pem::is_binary(&file.octets) => {
            "it seems to be in binary form; make a text of it: openssl pkey -inform der -in OLD -out NEW"
        }
        None => "a key begins with `-----BEGIN PRIVATE KEY-----`",
    });
}
