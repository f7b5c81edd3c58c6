//! What the second server's domain has published, TLSA records or a policy of MTA-STS that a web server of its own gives out, and what
//! the first server makes of it: mail waits rather than go without, and the log says why.

use super::{LISTENER, put};
use crate::internet::{Net, OUTBOUND};
use crate::logged::Logged;
use crate::server::{Server, Site, arrived};
use crate::tls::authority::{Authority, Leaf};
use crate::wait::{PATIENCE, eventually};
use aws_lc_rs::digest::{SHA256, digest};
use flate2::read::GzDecoder;
use mailsluice::event::host::{Http, HttpFault, HttpRequest, SystemClock, Tlsa, ZoneKind, ZoneRecord, ZoneTrouble};
use mailsluice::http::HttpClient;
use mailsluice::kv::{Quota, Store};
use mailsluice::mail::{Id, Timestamp};
use mailsluice::tls::client::{Failure, Kind, Roots};
use mailsluice::tls::provider;
use mailsluice::transport::Operation;
use mailsluice::transport::security::Advisor;
use mailsluice::transport::security::reports::{Basis, Collector, Reporter, Tried};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Runs a test on this thread, whose log it is given.
fn logging<F: Future>(what: impl FnOnce(Arc<Logged>) -> F) {
    let logged = Arc::new(Logged::here());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(what(logged));
}

fn der(leaf: &Leaf) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap()
}

fn authority(ca: &Authority) -> Vec<u8> {
    CertificateDer::from_pem_slice(ca.certificate().as_bytes()).unwrap().to_vec()
}

/// The second server, which takes mail for `b@safe.example` with this certificate.
fn second(leaf: &Leaf) -> Server {
    let site = Site::new(&format!(
        "[[listener]]\naddress = '127.0.0.1:0'\n{}[domains]\nlocal = ['safe.example']\n[recipients]\nusers = ['b']\n\
         [limits]\nfree-space = '0 B'\n",
        LISTENER.replace("auth = ['PLAIN', 'LOGIN']\n", "")
    ));
    put(&site, ("c.pem", "k.pem"), leaf);
    site.start()
}

/// The first server, in this process, for which the second is the host of `safe.example`.
async fn first(second: &Server, advisor: Advisor) -> Net {
    let net = Net::new(OUTBOUND, |plan| plan.advisor(advisor)).await;
    net.mx("safe.example", 10, "mx.safe.example");
    net.real("mx.safe.example", "192.0.2.7", second.address(0));
    net
}

async fn submit(net: &Net) -> Id {
    net.submit("a@home.example", &[("b@safe.example", None)], "token").await
}

/// Has the message tried again.
async fn retry(net: &Net, id: Id) {
    let mut told = net.inside.queue.operate(&[id], &Operation::Retry).await;
    // Somebody may have it at the moment.
    while told.pop().is_some_and(|(_, done)| done.is_err()) {
        tokio::task::yield_now().await;
        told = net.inside.queue.operate(&[id], &Operation::Retry).await;
    }
}

/// Waits until the second server has so many messages.
async fn taken(second: &Server, count: usize) {
    let data_dir = second.data_dir();
    tokio::task::spawn_blocking(move || arrived(&data_dir, "safe.example", "b", count)).await.unwrap();
}

fn nothing_taken(second: &Server) {
    assert!(!second.log().contains("accepted"), "{}", second.log());
}

#[test]
fn dane_fails_closed_and_the_log_says_why() {
    logging(|log| async move {
        let leaf = Authority::new("Nobody's CA").server(&["mx.safe.example"]);
        let second = second(&leaf);
        let net = first(&second, Advisor::default()).await;
        net.zone.sign("safe.example");
        let name = "_25._tcp.mx.safe.example";
        let publish = |data: Vec<u8>| {
            let record = Tlsa { usage: 3, selector: 0, matching: 1, data };
            net.zone.remove(name).add(name, ZoneRecord::Tlsa(record));
        };
        publish(vec![0; 32]);
        let id = submit(&net).await;
        // That of another certificate.
        let place = format!("id={id} recipient=<b@safe.example>");
        let at = log.until(0, &["WARN", &place, "deferred: 4", "4.7.5", "TLSA"]).await;
        // An answer that is bogus.
        net.zone.fail(name, ZoneKind::Tlsa, ZoneTrouble::Bogus);
        retry(&net, id).await;
        let why = "no mail goes to this host now, TLS can't be had as it has to be: TLSA records of";
        let at = log.until(at, &["WARN", "domain=safe.example host=mx.safe.example", why]).await;
        nothing_taken(&second);
        net.zone.mend(name, ZoneKind::Tlsa);
        publish(digest(&SHA256, &der(&leaf)).as_ref().to_vec());
        retry(&net, id).await;
        taken(&second, 1).await;
        log.until(at, &["INFO", &place, "delivered: 250", "verified"]).await;
    });
}

