//! TLS and AUTH on the way out, against a server over real sockets.

use super::server::{Plan, Quirk, Seen, go_on, serve};
use super::*;
use crate::event::host::Tlsa;
use crate::smtp::client::Credentials;
use crate::tls::client::{Demand, Roots};
use crate::tls::provider;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the server does about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It offers STARTTLS, and does it.
    Offers,
    /// It speaks TLS from the first octet.
    Implicit,
    /// It offers STARTTLS and closes in the middle of the handshake.
    Breaks,
    /// It sends this behind its go-ahead.
    Injects(&'static str),
    /// It does not offer it.
    Lacks,
}

/// A server with a certificate for `localhost`, and what it has seen.
struct Site {
    address: Arc<str>,
    certificate: Vec<u8>,
    seen: Seen,
    connections: Arc<AtomicUsize>,
}

async fn site(manner: Manner, plan: Plan) -> Site {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], der).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port()).into();
    let (seen, connections) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
    let (all, count) = (seen.clone(), connections.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, SeqCst);
            let (acceptor, plan, seen) = (acceptor.clone(), plan.clone(), all.clone());
            tokio::spawn(async move {
                match manner {
                    Manner::Implicit => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(stream, plan, seen).await;
                        }
                    }
                    Manner::Lacks => serve(stream, plan, seen).await,
                    _ => in_plain(stream, manner, acceptor, plan, seen).await,
                }
            });
        }
    });
    Site { address, certificate: certificate.to_vec(), seen, connections }
}

/// The part before the handshake; a client that does without it is served in plain.
async fn in_plain(stream: TcpStream, manner: Manner, acceptor: TlsAcceptor, plan: Plan, seen: Seen) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 localhost\r\n").await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        seen.lock().unwrap().push(line.trim_end().to_owned());
        if line.starts_with("EHLO") {
            stream.write_all(b"250-localhost\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n").await.unwrap();
        } else if line.starts_with("STARTTLS") {
            let behind = if let Manner::Injects(text) = manner { text } else { "" };
            stream.write_all(format!("220 go\r\n{behind}").as_bytes()).await.unwrap();
            if manner == Manner::Offers
                && let Ok(stream) = acceptor.accept(stream.into_inner()).await
            {
                go_on(stream, plan, seen).await;
            }
            return;
        } else {
            return;
        }
        line.clear();
    }
}

impl Site {
    fn hop(&self, demand: Demand) -> NextHop {
        self.with(Safety { demand, ..Safety::default() })
    }

    fn with(&self, safety: Safety) -> NextHop {
        NextHop::Relay { address: self.address.clone(), safety: Arc::new(safety) }
    }

    fn verified(&self, name: &str) -> Demand {
        Demand::verified(name, Roots::These([self.certificate.clone()].into()))
    }

    fn dane(&self, digest: Vec<u8>) -> Demand {
        let record = Tlsa { usage: 3, selector: 0, matching: 1, data: digest };
        Demand::Dane { names: ["localhost".to_owned()].into(), records: [record].into() }
    }

    fn digest(&self) -> Vec<u8> {
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.certificate).as_ref().to_vec()
    }

    fn has_seen(&self, verb: &str) -> bool {
        self.seen.lock().unwrap().iter().any(|line| line.starts_with(verb))
    }
}

#[tokio::test]
async fn the_message_goes_under_tls_that_meets_the_demand() {
    for manner in [Manner::Offers, Manner::Implicit] {
        let site = site(manner, vec![]).await;
        let demands = [Demand::Opportunistic, Demand::Required, site.verified("localhost"), site.dane(site.digest())];
        for demand in demands {
            let verified = demand.is_authenticated();
            let hop = site.with(Safety { demand, implicit: manner == Manner::Implicit, ..Safety::default() });
            let outcomes = fixture(&["bob@y.example"]).deliver(&hop).await;
            assert_eq!(short(&outcomes), ["delivered 2.0.0"], "{manner:?} {hop:?}");
            let note = &outcomes[0].details().note;
            assert!(note.starts_with("TLSv1.3 TLS13_") && note.ends_with("not verified") != verified, "{note}");
        }
    }
}

#[tokio::test]
async fn a_demand_that_is_not_met_puts_the_message_off_and_nothing_of_it_is_said() {
    let offers = site(Manner::Offers, vec![]).await;
    let stranger = Demand::verified("localhost", Roots::These([site(Manner::Lacks, vec![]).await.certificate].into()));
    for (demand, told) in
        [(stranger, "4.7.5"), (offers.verified("other.example"), "4.7.5"), (offers.dane(vec![0; 32]), "4.7.5")]
    {
        let outcomes = fixture(&["bob@y.example"]).deliver(&offers.hop(demand.clone())).await;
        assert_eq!(short(&outcomes), [format!("deferred {told}")], "{demand}");
        assert!(outcomes[0].details().note.contains("TLS failed"), "{}", outcomes[0]);
    }
    assert!(!offers.has_seen("MAIL"));
    let lacks = site(Manner::Lacks, vec![]).await;
    let broken = site(Manner::Breaks, vec![]).await;
    for (site, told) in [(&lacks, "4.7.10"), (&broken, "4.7.5")] {
        for demand in [Demand::Required, site.verified("localhost"), site.dane(site.digest())] {
            let outcomes = fixture(&["bob@y.example"]).deliver(&site.hop(demand.clone())).await;
            assert_eq!(short(&outcomes), [format!("deferred {told}")], "{demand}");
        }
        assert!(!site.has_seen("MAIL"));
    }
}

