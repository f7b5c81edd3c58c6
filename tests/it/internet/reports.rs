//! Reports on TLS (RFC 8460): what comes of connections is counted while the settings want it, and told to those who ask for it, in a
//! mail that arrives even where TLS fails and is not reported on itself.

use super::secure::{MINUTE, certify};
use super::{Net, OUTBOUND, in_virtual_time};
use flate2::read::GzDecoder;
use mailsluice::event::host::{RecordKind, Tlsa, ZoneRecord, ZoneTrouble};
use mailsluice::transport::security::reports::{Basis, Collector, Reporter};
use serde_json::Value;
use std::io::Read;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const REPORTING: &str = "[tls-reports]\ncontact = 'tls@home.example'\n";

/// A server that counts, and the host of `safe.example`, whose TLSA record is that of another certificate.
async fn net(config: &str) -> (Net, Collector, Reporter) {
    let collector = Collector::default();
    let net = Net::new(config, |plan| plan.counting(collector.clone())).await;
    net.mx("safe.example", 10, "mx.safe.example");
    net.host("mx.safe.example", "192.0.2.7", false, Vec::new());
    certify(&net, "192.0.2.7", "mx.safe.example");
    let record = Tlsa { usage: 3, selector: 0, matching: 1, data: vec![0; 32] };
    net.zone.sign("safe.example").add("_25._tcp.mx.safe.example", ZoneRecord::Tlsa(record));
    net.zone.add("_smtp._tls.safe.example", ZoneRecord::Txt("v=TLSRPTv1; rua=mailto:tls@safe.example".into()));
    let reporter = Reporter {
        collector: collector.clone(),
        kept: None,
        resolver: net.zone.clone(),
        http: None,
        sts: None,
        intake: net.inside.server.intake.clone(),
        current: net.inside.server.current.clone(),
    };
    (net, collector, reporter)
}

/// The report in a mail.
fn json(mail: &str) -> Value {
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    let mut text = String::new();
    GzDecoder::new(parsed.attachment(0).unwrap().contents()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_report_by_mail_arrives_where_tls_fails_and_is_not_reported_on() {
    in_virtual_time(|| async {
        let (net, collector, reporter) = net(&format!("{OUTBOUND}{REPORTING}")).await;
        let mut done = Default::default();
        net.submit("a@home.example", &[("b@safe.example", None)], "m").await;
        tokio::time::sleep(MINUTE).await;
        reporter.look(&mut done).await;
        assert!(net.taken().is_empty(), "the day is not over");
        tokio::time::sleep(DAY).await;
        // Who can't be asked now is asked again.
        net.zone.fail("_smtp._tls.safe.example", RecordKind::Txt, ZoneTrouble::ServFail);
        reporter.look(&mut done).await;
        net.zone.mend("_smtp._tls.safe.example", RecordKind::Txt);
        reporter.look(&mut done).await;
        reporter.look(&mut done).await;
        tokio::time::sleep(MINUTE).await;
        let taken = net.taken();
        let reports: Vec<_> = taken.iter().filter(|taken| taken.recipients[0].contains("tls@safe.example")).collect();
        let [report] = reports.as_slice() else { panic!("{taken:?}") };
        for field in [
            "From: <tls@home.example>\r\n",
            "TLS-Report-Domain: safe.example\r\n",
            "TLS-Report-Submitter: mx.example.com\r\n",
            "TLS-Required: No\r\n",
            "Subject: Report Domain: safe.example Submitter: mx.example.com Report-ID: <",
            "Content-Type: multipart/report; report-type=\"tlsrpt\"",
            "Content-Type: application/tlsrpt+gzip\r\n",
            "filename=\"mx.example.com!safe.example!",
        ] {
            assert!(report.text.contains(field), "{field} in {}", report.text);
        }
        let told = json(&report.text);
        assert_eq!(
            (&told["contact-info"], &told["organization-name"]),
            (&"tls@home.example".into(), &"mx.example.com".into())
        );
        let policy = &told["policies"][0];
        assert_eq!(policy["policy"]["policy-type"], "tlsa");
        assert_eq!(policy["policy"]["mx-host"][0], "mx.safe.example");
        assert_eq!(policy["failure-details"][0]["result-type"], "tlsa-invalid");
        assert_eq!(policy["failure-details"][0]["receiving-ip"], "192.0.2.7");
        let failures = &policy["summary"]["total-failure-session-count"];
        assert!(failures.as_u64().unwrap() > 0 && policy["summary"]["total-successful-session-count"] == 0, "{told}");
        // The way of the report itself is nothing to report on.
        for (day, domain) in collector.before(u64::MAX) {
            let counted = collector.of(day, &domain);
            assert!(
                counted.iter().all(|((_, basis), tally)| *basis != Basis::None && tally.successes == 0),
                "{counted:?}"
            );
        }
    });
}

#[test]
fn what_is_counted_follows_the_settings_in_force() {
    in_virtual_time(|| async {
        let (net, collector, reporter) = net(OUTBOUND).await;
        net.submit("a@home.example", &[("b@safe.example", None)], "m").await;
        tokio::time::sleep(MINUTE).await;
        assert!(collector.before(u64::MAX).is_empty(), "nobody has asked for it");
        net.inside.reconfigure(&format!("{OUTBOUND}{REPORTING}"));
        tokio::time::sleep(DAY).await;
        assert!(!collector.before(u64::MAX).is_empty());
        net.inside.reconfigure(OUTBOUND);
        tokio::time::sleep(DAY).await;
        reporter.look(&mut Default::default()).await;
        assert!(
            net.taken().iter().all(|taken| !taken.text.contains("TLS-Report-Domain")),
            "reports are not wanted any more"
        );
    });
}
