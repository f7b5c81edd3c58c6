//! Handshakes in memory: which certificate is shown, what is known afterwards, what clients may show, and who may resume what.

use super::authority::{Authority, Leaf, Wanted};
use mailsluice::config::Settings;
use mailsluice::mail::TlsFacts;
use mailsluice::tls::{Server, provider};
use rcgen::PKCS_RSA_SHA256;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion, version};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::TlsConnector;

/// Servers of the listeners that have these `tls`, with these files beside the configuration.
fn servers(tls: &[&str], files: &[(&str, &str)]) -> Vec<Server> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let listeners = tls.iter().map(|tls| format!("[[listener]]\naddress = '127.0.0.1:0'\ntls = {{ {tls} }}\n"));
    let text = format!("hostname = 'mx.example.com'\n{}", listeners.collect::<String>());
    let (settings, _) = Settings::parse(&dir.path().join("mailsluice.toml"), &text).unwrap_or_else(|e| panic!("{e}"));
    settings.listeners.iter().map(|l| Server::new(l.tls.as_ref().unwrap()).unwrap()).collect()
}

/// A client that trusts the authority.
struct Client {
    ca: String,
    versions: Vec<&'static SupportedProtocolVersion>,
    own: Option<Leaf>,
    alpn: Vec<Vec<u8>>,
    only: Option<rustls::SignatureScheme>,
}

impl Client {
    fn of(ca: &Authority) -> Self {
        let versions = vec![&version::TLS13, &version::TLS12];
        Self { ca: ca.certificate(), versions, own: None, alpn: Vec::new(), only: None }
    }

    fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap()).unwrap();
        let mut own = (*provider()).clone();
        if let Some(only) = self.only {
            let rsa = only == rustls::SignatureScheme::RSA_PSS_SHA256;
            own.cipher_suites
                .retain(|suite| suite.tls13().is_none() && format!("{:?}", suite.suite()).contains("RSA") == rsa);
        }
        let builder = ClientConfig::builder_with_provider(own.into()).with_protocol_versions(&self.versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match &self.own {
            None => builder.with_no_client_auth(),
            Some(leaf) => {
                let chain =
                    CertificateDer::pem_slice_iter(leaf.certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
                builder
                    .with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap())
                    .unwrap()
            }
        };
        config.alpn_protocols.clone_from(&self.alpn);
        config.resumption = Resumption::in_memory_sessions(16);
        Arc::new(config)
    }
}

/// What both sides know after a handshake in which the client asks for this name.
struct Met {
    facts: TlsFacts,
    kind: HandshakeKind,
    shown: Vec<u8>,
    bound: bool,
}

async fn meet(server: &Server, config: &Arc<ClientConfig>, name: &str) -> io::Result<Met> {
    let (here, there) = duplex(1 << 16);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = async {
        let mut stream = TlsConnector::from(config.clone()).connect(name, there).await?;
        // Tickets come with what is read first.
        let mut octet = [0];
        stream.read_exact(&mut octet).await?;
        let connection = stream.get_ref().1;
        let exported = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[])).unwrap();
        let shown = connection.peer_certificates().unwrap()[0].to_vec();
        Ok::<_, io::Error>((connection.handshake_kind().unwrap(), shown, exported))
    };
    let serve = async {
        let mut secured = server.accept(here).await?;
        secured.stream.write_all(b"!").await?;
        secured.stream.flush().await?;
        Ok::<_, io::Error>(secured)
    };
    let (secured, client) = tokio::join!(serve, client);
    let (secured, (kind, shown, exported)) = (secured?, client?);
    let bound = secured.binding.inspect(|binding| assert_eq!(*binding, exported)).is_some();
    Ok(Met { facts: secured.facts, kind, shown, bound })
}

const ONE: &str = "mode = 'starttls', certificate = 'c', key = 'k'";

fn der(leaf: &Leaf) -> Vec<u8> {
    CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap().to_vec()
}

