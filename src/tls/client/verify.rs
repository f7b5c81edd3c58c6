//! Certificates against a demand: what rustls calls a verifier.
//!
//! The signature of the handshake is verified under every demand, also where any certificate will do.

use super::dane::{self, Match};
use super::demand::Demand;
use super::failure::{Failure, Kind};
use crate::event::host::Tlsa;
use crate::tls::provider;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};

/// Verifies for one demand. The name that rustls hands over serves SNI alone: those that count are in the demand.
#[derive(Debug)]
pub struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    wanted: Wanted,
    /// What was wrong with a certificate that is looked at and not insisted on.
    flaw: Mutex<Option<Failure>>,
}

#[derive(Debug)]
enum Wanted {
    Anything,
    Voucher { names: Arc<[String]>, roots: Arc<RootCertStore> },
    Look { names: Arc<[String]>, roots: Arc<RootCertStore> },
    Record { names: Arc<[String]>, records: Arc<[Tlsa]> },
}

impl Verifier {
    /// One for this demand.
    pub fn new(demand: &Demand) -> Result<Self, Failure> {
        let mut flaw = None;
        let wanted = match demand {
            Demand::None | Demand::Opportunistic | Demand::Required => Wanted::Anything,
            Demand::Tested { names, .. } if names.is_empty() => {
                let why = "the policy of MTA-STS does not list the host";
                flaw = Some(Failure::new(Kind::ValidationFailure, why));
                Wanted::Anything
            }
            Demand::Tested { names, roots } => match roots.store() {
                Ok(roots) => Wanted::Look { names: names.clone(), roots },
                Err(failure) => {
                    flaw = Some(failure);
                    Wanted::Anything
                }
            },
            Demand::Verified { names, roots, .. } => Wanted::Voucher { names: names.clone(), roots: roots.store()? },
            Demand::Dane { names, records } => Wanted::Record { names: names.clone(), records: records.clone() },
        };
        Ok(Self { algorithms: provider().signature_verification_algorithms, wanted, flaw: Mutex::new(flaw) })
    }

    /// What was wrong with the certificate, where that is looked at and not insisted on.
    pub(super) fn flaw(&self) -> Option<Failure> {
        self.flaw.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether one of `roots` vouches for the certificate, and it has one of the names.
    fn vouched(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        roots: &RootCertStore,
        names: &[String],
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, between, now, self.algorithms.all)?;
        let mut mismatch = CertificateError::NotValidForName.into();
        for name in names {
            let Ok(name) = ServerName::try_from(name.as_str()) else { continue };
            match verify_server_name(&parsed, &name) {
                Ok(()) => return Ok(()),
                Err(error) => mismatch = error,
            }
        }
        Err(mismatch)
    }

    fn recorded(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        records: &[Tlsa],
        names: &[String],
        now: UnixTime,
    ) -> Result<(), Error> {
        let chain: Vec<&CertificateDer<'_>> = std::iter::once(certificate).chain(between).collect();
        let mut result = Err(CertificateError::ApplicationVerificationFailure.into());
        for found in dane::matches(records, &chain) {
            let Match::Authority(place) = found else { return Ok(()) };
            let Some(authority) = chain.get(place) else { continue };
            let mut roots = RootCertStore::empty();
            roots.add((**authority).clone().into_owned())?;
            match self.vouched(certificate, between, &roots, names, now) {
                Ok(()) => return Ok(()),
                Err(error) => result = Err(error),
            }
        }
        result
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.wanted {
            Wanted::Anything => Ok(()),
            Wanted::Voucher { names, roots } => self.vouched(certificate, between, roots, names, now),
            Wanted::Look { names, roots } => {
                let flaw = self.vouched(certificate, between, roots, names, now).err();
                let flaw = flaw.as_ref().map(Failure::of_rustls);
                *self.flaw.lock().unwrap_or_else(PoisonError::into_inner) = flaw;
                Ok(())
            }
            Wanted::Record { names, records } => self.recorded(certificate, between, records, names, now),
        }?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
