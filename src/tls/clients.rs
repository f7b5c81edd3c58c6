//! What is made of the certificates that clients show.
//!
//! Whoever shows one proves that it has the key. Where certificates are optional, one that nobody vouches for ends nothing:
//! servers that send mail show theirs to everybody who asks. Who vouches is looked at again after the handshake, also after a
//! resumed one, in which nothing is shown: what has expired since counts for nothing.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Asks clients for certificates.
#[derive(Debug)]
pub(super) struct Clients {
    required: bool,
    /// Those who vouch.
    authorities: Option<Arc<dyn ClientCertVerifier>>,
}

impl Clients {
    /// The error says what can't be done with the authorities.
    pub(super) fn new(required: bool, authorities: Option<RootCertStore>) -> Result<Self, String> {
        let authorities = authorities.map(|roots| {
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), super::provider())
                .build()
                .map_err(|e| e.to_string())
        });
        Ok(Self { required, authorities: authorities.transpose()? })
    }

    /// Whether clients must show a certificate for which somebody vouches.
    pub(super) fn required(&self) -> bool {
        self.required
    }

    /// Whether somebody vouches for the certificate now, or why not.
    pub(super) fn vouched(&self, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
        let (Some(authorities), Some((own, others))) = (&self.authorities, chain.split_first()) else {
            return Err(Error::General("there is no authority that could vouch for it".to_owned()));
        };
        authorities.verify_client_cert(own, others, UnixTime::now()).map(|_| ())
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.authorities.as_ref().map_or(&[], |authorities| authorities.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match &self.authorities {
            Some(authorities) if self.required => authorities.verify_client_cert(own, others, now),
            _ => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &super::provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &super::provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        super::provider().signature_verification_algorithms.supported_schemes()
    }
}