#[tokio::test]
async fn the_certificate_that_is_asked_for_is_shown() {
    let ca = Authority::new("Test CA");
    let leaves = [ca.server(&["mx.example.com"]), ca.server(&["mail.example.net", "*.example.net"])];
    let tls = "mode = 'starttls', certificate = 'c', key = 'k', certificates = [{ certificate = 'c2', key = 'k2' }]";
    let files =
        [("c", &leaves[0].certificate), ("k", &leaves[0].key), ("c2", &leaves[1].certificate), ("k2", &leaves[1].key)];
    let server = &servers(&[tls], &files.map(|(name, text)| (name, text.as_str())))[0];
    let config = Client::of(&ca).config();
    for (name, shown) in [("mx.example.com", 0), ("MAIL.example.net", 1), ("any.example.net", 1)] {
        let met = meet(server, &config, name).await.unwrap();
        assert_eq!(met.shown, der(&leaves[shown]), "{name}");
        assert_eq!(met.facts.sni.as_deref(), Some(&*name.to_ascii_lowercase()));
    }
    // Who asks for what nobody has is shown the first, and goes or stays.
    let error = meet(server, &config, "other.example").await.err().unwrap().to_string();
    assert!(error.contains("BadCertificate"), "{error}");
}

#[tokio::test]
async fn of_two_kinds_of_key_the_one_that_the_client_knows() {
    let ca = Authority::new("Test CA");
    let wanted = Wanted { names: &["mx.example.com"], algorithm: &PKCS_RSA_SHA256, ..Wanted::default() };
    let (ecdsa, rsa) = (ca.server(&["mx.example.com"]), ca.issue(&wanted));
    let tls = "mode = 'starttls', certificate = 'c', key = 'k', certificates = [{ certificate = 'c2', key = 'k2' }]";
    let files = [("c", &ecdsa.certificate), ("k", &ecdsa.key), ("c2", &rsa.certificate), ("k2", &rsa.key)];
    let server = &servers(&[tls], &files.map(|(name, text)| (name, text.as_str())))[0];
    let mut client = Client::of(&ca);
    client.versions = vec![&version::TLS12];
    for (only, leaf) in
        [(rustls::SignatureScheme::RSA_PSS_SHA256, &rsa), (rustls::SignatureScheme::ECDSA_NISTP256_SHA256, &ecdsa)]
    {
        client.only = Some(only);
        assert_eq!(meet(server, &client.config(), "mx.example.com").await.unwrap().shown, der(leaf));
    }
}

fn usual(ca: &Authority) -> Vec<(&'static str, String)> {
    let leaf = ca.server(&["mx.example.com"]);
    vec![("c", leaf.certificate), ("k", leaf.key), ("ca", ca.certificate())]
}

