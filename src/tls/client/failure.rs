//! Why there is no TLS that meets the demand.

use rustls::CertificateError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In the terms of reports.
    pub kind: Kind,
    /// For the operator.
    pub text: String,
}

/// The kinds of failures that RFC 8460 4.3 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// STARTTLS is not offered, or refused.
    #[serde(rename = "starttls-not-supported")]
    NoStartTls,
    /// The certificate has none of the names.
    CertificateHostMismatch,
    /// The certificate is too old.
    CertificateExpired,
    /// Nobody whom we believe vouches for the certificate.
    CertificateNotTrusted,
    /// Whatever has no other name.
    ValidationFailure,
    /// No certificate fits the TLSA records, or these can't be used.
    TlsaInvalid,
    /// The DNS answers are bogus.
    DnssecInvalid,
    /// DANE is required, and there are no TLSA records that hold.
    DaneRequired,
    /// The MTA-STS policy can't be fetched.
    StsPolicyFetchError,
    /// The MTA-STS policy makes no sense.
    StsPolicyInvalid,
    /// The server of the MTA-STS policy has no certificate that holds.
    StsWebpkiInvalid,
}

impl Failure {
    /// Of this kind, with this text.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// What rustls says went wrong.
    pub(super) fn of_rustls(error: &rustls::Error) -> Self {
        let kind = match error {
            rustls::Error::InvalidCertificate(why) => of_certificate(why),
            _ => Kind::ValidationFailure,
        };
        match kind {
            Kind::TlsaInvalid => Self::new(kind, "the server's certificate is none that its TLSA records name"),
            _ => Self::new(kind, error.to_string()),
        }
    }
}

fn of_certificate(why: &CertificateError) -> Kind {
    match why {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Kind::CertificateExpired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Kind::CertificateHostMismatch
        }
        // Of an authority that has the same name as one of ours, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Kind::CertificateNotTrusted,
        CertificateError::ApplicationVerificationFailure => Kind::TlsaInvalid,
        _ => Kind::ValidationFailure,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}
