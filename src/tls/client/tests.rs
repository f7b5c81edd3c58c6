//! Certificates against demands, in whole handshakes in memory.

use super::*;
use crate::event::host::Tlsa;
use crate::tls::provider;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// An authority, and a server's certificate that it has signed.
struct Chain {
    authority: CertifiedIssuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

fn chain(name: &str, expired: bool) -> Chain {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.distinguished_name.push(rcgen::DnType::CommonName, format!("authority of {name}"));
    let authority = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap().der().clone();
    Chain { authority, certificate, key }
}

impl Chain {
    fn roots(&self) -> Roots {
        Roots::These([self.authority.der().to_vec()].into())
    }

    fn verified(&self, name: &str) -> Demand {
        Demand::verified(name, self.roots())
    }

    fn server(&self) -> TlsAcceptor {
        let chain = vec![self.certificate.clone(), self.authority.der().clone()];
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()))
    }
}

async fn meet(server: &Chain, demand: &Demand) -> Result<Established, Kind> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let acceptor = server.server();
    tokio::spawn(async move { acceptor.accept(theirs).await.map(drop) });
    let met = handshake(demand, None, "mx.example", ours).await;
    met.map(|(_, established)| established).map_err(|failure| failure.kind)
}

fn sha256(octets: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets).as_ref().to_vec()
}

fn dane(records: &[Tlsa]) -> Demand {
    Demand::Dane { names: ["mx.example".to_owned(), "example".to_owned()].into(), records: records.into() }
}

fn record(usage: u8, selector: u8, matching: u8, data: Vec<u8>) -> Tlsa {
    Tlsa { usage, selector, matching, data }
}

#[tokio::test]
async fn any_certificate_will_do_where_none_is_asked_for() {
    let server = chain("other.example", true);
    for demand in [Demand::Opportunistic, Demand::Required] {
        let met = meet(&server, &demand).await.unwrap();
        assert_eq!((met.version.as_str(), met.verified), ("TLSv1.3", false), "{demand}");
        assert!(met.cipher.starts_with("TLS13_"), "{met}");
    }
}

#[tokio::test]
async fn a_verified_certificate_has_the_name_its_time_and_a_voucher() {
    let server = chain("mx.example", false);
    assert!(meet(&server, &server.verified("mx.example")).await.unwrap().verified);
    let wild = chain("*.mail.example", false);
    assert!(meet(&wild, &wild.verified("mx.mail.example")).await.is_ok());
    let stranger = chain("mx.example", false);
    let old = chain("mx.example", true);
    for (server, demand, kind) in [
        (&server, stranger.verified("mx.example"), Kind::CertificateNotTrusted),
        (&server, server.verified("other.example"), Kind::CertificateHostMismatch),
        (&old, old.verified("mx.example"), Kind::CertificateExpired),
        (&wild, wild.verified("a.mx.mail.example"), Kind::CertificateHostMismatch),
    ] {
        assert_eq!(meet(server, &demand).await, Err(kind));
    }
}

#[tokio::test]
async fn what_is_tested_is_looked_at_and_not_insisted_on() {
    let (server, stranger) = (chain("mx.example", false), chain("mx.example", false));
    let tested =
        |names: &[&str], roots| Demand::Tested { names: names.iter().map(|n| (*n).to_owned()).collect(), roots };
    for (demand, flaw) in [
        (tested(&["mx.example"], server.roots()), None),
        (tested(&["mx.example"], stranger.roots()), Some(Kind::CertificateNotTrusted)),
        (tested(&["other.example"], server.roots()), Some(Kind::CertificateHostMismatch)),
        // The policy does not list the host.
        (tested(&[], server.roots()), Some(Kind::ValidationFailure)),
    ] {
        let met = meet(&server, &demand).await.unwrap();
        assert_eq!((met.flaw.map(|flaw| flaw.kind), met.verified), (flaw, false));
    }
}

#[tokio::test]
async fn dane_ee_names_the_certificate_whatever_it_says() {
    // Neither its name nor its date counts (RFC 7672 3.1.1).
    let server = chain("other.example", true);
    let key = server.key.subject_public_key_info();
    for found in [
        record(3, 0, 0, server.certificate.to_vec()),
        record(3, 0, 1, sha256(&server.certificate)),
        record(3, 1, 0, key.clone()),
        record(3, 1, 1, sha256(&key)),
    ] {
        assert!(meet(&server, &dane(std::slice::from_ref(&found))).await.unwrap().verified, "{found}");
    }
    let another = chain("mx.example", false);
    for wrong in [
        record(3, 1, 1, sha256(&another.key.subject_public_key_info())),
        // The authority is not the server.
        record(3, 0, 1, sha256(server.authority.der())),
        // PKIX-EE does not count for SMTP.
        record(1, 1, 1, sha256(&key)),
    ] {
        assert_eq!(meet(&server, &dane(std::slice::from_ref(&wrong))).await, Err(Kind::TlsaInvalid), "{wrong}");
    }
}

#[tokio::test]
async fn dane_ta_names_an_authority_that_vouches_for_name_and_time() {
    let of = |server: &Chain| record(2, 0, 1, sha256(server.authority.der()));
    let server = chain("example", false);
    assert!(meet(&server, &dane(&[of(&server)])).await.unwrap().verified, "the domain's own name will do");
    let (misnamed, old) = (chain("other.example", false), chain("mx.example", true));
    assert_eq!(meet(&misnamed, &dane(&[of(&misnamed)])).await, Err(Kind::CertificateHostMismatch));
    assert_eq!(meet(&old, &dane(&[of(&old)])).await, Err(Kind::CertificateExpired));
    assert_eq!(meet(&server, &dane(&[of(&old)])).await, Err(Kind::TlsaInvalid));
    // Of several records any will do.
    assert!(meet(&server, &dane(&[of(&old), of(&server)])).await.is_ok());
}

#[test]
fn records_of_the_wrong_kind_or_length_are_of_no_use() {
    for (record, usable) in [
        (record(3, 1, 1, vec![0; 32]), true),
        (record(2, 0, 2, vec![0; 64]), true),
        (record(2, 0, 0, vec![1]), true),
        (record(0, 0, 1, vec![0; 32]), false),
        (record(1, 0, 1, vec![0; 32]), false),
        (record(3, 2, 1, vec![0; 32]), false),
        (record(3, 1, 3, vec![0; 32]), false),
        (record(3, 1, 1, vec![0; 31]), false),
        (record(3, 1, 0, vec![]), false),
    ] {
        assert_eq!(super::dane::is_usable(&record), usable, "{record}");
    }
}

#[tokio::test]
async fn what_is_no_tls_is_a_failure() {
    use tokio::io::AsyncWriteExt;
    let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
    theirs.write_all(b"250 I am plaintext\r\n").await.unwrap();
    let met = handshake(&Demand::Opportunistic, None, "mx.example", ours).await;
    assert_eq!(met.map(|_| ()).unwrap_err().kind, Kind::ValidationFailure);
}