fn of(files: &[(&'static str, String)], tls: &[&str]) -> Vec<Server> {
    servers(tls, &files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())
}

#[tokio::test]
async fn versions_and_what_is_told_of_them() {
    let ca = Authority::new("Test CA");
    let servers = of(&usual(&ca), &[ONE, &format!("{ONE}, min-version = '1.3'")]);
    let mut client = Client::of(&ca);
    let met = meet(&servers[0], &client.config(), "mx.example.com").await.unwrap();
    assert_eq!((met.facts.version.as_str(), met.facts.cipher.as_str()), ("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
    assert!(met.bound && met.facts.peer.is_none());
    client.versions = vec![&version::TLS12];
    let met = meet(&servers[0], &client.config(), "mx.example.com").await.unwrap();
    assert_eq!(met.facts.version, "TLSv1.2");
    assert_eq!(met.facts.cipher, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    assert!(!met.bound);
    assert!(meet(&servers[1], &client.config(), "mx.example.com").await.is_err());
}

#[tokio::test]
async fn who_means_to_speak_something_else_is_turned_away() {
    let ca = Authority::new("Test CA");
    let server = &of(&usual(&ca), &[ONE])[0];
    let mut client = Client::of(&ca);
    client.alpn = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    assert!(meet(server, &client.config(), "mx.example.com").await.is_err());
    client.alpn.push(b"smtp".to_vec());
    assert!(meet(server, &client.config(), "mx.example.com").await.is_ok());
}

#[tokio::test]
async fn certificates_of_clients() {
    let (ca, other) = (Authority::new("Test CA"), Authority::new("Other CA"));
    let policy = |clients: &str| format!("{ONE}, client-certificates = '{clients}', client-ca = 'ca'");
    let servers = of(
        &usual(&ca),
        &[&policy("optional"), &policy("required"), &format!("{ONE}, client-certificates = 'optional'")],
    );
    let mut client = Client::of(&ca);
    assert_eq!(meet(&servers[0], &client.config(), "mx.example.com").await.unwrap().facts.peer, None);
    assert!(meet(&servers[1], &client.config(), "mx.example.com").await.is_err());
    let mine = ca.client(&["relay.example.com", "post@example.com"]);
    client.own = Some(mine.clone());
    for server in &servers[..2] {
        for version in [&version::TLS12, &version::TLS13] {
            client.versions = vec![version];
            let peer = meet(server, &client.config(), "mx.example.com").await.unwrap().facts.peer.unwrap();
            assert_eq!((peer.subject.as_str(), peer.verified), ("relay.example.com", true));
            assert_eq!(peer.names, ["relay.example.com", "post@example.com"]);
            assert_eq!(peer.fingerprint, mailsluice::tls::certificate::fingerprint(&der(&mine)));
        }
    }
    // One that nobody vouches for: a stranger's, an expired one, one for servers.
    let expired = Wanted { names: &["relay.example.com"], from: -9, to: -2, client: true, ..Wanted::default() };
    for leaf in [other.client(&["relay.example.com"]), ca.issue(&expired), ca.server(&["relay.example.com"])] {
        client.own = Some(leaf);
        for server in [&servers[0], &servers[2]] {
            let peer = meet(server, &client.config(), "mx.example.com").await.unwrap().facts.peer.unwrap();
            assert!(!peer.verified);
        }
        assert!(meet(&servers[1], &client.config(), "mx.example.com").await.is_err());
    }
}

/// One client with one memory of sessions, at listeners that show the same certificate.
#[tokio::test]
async fn a_ticket_opens_nothing_at_a_listener_with_another_policy() {
    let ca = Authority::new("Test CA");
    let policies = [
        ONE.to_owned(),
        format!("{ONE}, client-certificates = 'optional', client-ca = 'ca'"),
        format!("{ONE}, client-certificates = 'required', client-ca = 'ca'"),
        ONE.to_owned(),
    ];
    let files = usual(&ca);
    let policies: Vec<&str> = policies.iter().map(String::as_str).collect();
    let servers = of(&files, &policies);
    for version in [&version::TLS12, &version::TLS13] {
        let mut client = Client::of(&ca);
        client.versions = vec![version];
        client.own = Some(ca.client(&["relay.example.com"]));
        for giver in 0..servers.len() {
            let config = client.config();
            let kind = async |server: &Server| meet(server, &config, "mx.example.com").await.unwrap().kind;
            assert_eq!(kind(&servers[giver]).await, HandshakeKind::Full);
            assert_eq!(
                kind(&servers[giver]).await,
                HandshakeKind::Resumed,
                "{version:?}: the ticket is good where it is from"
            );
            for taker in (0..servers.len()).filter(|taker| *taker != giver) {
                let fresh = client.config();
                let first = meet(&servers[giver], &fresh, "mx.example.com").await.unwrap();
                let second = meet(&servers[taker], &fresh, "mx.example.com").await.unwrap();
                assert_eq!((first.kind, second.kind), (HandshakeKind::Full, HandshakeKind::Full), "{giver} to {taker}");
                assert_eq!(second.facts.peer.is_some(), [1, 2].contains(&taker));
            }
        }
    }
}

/// What was vouched for at first is known after a resumption, too.
#[tokio::test]
async fn a_resumed_session_has_the_certificate_of_the_first() {
    let ca = Authority::new("Test CA");
    let server = &of(&usual(&ca), &[&format!("{ONE}, client-certificates = 'required', client-ca = 'ca'")])[0];
    let mut client = Client::of(&ca);
    client.own = Some(ca.client(&["relay.example.com"]));
    let config = client.config();
    let first = meet(server, &config, "mx.example.com").await.unwrap();
    let second = meet(server, &config, "mx.example.com").await.unwrap();
    assert_eq!(second.kind, HandshakeKind::Resumed);
    assert_eq!(first.facts.peer, second.facts.peer);
    assert!(second.facts.verified_peer().is_some());
}