/// A request line and its body.
type Asked = (String, Vec<u8>);

/// A web server under TLS that gives the same answer to everybody, and remembers what was asked.
#[derive(Clone)]
struct Web {
    address: SocketAddr,
    answer: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Web {
    async fn start(leaf: &Leaf) -> Self {
        let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![der(leaf)], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = Self { address: listener.local_addr().unwrap(), answer: Arc::default(), asked: Arc::default() };
        let served = web.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, served) = (acceptor.clone(), served.clone());
                tokio::spawn(async move {
                    // A client that does not believe us breaks off.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        served.serve(BufReader::new(stream)).await;
                    }
                });
            }
        });
        web
    }

    async fn serve(&self, mut stream: BufReader<tokio_rustls::server::TlsStream<tokio::net::TcpStream>>) {
        let (mut head, mut line) = (String::new(), String::new());
        while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
            head.push_str(&std::mem::take(&mut line));
        }
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        self.asked.lock().unwrap().push((head.lines().next().unwrap_or_default().to_owned(), body));
        let answer = self.answer.lock().unwrap().clone();
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Who has heard enough may have gone.
        let _ = stream.shutdown().await;
    }

    fn policy(&self, mode: &str, mx: &str) {
        let policy = format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 604800\r\n");
        self.says("200 OK\r\nContent-Type: text/plain", &policy);
    }

    fn says(&self, head: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() =
            format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The one HTTP client, which believes this authority and finds this server.
    fn client(&self, ca: &Authority) -> Arc<HttpClient> {
        let hosts = ["mta-sts.safe.example", "reports.safe.example"].map(|host| (host.to_owned(), self.address));
        Arc::new(HttpClient::believing([authority(ca)].into()).finding(hosts.to_vec()))
    }

    /// Policies that are fetched here and kept in this folder.
    async fn advisor(&self, ca: &Authority, kept: &Path) -> Advisor {
        let clock = Arc::new(SystemClock);
        // A server that was dropped lets go of it with the last of its tasks.
        let started = Instant::now();
        let kv = loop {
            match Store::open(kept, clock.clone(), Quota::default()) {
                Ok(kv) => break kv,
                Err(error) => assert!(started.elapsed() < PATIENCE, "{error}"),
            }
            tokio::task::yield_now().await;
        };
        Advisor::with_sts(self.client(ca), Arc::new(kv), clock).trusting(Roots::These([authority(ca)].into()))
    }
}

fn announce(net: &Net, id: &str) {
    let name = "_mta-sts.safe.example";
    net.zone.remove(name).add(name, ZoneRecord::Txt(format!("v=STSv1; id={id};")));
}

#[test]
fn mta_sts_fails_closed_and_the_log_says_why() {
    logging(|log| async move {
        let ca = Authority::new("Test CA");
        let web = Web::start(&ca.server(&["mta-sts.safe.example"])).await;
        let kept = tempfile::tempdir().unwrap();
        let second = second(&Authority::new("Nobody's CA").server(&["mx.safe.example"]));
        let net = first(&second, web.advisor(&ca, kept.path()).await).await;
        announce(&net, "1");
        web.policy("enforce", "mx.safe.example");
        let id = submit(&net).await;
        let place = format!("id={id} recipient=<b@safe.example>");
        let at = log.until(0, &["WARN", &place, "deferred: 4", "4.7.5", "UnknownIssuer"]).await;
        assert_eq!(web.asked.lock().unwrap()[0].0, "GET /.well-known/mta-sts.txt HTTP/1.1");

        // The policy that is kept holds when its server answers with a redirect, which nobody follows, or with nothing.
        announce(&net, "2");
        let there = format!("https://reports.safe.example:{}/", web.address.port());
        web.says(&format!("302 Found\r\nLocation: {there}"), "");
        retry(&net, id).await;
        let redirected =
            "the domain announces a policy of MTA-STS, but the server of the policy answered with status 302";
        let at = log.until(at, &["WARN", "domain=safe.example", redirected]).await;
        let at = log.until(at, &["WARN", &place, "deferred: 4", "4.7.5"]).await;
        assert_eq!(web.asked(), 2, "a redirect was followed");
        nothing_taken(&second);

        // And over a restart. A host that it does not list is none.
        drop(net);
        let net = first(&second, web.advisor(&ca, kept.path()).await).await;
        web.says("500 No", "");
        net.zone.remove("safe.example");
        net.mx("safe.example", 10, "other.safe.example");
        net.real("other.safe.example", "192.0.2.8", second.address(0));
        let id = submit(&net).await;
        let unlisted =
            "TLS can't be had as it has to be: the policy of MTA-STS of safe.example does not list other.safe.example";
        log.until(at, &["WARN", "no mail goes to this host now", unlisted]).await;
        nothing_taken(&second);

        // A new id brings a new policy, with that host; and its certificate is one of the authority.
        put(&second, ("c.pem", "k.pem"), &ca.server(&["other.safe.example"]));
        let before = second.status().generation;
        second.reload();
        eventually("the new certificate", || (second.status().generation > before).then_some(()));
        announce(&net, "3");
        web.policy("enforce", "*.safe.example");
        retry(&net, id).await;
        taken(&second, 1).await;
    });
}

