//! A day as a report: JSON (RFC 8460 4.4), compressed (5.2), and as a mail (5.3).

use super::collect::{Basis, Day, Detail, Tally, start_of};
use crate::mail::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Who reports.
#[derive(Clone, Debug)]
pub struct Ourselves<'a> {
    /// `tls-reports.organization`.
    pub organization: &'a str,
    /// `tls-reports.contact`: an address.
    pub contact: &'a str,
    /// Our host.
    pub hostname: &'a str,
}

/// The report of a day on one domain.
#[derive(Clone, Debug)]
pub struct DayReport {
    /// Whom it is about.
    pub domain: String,
    /// The report's own id.
    pub id: String,
    /// The name of its file.
    pub file: String,
    /// JSON, compressed by gzip.
    pub gz: Vec<u8>,
}

/// The report on one domain, out of a day; none if the day has nothing of it. `sts`: the lines of its policy of MTA-STS.
pub fn compose(
    us: &Ourselves<'_>,
    day: u64,
    counts: &Day,
    domain: &str,
    sts: &[String],
) -> io::Result<Option<DayReport>> {
    let ours = counts.iter().filter(|((of, _), _)| of == domain);
    let policies: Vec<Value> = ours.map(|((_, basis), tally)| policy(domain, basis, tally, sts)).collect();
    if policies.is_empty() {
        return Ok(None);
    }
    let (begin, end) = (start_of(day), start_of(day + 1));
    let id = format!("{}.{domain}@{}", begin.0 / 1000, us.hostname);
    let report = json!({
        "organization-name": us.organization,
        "date-range": { "start-datetime": date(begin), "end-datetime": date(Timestamp(end.0 - 1000)) },
        "contact-info": us.contact,
        "report-id": id,
        "policies": policies,
    });
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(report.to_string().as_bytes())?;
    let file = format!("{}!{domain}!{}!{}.json.gz", us.hostname, begin.0 / 1000, end.0 / 1000 - 1);
    Ok(Some(DayReport { domain: domain.to_owned(), id, file, gz: gz.finish()? }))
}

fn policy(domain: &str, basis: &Basis, tally: &Tally, sts: &[String]) -> Value {
    let (kind, text) = match basis {
        Basis::Tlsa(records) => ("tlsa", records.as_slice()),
        Basis::Sts => ("sts", sts),
        Basis::None => ("no-policy-found", &[][..]),
    };
    let mut policy = json!({ "policy-type": kind, "policy-domain": domain });
    if !text.is_empty() {
        policy["policy-string"] = json!(text);
    }
    if !tally.hosts.is_empty() {
        policy["mx-host"] = json!(tally.hosts);
    }
    let details: Vec<Value> =
        tally.details.iter().map(|(detail, (count, text))| failure(detail, *count, text)).collect();
    let summary = json!({
        "total-successful-session-count": tally.successes,
        "total-failure-session-count": tally.failures,
    });
    let mut all = json!({ "policy": policy, "summary": summary });
    if !details.is_empty() {
        all["failure-details"] = json!(details);
    }
    all
}

fn failure(detail: &Detail, count: u64, text: &str) -> Value {
    let mut told = json!({
        "result-type": detail.kind,
        "receiving-mx-hostname": detail.host,
        "failed-session-count": count,
        "failure-reason-code": text.chars().filter(|c| !c.is_control()).take(200).collect::<String>(),
    });
    if let Some(ip) = detail.ip {
        told["receiving-ip"] = json!(ip);
    }
    told
}

/// RFC 3339, in UTC.
fn date(time: Timestamp) -> String {
    let seconds = i64::try_from(time.0 / 1000).unwrap_or_default();
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

/// The report as a mail to `to` (RFC 8460 5.3). It has to arrive even where TLS fails, for that is what it tells of: it asks for none
/// (RFC 8689 3). `date` and `id`: of its header.
pub fn mail(us: &Ourselves<'_>, report: &DayReport, to: &str, date: &str, id: &str) -> String {
    let DayReport { domain, file, gz, .. } = report;
    let (submitter, contact) = (us.hostname, us.contact);
    let boundary = format!("tls-report-{id}");
    let encoded = STANDARD.encode(gz);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let body = lines.join("\r\n");
    format!(
        "From: <{contact}>\r\nTo: <{to}>\r\nDate: {date}\r\nMessage-ID: <{id}@{submitter}>\r\n\
         Subject: Report Domain: {domain} Submitter: {submitter} Report-ID: <{id}@{submitter}>\r\n\
         TLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {submitter}\r\nTLS-Required: No\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         This is a report on the TLS of mail that {submitter} sent to {domain} (RFC 8460).\r\n\
         --{boundary}\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{file}\"\r\n\r\n{body}\r\n--{boundary}--\r\n"
    )
}
