//! The trace field that every door adds (RFC 5321 4.4, RFC 3848, RFC 6531 4.3, RFC 6710 4.1).

use crate::mail::{Domain, Door, Envelope, Id, Origin, Timestamp};
use std::fmt::Write;
use std::net::IpAddr;

/// What the trace field needs beside the envelope.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// Our name.
    pub hostname: &'a str,
    /// Where the message comes from.
    pub origin: &'a Origin,
    /// Whether the client said EHLO or LHLO.
    pub extended: bool,
    /// The id.
    pub id: Id,
    /// The time of reception.
    pub time: Timestamp,
}

impl Trace<'_> {
    /// The value of the Received field.
    pub fn value(&self, envelope: &Envelope) -> String {
        let mut value = String::new();
        if let Some(from) = self.from() {
            let _ = write!(value, "from {from} ");
        }
        let _ = write!(value, "by {} (Mailsluice) with {}", self.hostname, self.with(envelope));
        if let Some(tls) = &self.origin.tls {
            let _ = write!(value, " ({})", format!("{} {}", tls.version, tls.cipher).trim_end());
        }
        let _ = write!(value, " id {}", self.id);
        // With more than one recipient, `for` would tell each of the others.
        if let [only] = envelope.recipients.as_slice() {
            let _ = write!(value, " for {}", only.original.as_ref().unwrap_or(&only.path));
        }
        if let Some(priority) = envelope.priority {
            let _ = write!(value, " PRIORITY {priority}");
        }
        let _ = write!(value, "; {}", self.time.rfc5322());
        value
    }

    fn from(&self) -> Option<String> {
        let client = self.origin.client?;
        let literal = match client.to_canonical() {
            IpAddr::V4(ip) => format!("[{ip}]"),
            IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
        };
        let info = match &self.origin.client_name {
            Some(name) => format!("({name} {literal})"),
            None => format!("({literal})"),
        };
        // What is no domain can't stand as one; the client's address says enough.
        let helo = self.origin.helo.as_deref().filter(|h| Domain::parse(h).is_ok());
        Some(format!("{} {info}", helo.unwrap_or("unknown")))
    }

    fn with(&self, envelope: &Envelope) -> String {
        let base = match (self.origin.door, self.extended, envelope.smtputf8) {
            (Door::Lmtp, _, false) => "LMTP",
            (Door::Lmtp, _, true) => "UTF8LMTP",
            (Door::Smtp, _, true) => "UTF8SMTP",
            (Door::Smtp, true, false) => "ESMTP",
            // The registry knows it without suffixes alone.
            (Door::Smtp, false, false) => return "SMTP".to_owned(),
            (Door::Pickup | Door::Send | Door::Sink | Door::Dsn, ..) => return "local".to_owned(),
        };
        let tls = if self.origin.tls.is_some() { "S" } else { "" };
        let auth = if self.origin.auth.is_some() { "A" } else { "" };
        format!("{base}{tls}{auth}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{ForwardPath, Recipient, ReversePath, Standing};

    fn envelope(recipients: &[&str]) -> Envelope {
        let mut envelope = Envelope::new(ReversePath::Null);
        envelope.recipients =
            recipients.iter().map(|r| Recipient::new(ForwardPath::parse(r).unwrap(), Standing::Local)).collect();
        envelope
    }

    fn tls() -> std::sync::Arc<crate::mail::TlsFacts> {
        let (version, cipher) = ("TLSv1.3".to_owned(), "TLS_AES_256_GCM_SHA384".to_owned());
        std::sync::Arc::new(crate::mail::TlsFacts { version, cipher, ..Default::default() })
    }

    #[test]
    fn the_keywords_of_the_registry() {
        let mut origin = Origin::door(Door::Smtp);
        let mut envelope = envelope(&[]);
        let with = |origin: &Origin, envelope: &Envelope, extended| {
            Trace { hostname: "mx", origin, extended, id: Id(0), time: Timestamp(0) }.with(envelope)
        };
        assert_eq!(with(&origin, &envelope, false), "SMTP");
        assert_eq!(with(&origin, &envelope, true), "ESMTP");
        origin.tls = Some(tls());
        assert_eq!(with(&origin, &envelope, true), "ESMTPS");
        assert_eq!(with(&origin, &envelope, false), "SMTP");
        origin.auth = Some("alice".into());
        assert_eq!(with(&origin, &envelope, true), "ESMTPSA");
        envelope.smtputf8 = true;
        assert_eq!(with(&origin, &envelope, true), "UTF8SMTPSA");
        origin = Origin::door(Door::Lmtp);
        assert_eq!(with(&origin, &envelope, true), "UTF8LMTP");
        envelope.smtputf8 = false;
        origin.tls = Some(tls());
        assert_eq!(with(&origin, &envelope, true), "LMTPS");
    }

    #[test]
    fn one_recipient_is_named_and_two_are_not() {
        let mut origin = Origin::door(Door::Smtp);
        origin.client = "2001:db8::1".parse().ok();
        origin.helo = Some("not_a_domain".into());
        let trace =
            Trace { hostname: "mx.example.com", origin: &origin, extended: true, id: Id(1), time: Timestamp(0) };
        let value = trace.value(&envelope(&["a@example.com"]));
        assert_eq!(
            value,
            "from unknown ([IPv6:2001:db8::1]) by mx.example.com (Mailsluice) with ESMTP id 0000000000001 for <a@example.com>; Thu, 01 Jan 1970 00:00:00 +0000"
        );
        assert!(!trace.value(&envelope(&["a@example.com", "b@example.com"])).contains(" for "));
        origin.tls = Some(tls());
        let trace = Trace { hostname: "mx", origin: &origin, extended: true, id: Id(1), time: Timestamp(0) };
        let told = "by mx (Mailsluice) with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id ";
        assert!(trace.value(&envelope(&[])).contains(told));
    }
}