#[tokio::test]
async fn where_tls_need_not_be_a_broken_handshake_is_done_without() {
    let site = site(Manner::Breaks, vec![]).await;
    let outcomes = fixture(&["bob@y.example"]).deliver(&site.hop(Demand::Opportunistic)).await;
    // The second connection is in plain, and the server takes nothing there.
    assert_eq!(site.connections.load(SeqCst), 2, "{outcomes:?}");
    let seen = site.seen.lock().unwrap().clone();
    assert_eq!(seen, ["EHLO me.example", "STARTTLS", "EHLO me.example", "MAIL FROM:<sender@x.example>"]);
}

#[tokio::test]
async fn plaintext_behind_the_go_ahead_ends_the_try() {
    for behind in ["250 localhost\r\n", "250-localhost\r\n250 AUTH PLAIN\r\n", "\r\n"] {
        let site = site(Manner::Injects(behind), vec![]).await;
        for demand in [Demand::Opportunistic, site.verified("localhost")] {
            let before = site.connections.load(SeqCst);
            let outcomes = fixture(&["bob@y.example"]).deliver(&site.hop(demand)).await;
            assert_eq!(short(&outcomes), ["deferred 4.7.5"], "{behind:?}");
            assert_eq!(site.connections.load(SeqCst), before + 1, "nothing is tried in plain after that");
        }
        assert!(!site.has_seen("MAIL"));
    }
}

fn login(mechanism: Option<&str>) -> Option<Arc<Credentials>> {
    let mechanism = mechanism.map(str::to_owned);
    Some(Arc::new(Credentials { user: "u".into(), secret: "p".into(), mechanism }))
}

#[tokio::test]
async fn a_smart_host_is_told_who_we_are_under_tls() {
    let plan = || vec![("EHLO", Quirk::Say("250-x\r\n250 AUTH PLAIN LOGIN")), ("AUTH", Quirk::Say("235 2.7.0 ok"))];
    let site = site(Manner::Offers, plan()).await;
    let demand = site.verified("localhost");
    let hop = site.with(Safety { demand, credentials: login(None), ..Safety::default() });
    assert_eq!(short(&fixture(&["bob@y.example"]).deliver(&hop).await), ["delivered 2.0.0"]);
    assert!(site.has_seen("AUTH PLAIN AHUAcA=="));
}

#[tokio::test]
async fn refused_credentials_put_the_message_off() {
    let plan = vec![("EHLO", Quirk::Say("250-x\r\n250 AUTH PLAIN")), ("AUTH", Quirk::Say("535 5.7.8 wrong"))];
    let site = site(Manner::Implicit, plan).await;
    let hop = site.with(Safety {
        demand: site.verified("localhost"),
        implicit: true,
        credentials: login(None),
        ..Safety::default()
    });
    let outcomes = fixture(&["bob@y.example"]).deliver(&hop).await;
    assert_eq!(short(&outcomes), ["deferred 4.7.8"]);
    assert!(outcomes[0].details().note.contains("AUTH"), "{}", outcomes[0]);
}

#[tokio::test]
async fn a_password_is_never_sent_in_plain() {
    let plan = vec![("EHLO", Quirk::Say("250-x\r\n250 AUTH PLAIN LOGIN")), ("AUTH", Quirk::Say("235 ok"))];
    let site = site(Manner::Lacks, plan).await;
    for demand in [Demand::None, Demand::Opportunistic] {
        let hop = site.with(Safety { demand, credentials: login(None), ..Safety::default() });
        assert_eq!(short(&fixture(&["bob@y.example"]).deliver(&hop).await), ["deferred 4.7.0"]);
    }
    assert!(!site.has_seen("AUTH") && !site.has_seen("MAIL"));
}

#[tokio::test]
async fn a_connection_serves_only_those_who_demand_the_same() {
    let site = site(Manner::Offers, vec![]).await;
    let (means, fixture) = (Means::new(Arc::new(Disk)), fixture(&["bob@y.example"]));
    let hops = [Demand::Opportunistic, Demand::Required, site.verified("localhost")].map(|demand| site.hop(demand));
    for _ in 0..3 {
        for hop in &hops {
            assert_eq!(short(&fixture.deliver_by(&means, hop).await), ["delivered 2.0.0"]);
        }
    }
    assert_eq!(site.connections.load(SeqCst), 3, "one for each demand");
}