#[test]
fn a_policy_server_that_nobody_vouches_for_gives_no_policy() {
    logging(|log| async move {
        let (ca, stranger) = (Authority::new("Test CA"), Authority::new("Nobody's CA"));
        let web = Web::start(&stranger.server(&["mta-sts.safe.example"])).await;
        web.policy("enforce", "nobody.example");
        let Err(HttpFault::Failed(why)) =
            web.client(&ca).fetch(HttpRequest::new("GET", "https://mta-sts.safe.example/")).await
        else {
            panic!("it was believed")
        };
        assert!(why.contains("certificate"), "what tells a failure of the kind sts-webpki-invalid: {why}");
        let (kept, second) = (tempfile::tempdir().unwrap(), second(&stranger.server(&["mx.safe.example"])));
        let net = first(&second, web.advisor(&ca, kept.path()).await).await;
        announce(&net, "1");
        submit(&net).await;
        taken(&second, 1).await;
        log.until(0, &["WARN", "announces a policy of MTA-STS, but the policy can't be fetched"]).await;
        assert_eq!(web.asked(), 0);
    });
}

#[test]
fn a_policy_in_testing_lets_mail_through_and_reports_what_would_not_have_held() {
    logging(|log| async move {
        let ca = Authority::new("Test CA");
        let web = Web::start(&ca.server(&["mta-sts.safe.example", "reports.safe.example"])).await;
        let (kept, collector) = (tempfile::tempdir().unwrap(), Collector::default());
        let second = second(&Authority::new("Nobody's CA").server(&["mx.safe.example"]));
        let config = format!("{OUTBOUND}[tls-reports]\ncontact = 'tls@home.example'\norganization = 'Home'\n");
        let advisor = web.advisor(&ca, kept.path()).await;
        let sts = advisor.sts();
        let net = Net::new(&config, |plan| plan.advisor(advisor).counting(collector.clone())).await;
        net.mx("safe.example", 10, "mx.safe.example");
        net.real("mx.safe.example", "192.0.2.7", second.address(0));
        announce(&net, "1");
        web.policy("testing", "mx.safe.example");
        submit(&net).await;
        taken(&second, 1).await;
        let why = "the mail goes, for the domain's policy of MTA-STS is in testing; else it would wait";
        log.until(0, &["WARN", "domain=safe.example host=mx.safe.example", why, "UnknownIssuer"]).await;
        let today = collector.before(u64::MAX).pop_first().unwrap().0;
        let tally = collector.of(today, "safe.example").remove(&("safe.example".to_owned(), Basis::Sts)).unwrap();
        assert_eq!((tally.successes, tally.failures), (0, 1), "{tally:?}");

        // A day that is over is reported by POST; a server that is in trouble gets it later, and once.
        let failure = Failure::new(Kind::CertificateNotTrusted, "yesterday's");
        let tried = Tried {
            domain: "safe.example",
            basis: Basis::Sts,
            host: "mx.safe.example",
            ip: None,
            result: Err(&failure),
        };
        collector.note(Timestamp(net.now().0 - 86_400_000), tried);
        net.zone
            .add("_smtp._tls.safe.example", ZoneRecord::Txt("v=TLSRPTv1; rua=https://reports.safe.example/tls".into()));
        let reporter = Reporter {
            collector: collector.clone(),
            kept: None,
            resolver: net.zone.clone(),
            http: Some(web.client(&ca)),
            sts,
            intake: net.inside.server.intake.clone(),
            current: net.inside.server.current.clone(),
        };
        let (before, mut done) = (web.asked(), Default::default());
        for answer in ["503 Busy", "200 OK", "200 OK"] {
            web.says(answer, "");
            reporter.look(&mut done).await;
        }
        let asked = web.asked.lock().unwrap()[before..].to_vec();
        let lines: Vec<&str> = asked.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(lines, ["POST /tls HTTP/1.1"; 2]);
        let mut json = String::new();
        GzDecoder::new(&asked[1].1[..]).read_to_string(&mut json).unwrap();
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(report["organization-name"], "Home");
        let policy = &report["policies"][0];
        assert_eq!(policy["policy"]["policy-type"], "sts");
        assert_eq!(policy["policy"]["policy-string"][1], "mode: testing");
        assert_eq!(policy["summary"]["total-failure-session-count"], 1);
        assert_eq!(policy["failure-details"][0]["result-type"], "certificate-not-trusted");
        assert_eq!(collector.before(u64::MAX).len(), 1, "today's stays");
    });
}
