//! What authorities are shown with TLS-ALPN-01, and to whom it is never shown.

use super::authority::{Authority, Leaf};
use mailsluice::config::Settings;
use mailsluice::tls::{Challenges, Server, provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;

const NAME: &str = "mx.example.com";

fn certificate(leaf: &Leaf) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap()
}

/// What a client is shown that asks for the name and offers these protocols, and how many octets follow the handshake.
async fn client(ca: &Authority, name: &str, protocols: &[&str], stream: DuplexStream) -> io::Result<(Vec<u8>, usize)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.certificate().as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await?;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    Ok((shown, rest.len()))
}

struct Pending {
    ca: Authority,
    challenges: Challenges,
    shown: Vec<u8>,
}

/// A challenge for the name.
fn pending() -> Pending {
    let (ca, challenges) = (Authority::new("Test CA"), Challenges::default());
    let leaf = ca.server(&[NAME]);
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
    challenges.show(NAME, certificate(&leaf), key).unwrap();
    Pending { ca, challenges, shown: certificate(&leaf).to_vec() }
}

#[tokio::test]
async fn only_who_asks_for_nothing_else_is_shown_it_and_then_it_is_over() {
    let Pending { ca, challenges, shown } = pending();
    let meet = async |name: &str, protocols: &[&str]| {
        let (here, there) = duplex(1 << 16);
        tokio::join!(challenges.serve(here), client(&ca, name, protocols, there))
    };
    let (served, seen) = meet("MX.example.com", &["acme-tls/1"]).await;
    served.unwrap();
    assert_eq!(seen.unwrap(), (shown, 0));
    for (name, protocols) in [
        (NAME, &[][..]),
        (NAME, &["smtp"]),
        (NAME, &["acme-tls/1", "smtp"]),
        (NAME, &["acme-tls/1", "acme-tls/1"]),
        (NAME, &["acme-tls/2"]),
        ("other.example.com", &["acme-tls/1"]),
    ] {
        let (served, seen) = meet(name, protocols).await;
        assert!(served.is_err() && seen.is_err(), "{name} {protocols:?}");
    }
    challenges.hide(NAME);
    assert!(meet(NAME, &["acme-tls/1"]).await.1.is_err());
}

#[tokio::test]
async fn a_listener_goes_on_beside_it_for_everybody_else() {
    let Pending { ca, challenges, shown } = pending();
    let (dir, leaf) = (tempfile::tempdir().unwrap(), ca.server(&[NAME]));
    std::fs::write(dir.path().join("c"), &leaf.certificate).unwrap();
    std::fs::write(dir.path().join("k"), &leaf.key).unwrap();
    let text = "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\ntls = { mode = 'implicit', certificate = 'c', key = 'k' }\n";
    let settings = Settings::parse(&dir.path().join("m.toml"), text).unwrap_or_else(|e| panic!("{e}")).0;
    let server = Server::new(settings.listeners[0].tls.as_ref().unwrap()).unwrap();
    let meet = async |protocols: &[&str]| {
        let (here, there) = duplex(1 << 16);
        let serve = async {
            let secured = server.accept_beside(&challenges, here).await?;
            if let Some(mut secured) = secured {
                secured.stream.write_all(b"220").await?;
                secured.stream.shutdown().await?;
            }
            Ok::<_, io::Error>(())
        };
        let (served, seen) = tokio::join!(serve, client(&ca, NAME, protocols, there));
        served.and(seen)
    };
    assert_eq!(meet(&["acme-tls/1"]).await.unwrap(), (shown, 0));
    let usual = (certificate(&leaf).to_vec(), 3);
    assert_eq!(meet(&[]).await.unwrap(), usual);
    assert_eq!(meet(&["smtp", "acme-tls/1"]).await.unwrap(), usual);
    challenges.hide(NAME);
    assert!(meet(&["acme-tls/1"]).await.is_err());
    assert_eq!(meet(&[]).await.unwrap(), usual);
}
