//! Sends the reports of each day once it is over: by mail through intake, or by POST (RFC 8460 5).
//!
//! A report that can't be sent is logged and gone: the next day has its own. The mail is not signed; whoever wants that binds a sink.

use super::collect::{Collector, Day, day_of};
use super::compose::{DayReport, Ourselves, compose, mail};
use super::destination::{Destination, destinations};
use crate::config::tls_reports::TlsReports;
use crate::event::host::{Http, HttpBody, HttpRequest, Resolver};
use crate::event::{Ledger, Transaction};
use crate::intake::{Intake, Receipt, Submission};
use crate::mail::{Door, Envelope, ForwardPath, Mailbox, Message, Origin, Recipient, ReversePath, Standing};
use crate::snapshot::{Current, Snapshot};
use crate::transport::security::sts::Sts;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a day is over.
const LOOK: Duration = Duration::from_secs(15 * 60);
/// For a POST.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends reports.
pub struct Reporter {
    /// What there is to report.
    pub collector: Collector,
    /// Asked who wants it.
    pub resolver: Arc<dyn Resolver>,
    /// For those who want it by POST; none: they get nothing.
    pub http: Option<Arc<dyn Http>>,
    /// Has the policies that are reported on.
    pub sts: Option<Arc<Sts>>,
    /// Takes the mails.
    pub intake: Arc<Intake>,
    /// The settings in force.
    pub current: Arc<Current>,
}

impl Reporter {
    /// Works until the server stops.
    pub async fn run(self, stopping: CancellationToken) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK) => self.look().await,
            }
        }
    }

    /// Sends what is due now.
    pub async fn look(&self) {
        let days = self.collector.take_before(day_of(self.intake.clock.now()));
        let snapshot = self.current.pin();
        let Some(settings) = &snapshot.settings.tls_reports else { return };
        for (day, counts) in days {
            let domains: BTreeSet<&str> = counts.keys().map(|(domain, _)| domain.as_str()).collect();
            for domain in domains {
                self.report(&snapshot, settings, day, &counts, domain).await;
            }
        }
    }

    async fn report(&self, snapshot: &Snapshot, settings: &TlsReports, day: u64, counts: &Day, domain: &str) {
        let wanted = destinations(&self.resolver.texts(&format!("_smtp._tls.{domain}")).await.unwrap_or_default());
        if wanted.is_empty() {
            return;
        }
        let sts = self.sts.as_ref().map(|sts| sts.lines(domain)).unwrap_or_default();
        let us = Ourselves {
            organization: &settings.organization,
            contact: settings.contact.as_str(),
            hostname: snapshot.settings.hostname.as_str(),
        };
        let report = match compose(&us, day, counts, domain, &sts) {
            Ok(Some(report)) => report,
            Ok(None) => return,
            Err(error) => return tracing::error!(%domain, %error, "a TLS report can't be composed"),
        };
        for place in wanted {
            match &place {
                Destination::Mail(to) => self.by_mail(snapshot, settings, &us, &report, to).await,
                Destination::Web(url) => self.by_post(&report, url).await,
            }
        }
    }

    async fn by_mail(
        &self,
        snapshot: &Snapshot,
        settings: &TlsReports,
        us: &Ourselves<'_>,
        report: &DayReport,
        to: &Mailbox,
    ) {
        let (id, now) = (self.intake.next_id(), self.intake.clock.now());
        let text = mail(us, report, to.as_str(), &now.rfc5322(), &id.to_string());
        let mut envelope = Envelope::new(ReversePath::Mailbox(settings.contact.clone()));
        envelope.recipients.push(Recipient::new(ForwardPath::Mailbox(to.clone()), Standing::Relay));
        let ledger = Ledger { generation: snapshot.generation, ..Ledger::default() };
        let mut transaction = Transaction::new(id, now, envelope, ledger);
        transaction.letter_mut().message = Some(Message::from_bytes(Bytes::from(text)));
        let submission = Submission {
            snapshot,
            origin: &Origin::door(Door::Dsn),
            session: None,
            transaction: &mut transaction,
            extended: false,
            mark: None,
            each: false,
        };
        let domain = &report.domain;
        match self.intake.accept(submission).await {
            Receipt::Accepted => tracing::info!(%id, %domain, %to, "a TLS report of ours"),
            Receipt::Refused(reply) => tracing::warn!(%domain, %to, %reply, "a TLS report was refused by ourselves"),
        }
    }

    async fn by_post(&self, report: &DayReport, url: &str) {
        let Some(http) = &self.http else { return };
        let mut request = HttpRequest::new("POST", url);
        request.headers.push(("content-type".to_owned(), "application/tlsrpt+gzip".to_owned()));
        request.body = HttpBody::Bytes(Bytes::from(report.gz.clone()));
        request.timeout = PATIENCE;
        let domain = &report.domain;
        match http.fetch(request).await {
            Ok(response) if (200..300).contains(&response.status) => {
                tracing::info!(%domain, "a TLS report of ours was taken")
            }
            Ok(response) => tracing::warn!(%domain, status = response.status, "a TLS report of ours was refused"),
            Err(fault) => tracing::warn!(%domain, %fault, "a TLS report can't be sent"),
        }
    }
}
