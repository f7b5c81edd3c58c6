//! Sends the reports of each day once it is over: by mail through intake, or by POST (RFC 8460 5).
//!
//! A report that can't be sent is tried again for a day (RFC 8460 5.5). The mail is not signed; whoever wants that binds a sink.

use super::collect::{Collector, day_of};
use super::compose::{DayReport, Ourselves, compose, mail};
use super::destination::{Destination, destinations};
use super::kept::Kept;
use crate::config::tls_reports::TlsReports;
use crate::event::host::{DnsFault, Http, HttpBody, HttpRequest, Resolver};
use crate::event::{Ledger, Transaction};
use crate::intake::{Intake, Receipt, Submission};
use crate::mail::{Class, Door, Envelope, ForwardPath, Mailbox, Message, Origin, Recipient, ReversePath, Standing};
use crate::snapshot::{Current, Snapshot};
use crate::transport::security::sts::Sts;
use bytes::Bytes;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often what was counted is kept.
const KEEP: Duration = Duration::from_secs(60);
/// How often it is looked whether a day is over, in turns of [`KEEP`].
const LOOK: u32 = 15;
/// So long after a day is over its report is tried again (RFC 8460 5.5), in days.
const TRIED: u64 = 1;
/// For a POST.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends reports.
pub struct Reporter {
    /// What there is to report.
    pub collector: Collector,
    /// Where it lies over a restart.
    pub kept: Option<Kept>,
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

/// Who has got the reports that others are still to get: day, domain, destination.
pub type Done = HashSet<(u64, String, Destination)>;

impl Reporter {
    /// Works until the server stops, and keeps then what was counted.
    pub async fn run(self, stopping: CancellationToken) {
        let (mut done, mut turn) = (Done::new(), 0);
        let work = async {
            loop {
                tokio::time::sleep(KEEP).await;
                turn += 1;
                if turn % LOOK == 0 {
                    self.look(&mut done).await;
                }
                self.keep().await;
            }
        };
        tokio::select! {
            () = stopping.cancelled() => {}
            () = work => {}
        }
        self.keep().await;
    }

    async fn keep(&self) {
        if let Some(kept) = &self.kept {
            kept.keep(&self.collector).await;
        }
    }

    /// Sends what is due now. What could not be sent stays, for a day.
    pub async fn look(&self, done: &mut Done) {
        let today = day_of(self.intake.clock.now());
        for (day, domain) in self.collector.before(today) {
            let snapshot = self.current.pin();
            let last = day + TRIED < today;
            let all_done = match &snapshot.settings.tls_reports {
                Some(settings) => self.report(&snapshot, settings, (day, &domain), done).await,
                None => true,
            };
            if all_done || last {
                self.collector.remove(day, &domain);
                done.retain(|(of, about, _)| (*of, about) != (day, &domain));
            }
        }
    }

    /// Sends a report to all who want it and have not got it. False: somebody is still to get it.
    async fn report(
        &self,
        snapshot: &Snapshot,
        settings: &TlsReports,
        (day, domain): (u64, &str),
        done: &mut Done,
    ) -> bool {
        let records = match self.resolver.texts(&format!("_smtp._tls.{domain}")).await {
            Ok(records) => records,
            Err(DnsFault::Temporary(_)) => return false,
            Err(DnsFault::NotFound | DnsFault::Invalid(_)) => return true,
        };
        let wanted = destinations(&records);
        if wanted.is_empty() {
            return true;
        }
        let sts = self.sts.as_ref().map(|sts| sts.lines(domain)).unwrap_or_default();
        let us = Ourselves {
            organization: &settings.organization,
            contact: settings.contact.as_str(),
            hostname: snapshot.settings.hostname.as_str(),
        };
        let report = match compose(&us, day, &self.collector.of(day, domain), domain, &sts) {
            Ok(Some(report)) => report,
            Ok(None) => return true,
            Err(error) => {
                tracing::error!(%domain, %error, "a TLS report can't be composed");
                return true;
            }
        };
        let mut all = true;
        for place in wanted {
            let key = (day, domain.to_owned(), place);
            if done.contains(&key) {
                continue;
            }
            let sent = match &key.2 {
                Destination::Mail(to) => self.by_mail(snapshot, settings, &us, &report, to).await,
                Destination::Web(url) => self.by_post(&report, url).await,
            };
            if sent {
                done.insert(key);
            }
            all &= sent;
        }
        all
    }

    async fn by_mail(
        &self,
        snapshot: &Snapshot,
        settings: &TlsReports,
        us: &Ourselves<'_>,
        report: &DayReport,
        to: &Mailbox,
    ) -> bool {
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
            Receipt::Accepted => {
                tracing::info!(%id, %domain, %to, "a TLS report of ours");
                true
            }
            Receipt::Refused(reply) => {
                tracing::warn!(%domain, %to, %reply, "a TLS report was refused by ourselves");
                reply.class() == Class::Permanent
            }
        }
    }

    async fn by_post(&self, report: &DayReport, url: &str) -> bool {
        let Some(http) = &self.http else { return true };
        let mut request = HttpRequest::new("POST", url);
        request.headers.push(("content-type".to_owned(), "application/tlsrpt+gzip".to_owned()));
        request.body = HttpBody::Bytes(Bytes::from(report.gz.clone()));
        request.timeout = PATIENCE;
        let domain = &report.domain;
        match http.fetch(request).await {
            Ok(response) if (200..300).contains(&response.status) => {
                tracing::info!(%domain, "a TLS report of ours was taken");
                true
            }
            Ok(response) => {
                tracing::warn!(%domain, status = response.status, "a TLS report of ours was refused, and will be tried again");
                false
            }
            Err(fault) => {
                tracing::warn!(%domain, %fault, "a TLS report can't be sent, and will be tried again");
                false
            }
        }
    }
}
