//! Counting, composing, and who wants it.

use super::collect::{Day, day_of};
use super::compose::{Ourselves, compose, mail};
use super::destination::{Destination, destinations};
use super::*;
use crate::mail::Timestamp;
use crate::tls::client::{Failure, Kind};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;

const DAY_MS: u64 = 86_400_000;
const NOON: Timestamp = Timestamp(20_000 * DAY_MS + DAY_MS / 2);

fn counted() -> Day {
    let collector = Collector::default();
    let note = |basis: &Basis, result| {
        let ip = Some("192.0.2.1".parse().unwrap());
        collector.note(NOON, Tried { domain: "x.example", basis: basis.clone(), host: "mx.x.example", ip, result });
    };
    let expired = Failure::new(Kind::CertificateExpired, "it was valid until\r\nyesterday");
    note(&Basis::Sts, Ok(()));
    note(&Basis::Sts, Ok(()));
    note(&Basis::Sts, Err(&expired));
    note(&Basis::Tlsa(vec!["3 1 1 07".to_owned()]), Ok(()));
    assert!(collector.before(day_of(NOON)).is_empty(), "the day is not over");
    assert_eq!(collector.before(day_of(NOON) + 1), [(20_000, "x.example".to_owned())].into());
    let day = collector.of(20_000, "x.example");
    collector.remove(20_000, "x.example");
    assert!(collector.before(u64::MAX).is_empty(), "each day is reported once");
    day
}

const US: Ourselves<'_> = Ourselves { organization: "Us", contact: "tls@us.example", hostname: "mx.us.example" };

fn json_of(day: &Day) -> Value {
    let sts = ["version: STSv1".to_owned()];
    let report = compose(&US, 20_000, day, "x.example", &sts).unwrap().unwrap();
    let mut text = String::new();
    GzDecoder::new(&report.gz[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_day_becomes_a_report_as_rfc_8460_has_it() {
    assert_eq!(
        json_of(&counted()),
        json!({
            "organization-name": "Us",
            "date-range": { "start-datetime": "2024-10-04T00:00:00Z", "end-datetime": "2024-10-04T23:59:59Z" },
            "contact-info": "tls@us.example",
            "report-id": "1728000000.x.example@mx.us.example",
            "policies": [
                {
                    "policy": { "policy-type": "tlsa", "policy-domain": "x.example", "policy-string": ["3 1 1 07"], "mx-host": ["mx.x.example"] },
                    "summary": { "total-successful-session-count": 1, "total-failure-session-count": 0 },
                },
                {
                    "policy": { "policy-type": "sts", "policy-domain": "x.example", "policy-string": ["version: STSv1"], "mx-host": ["mx.x.example"] },
                    "summary": { "total-successful-session-count": 2, "total-failure-session-count": 1 },
                    "failure-details": [{
                        "result-type": "certificate-expired", "receiving-mx-hostname": "mx.x.example", "receiving-ip": "192.0.2.1",
                        "failed-session-count": 1, "failure-reason-code": "it was valid untilyesterday",
                    }],
                },
            ],
        })
    );
    assert!(compose(&US, 20_000, &counted(), "y.example", &[]).unwrap().is_none());
}

#[test]
fn the_mail_carries_the_report() {
    let report = compose(&US, 20_000, &counted(), "x.example", &[]).unwrap().unwrap();
    assert_eq!(report.file, "mx.us.example!x.example!1728000000!1728086399.json.gz");
    let mail = mail(&US, &report, "rua@x.example", "Fri, 4 Oct 2024 00:10:00 +0000", "1A");
    let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    assert_eq!(parsed.attachment(0).unwrap().contents(), report.gz);
    assert!(mail.contains("report-type=\"tlsrpt\"") && mail.contains("TLS-Report-Domain: x.example\r\n"));
    assert!(mail.contains("TLS-Report-Submitter: mx.us.example\r\n") && mail.contains("\r\nTLS-Required: No\r\n"));
    assert!(mail.lines().all(|line| line.len() < 200));
}

#[test]
fn memory_is_bounded() {
    let collector = Collector::default();
    for n in 0..20_000 {
        let (domain, host) = (format!("d{n}.example"), "mx");
        collector.note(NOON, Tried { domain: &domain, basis: Basis::None, host, ip: None, result: Ok(()) });
    }
    let failure = Failure::new(Kind::ValidationFailure, "x");
    for n in 0..1000 {
        let host = format!("mx{n}");
        let tried = Tried { domain: "d1.example", basis: Basis::None, host: &host, ip: None, result: Err(&failure) };
        collector.note(NOON, tried);
    }
    assert_eq!(collector.before(u64::MAX).len(), 10_000);
    let tally = &collector.of(20_000, "d1.example")[&("d1.example".to_owned(), Basis::None)];
    assert_eq!((tally.failures, tally.details.len(), tally.hosts.len()), (1000, 100, 100));
}

#[test]
fn one_record_says_who_wants_it() {
    let of = |texts: &[&str]| destinations(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    let mail = |address: &str| Destination::Mail(crate::mail::Mailbox::parse(address).unwrap());
    let web = Destination::Web("https://x.example/tls".to_owned());
    assert_eq!(of(&["v=TLSRPTv1; rua=mailto:a@x.example,https://x.example/tls"]), [mail("a@x.example"), web]);
    assert_eq!(of(&["v=TLSRPTv1;rua=mailto:a@x.example?subject=x"]), [mail("a@x.example")]);
    let one = "v=TLSRPTv1;rua=mailto:a@x.example";
    for none in [
        &[one, one][..],
        &["v=TLSRPTv2;rua=mailto:a@x.example"],
        &["v=TLSRPTv1"],
        &["v=TLSRPTv1;rua=http://x.example/"],
        &[],
    ] {
        assert_eq!(of(none), [], "{none:?}");
    }
}

#[tokio::test]
async fn counts_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let kept = Kept::under(dir.path());
    let (first, failure) = (Collector::default(), Failure::new(Kind::CertificateExpired, "old"));
    kept.resume(&first);
    let tried = |basis, result| Tried { domain: "x.example", basis, host: "mx.x.example", ip: None, result };
    first.note(NOON, tried(Basis::Tlsa(vec!["3 1 1 07".to_owned()]), Ok(())));
    first.note(NOON, tried(Basis::Sts, Err(&failure)));
    kept.keep(&first).await;
    let second = Collector::default();
    kept.resume(&second);
    second.note(NOON, tried(Basis::Sts, Err(&failure)));
    let day = second.of(20_000, "x.example");
    assert_eq!(day[&("x.example".to_owned(), Basis::Sts)].failures, 2);
    assert_eq!(day.len(), 2, "{day:?}");
    kept.keep(&second).await;
    // What makes no sense keeps nobody from counting.
    std::fs::write(dir.path().join("tls-reports.json"), "[{").unwrap();
    let third = Collector::default();
    kept.resume(&third);
    third.note(NOON, tried(Basis::None, Ok(())));
    kept.keep(&third).await;
    let fourth = Collector::default();
    kept.resume(&fourth);
    assert_eq!(fourth.of(20_000, "x.example").len(), 1);
}
