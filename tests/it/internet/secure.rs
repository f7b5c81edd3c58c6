//! TLS on the way out, in the simulated Internet: what destinations publish is kept to, and what can't be had puts mail off.

use super::stages::net;
use super::{Net, OUTBOUND, in_virtual_time};
use mailsluice::event::host::{
    Http, HttpFault, HttpRequest, HttpResponse, RecordKind, SystemClock, Tlsa, ZoneKind, ZoneRecord, ZoneTrouble,
};
use mailsluice::event::{Answer, Event, Verdict};
use mailsluice::intake::track::Stage;
use mailsluice::kv::{MemoryKv, Quota};
use mailsluice::mail::Id;
use mailsluice::smtp::client::{Choices, Next};
use mailsluice::tls::provider;
use mailsluice::transport::security::Advisor;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, copy_bidirectional};
use tokio_rustls::TlsAcceptor;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Offers STARTTLS before a host that knows nothing of it.
#[derive(Clone)]
pub(super) struct Door {
    /// None: it breaks the handshake off.
    acceptor: Option<TlsAcceptor>,
}

impl Door {
    /// The stream that a client gets; behind it is `inner`.
    pub(super) fn before(self, inner: DuplexStream) -> DuplexStream {
        let (theirs, ours) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            // The other side may go at any moment.
            let _ = self.serve(ours, inner).await;
        });
        theirs
    }

    async fn serve(self, ours: DuplexStream, inner: DuplexStream) -> std::io::Result<()> {
        let (mut ours, mut inner) = (BufReader::new(ours), BufReader::new(inner));
        ours.write_all(b"220 ready\r\n").await?;
        skip_reply(&mut inner).await?;
        loop {
            let mut line = String::new();
            if ours.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line.starts_with("EHLO") {
                ours.write_all(b"250-host\r\n250 STARTTLS\r\n").await?;
            } else if line.starts_with("STARTTLS") {
                ours.write_all(b"220 go\r\n").await?;
                let Some(acceptor) = self.acceptor else { return Ok(()) };
                let mut secure = acceptor.accept(ours.into_inner()).await?;
                copy_bidirectional(&mut secure, &mut inner).await?;
                return Ok(());
            } else {
                inner.write_all(b"EHLO plain\r\n").await?;
                skip_reply(&mut inner).await?;
                inner.write_all(line.as_bytes()).await?;
                copy_bidirectional(&mut ours, &mut inner).await?;
                return Ok(());
            }
        }
    }
}

async fn skip_reply(stream: &mut BufReader<DuplexStream>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

/// Gives the host at this address a certificate, and says its SHA-256.
pub(super) fn certify(net: &Net, ip: &str, name: &str) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap().der().clone();
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], der).unwrap();
    let door = Door { acceptor: Some(TlsAcceptor::from(Arc::new(config))) };
    net.world.certificates.lock().unwrap().insert(ip.parse().unwrap(), door);
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate).as_ref().to_vec()
}

/// A domain with one host, which has a certificate; its digest.
fn site(net: &Net) -> Vec<u8> {
    net.mx("safe.example", 10, "mx.safe.example");
    net.host("mx.safe.example", "192.0.2.7", false, Vec::new());
    certify(net, "192.0.2.7", "mx.safe.example")
}

fn tlsa(net: &Net, data: Vec<u8>) {
    let record = Tlsa { usage: 3, selector: 0, matching: 1, data };
    net.zone.remove("_25._tcp.mx.safe.example").add("_25._tcp.mx.safe.example", ZoneRecord::Tlsa(record));
}

/// The replies of the deferrals of a message, as the track has them.
fn deferrals(net: &Net, id: Id) -> Vec<String> {
    let steps = net.steps(id).into_iter().filter(|step| step.step == Stage::Deferred);
    steps.filter_map(|step| step.reply).collect()
}

async fn submit(net: &Net) -> Id {
    let id = net.submit("a@home.example", &[("b@safe.example", None)], "token").await;
    tokio::time::sleep(MINUTE).await;
    id
}

/// Nothing was taken, and the message waits for this reason.
fn waits(net: &Net, id: Id, status: &str) {
    assert!(net.taken().is_empty(), "it went out");
    let deferred = deferrals(net, id);
    assert!(!deferred.is_empty() && deferred.iter().all(|reply| reply.contains(status)), "{deferred:?}");
}

#[test]
fn dane_lets_mail_through_to_the_certificate_that_the_zone_names_and_to_no_other() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        let digest = site(&net);
        net.zone.sign("safe.example");
        tlsa(&net, vec![0; 32]);
        let id = submit(&net).await;
        waits(&net, id, "4.7.5");
        tlsa(&net, digest);
        net.run_dry(DAY).await;
        assert_eq!(net.taken().len(), 1);
    });
}

#[test]
fn dane_fails_closed_when_the_dns_is_bogus_or_fails() {
    for trouble in [ZoneTrouble::Bogus, ZoneTrouble::ServFail, ZoneTrouble::Timeout(Duration::from_secs(5))] {
        in_virtual_time(|| async {
            let net = Net::new(OUTBOUND, |plan| plan).await;
            let digest = site(&net);
            net.zone.sign("safe.example");
            tlsa(&net, digest);
            net.zone.fail("_25._tcp.mx.safe.example", ZoneKind::Tlsa, trouble);
            let id = submit(&net).await;
            waits(&net, id, "4.7.5");
            net.zone.mend("_25._tcp.mx.safe.example", ZoneKind::Tlsa);
            net.run_dry(DAY).await;
            assert_eq!(net.taken().len(), 1, "{trouble:?}");
        });
    }
}

