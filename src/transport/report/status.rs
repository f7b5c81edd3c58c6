//! The part for programs: `message/delivery-status` (RFC 3464 2), or `message/global-delivery-status` (RFC 6533 4).

use super::about::{About, Report};
use super::field::Fields;
use super::{address, host};
use crate::mail::{Reply, Timestamp};
use crate::smtp::xtext;

/// The media type.
pub(super) fn media_type(unicode: bool) -> &'static str {
    if unicode { "message/global-delivery-status" } else { "message/delivery-status" }
}

/// The fields: those of the message, then those of each recipient. `unicode`: they may have more than ASCII.
pub(super) fn status(report: &Report<'_>, unicode: bool) -> String {
    let hostname = host::ours(report.hostname);
    let mut fields = Fields::new(unicode);
    message(report, &hostname, &mut fields);
    for about in &report.recipients {
        fields.end();
        recipient(about, &hostname, unicode, &mut fields);
    }
    fields.into_string()
}

/// RFC 3464 2.2, RFC 4865 8, RFC 2852 5.
fn message(report: &Report<'_>, hostname: &str, fields: &mut Fields) {
    if let Some(envid) = report.envelope.envid.as_deref().and_then(xtext::decode) {
        fields.add("Original-Envelope-Id", &envid);
    }
    fields.add("Reporting-MTA", &host::dns(hostname));
    if let Some(client) = report.origin.helo.as_deref().and_then(host::client) {
        fields.add("Received-From-MTA", &client);
    }
    fields.add("Arrival-Date", &report.arrived.rfc5322());
    if let Some(until) = report.envelope.hold {
        fields.add("Future-Release-Request", &format!("until;{}", until.rfc3339_seconds()));
    }
    if let Some(by) = report.envelope.deliver_by {
        fields.add("Deliver-By-Date", &by.until.rfc5322());
    }
    fields.add("X-Mailsluice-Id", &report.about_id.to_string());
}

/// RFC 3464 2.3.
fn recipient(about: &About<'_>, hostname: &str, unicode: bool, fields: &mut Fields) {
    if let Some(original) = address::original(about.recipient, unicode) {
        fields.add("Original-Recipient", &original);
    }
    fields.add("Final-Recipient", &address::last(&about.recipient.path, hostname, unicode));
    fields.add("Action", about.action.as_str());
    fields.add("Status", &about.status.to_string());
    if let Some(remote) = about.remote.map(host::remote).filter(|host| !host.is_empty()) {
        fields.add("Remote-MTA", &host::dns(remote));
    }
    if let Some(reply) = about.reply {
        diagnostic(reply, fields);
    }
    let mut date = |name, time: Option<Timestamp>| {
        if let Some(time) = time {
            fields.add(name, &time.rfc5322());
        }
    };
    date("Last-Attempt-Date", about.last_attempt);
    date("Will-Retry-Until", about.retry_until);
}

/// The reply as it went over the wire, a line for each of its lines (RFC 3461 9.2).
fn diagnostic(reply: &Reply, fields: &mut Fields) {
    let mut wire = b"smtp; ".to_vec();
    reply.write(&mut wire, true);
    let wire = String::from_utf8_lossy(&wire);
    fields.add_lines("Diagnostic-Code", wire.trim_end_matches("\r\n").split("\r\n"));
}