#[test]
fn a_bogus_mx_record_leads_nowhere() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        site(&net);
        net.zone.fail("safe.example", RecordKind::Mx, ZoneTrouble::Bogus);
        let id = submit(&net).await;
        waits(&net, id, "4.4.3");
    });
}

#[test]
fn records_that_are_not_signed_ask_for_nothing() {
    for signed in ["elsewhere.example", "mx.safe.example", "_25._tcp.mx.safe.example"] {
        in_virtual_time(|| async {
            let net = Net::new(OUTBOUND, |plan| plan).await;
            site(&net);
            // Proven are the host and its certificate at most, and not that it takes the domain's mail.
            net.zone.sign(signed);
            tlsa(&net, vec![0; 32]);
            submit(&net).await;
            assert_eq!(net.taken().len(), 1, "{signed}");
        });
    }
}

#[test]
fn dane_that_the_operator_requires_is_not_done_without() {
    let config = format!("{OUTBOUND}[[tls-policy]]\ndomain = 'safe.example'\npolicy = 'dane'\n");
    in_virtual_time(|| async {
        let net = Net::new(&config, |plan| plan).await;
        let digest = site(&net);
        tlsa(&net, digest);
        let id = submit(&net).await;
        waits(&net, id, "4.7.5");
        net.zone.sign("safe.example");
        net.run_dry(DAY).await;
        assert_eq!(net.taken().len(), 1);
    });
}

#[test]
fn the_operator_s_policy_is_kept_to() {
    for (policy, offers, outcome) in [
        ("none", true, None),
        ("opportunistic", false, None),
        ("required", true, None),
        ("required", false, Some("4.7.10")),
        ("verified", false, Some("4.7.10")),
        // Nobody has signed the certificate.
        ("verified", true, Some("4.7.5")),
    ] {
        let config = format!("{OUTBOUND}[[tls-policy]]\ndomain = '*.example'\npolicy = '{policy}'\n");
        in_virtual_time(|| async {
            let net = Net::new(&config, |plan| plan).await;
            site(&net);
            if !offers {
                net.world.certificates.lock().unwrap().clear();
            }
            let id = submit(&net).await;
            match outcome {
                None => assert_eq!(net.taken().len(), 1, "{policy} {offers}"),
                Some(status) => waits(&net, id, status),
            }
        });
    }
}

#[test]
fn a_host_whose_tls_is_broken_gets_mail_in_plain_unless_more_is_asked() {
    for (policy, taken) in [("opportunistic", 1), ("required", 0)] {
        let config = format!("{OUTBOUND}[[tls-policy]]\ndomain = '*'\npolicy = '{policy}'\n");
        in_virtual_time(|| async {
            let net = Net::new(&config, |plan| plan).await;
            site(&net);
            let broken = Door { acceptor: None };
            net.world.certificates.lock().unwrap().insert("192.0.2.7".parse().unwrap(), broken);
            submit(&net).await;
            assert_eq!(net.taken().len(), taken, "{policy}");
        });
    }
}

#[test]
fn sinks_hear_the_reply_to_starttls_and_can_not_do_without_tls_for_it() {
    let config = format!("{OUTBOUND}[[tls-policy]]\ndomain = '*'\npolicy = 'required'\n");
    in_virtual_time(|| async {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let noted = heard.clone();
        let net = net(&config, &[Event::OutReply], move |scene, _| {
            let leg = scene.leg().unwrap();
            if scene.verb() != Some("STARTTLS") {
                return Verdict::Next;
            }
            noted.lock().unwrap().push((leg.reply.as_ref().unwrap().code(), scene.plan().unwrap().choices));
            // Not legal: it is the sink's fault, and the session goes on as planned.
            Verdict::Answer(Answer::Step(Next::Quit))
        })
        .await;
        site(&net);
        submit(&net).await;
        assert_eq!(net.taken().len(), 1);
        assert_eq!(*heard.lock().unwrap(), [(220, Choices::NONE)]);
    });
}

/// A web with one page.
struct Web(String);

#[async_trait::async_trait]
impl Http for Web {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
        assert_eq!(request.url, "https://mta-sts.safe.example/.well-known/mta-sts.txt");
        let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        Ok(HttpResponse { status: 200, headers, body: self.0.clone().into() })
    }
}

async fn with_sts(mode: &str, mx: &str) -> (Net, Id) {
    let clock = Arc::new(SystemClock);
    let web = Arc::new(Web(format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 604800\n")));
    let advisor = Advisor::with_sts(web, Arc::new(MemoryKv::new(clock.clone(), Quota::default())), clock);
    let net = Net::new(OUTBOUND, |plan| plan.advisor(advisor)).await;
    net.zone.add("_mta-sts.safe.example", ZoneRecord::Txt("v=STSv1; id=1;".into()));
    let digest = site(&net);
    tlsa(&net, digest);
    let id = submit(&net).await;
    (net, id)
}

#[test]
fn mta_sts_fails_closed_where_it_is_enforced_and_only_there() {
    in_virtual_time(|| async {
        // The host has a certificate that nobody vouches for; or it is not a host of the policy.
        for mx in ["mx.safe.example", "*.other.example"] {
            let (net, id) = with_sts("enforce", mx).await;
            waits(&net, id, "4.7.5");
        }
        for mode in ["testing", "none"] {
            let (net, _) = with_sts(mode, "mx.safe.example").await;
            assert_eq!(net.taken().len(), 1, "{mode}");
        }
        // DANE takes precedence (RFC 8461 2).
        let (net, id) = with_sts("enforce", "mx.safe.example").await;
        waits(&net, id, "4.7.5");
        net.zone.sign("safe.example");
        net.run_dry(DAY).await;
        assert_eq!(net.taken().len(), 1);
    });
}
