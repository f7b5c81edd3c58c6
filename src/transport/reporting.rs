//! Reports of our own: who is owed one of what came of a pass, and how it is submitted with the commit that records it.
//!
//! A report goes to the reverse-path of the message, or to the owner of the list that a recipient came from; one report for all
//! that one attempt has to tell one of them. It enters by `intake`, after `transport.dsn`. What can't be returned, because there is
//! nobody to return it to or the report itself was refused, is kept as badmail, with a note. Nobody fails in silence: of whom neither
//! can be done now is tried again.

use super::dossier::Dossier;
use super::outcome::Outcome;
use super::report::{About, Action, Report, compose, is_owed};
use super::retry;
use crate::intake::track::Stage;
use crate::intake::{Brood, Reported};
use crate::mail::{
    Content, EnhancedCode, Envelope, ForwardPath, Id, Message, Notify, Recipient, Ret, ReversePath, Timestamp,
};
use crate::spool::Entry;
use bytes::Bytes;
use std::io;

/// What has to be told of one pass.
#[derive(Default)]
pub(super) struct News {
    items: Vec<Item>,
    /// Recipients who have failed and whose sender can't be told.
    lost: Vec<(usize, String)>,
}

struct Item {
    index: usize,
    action: Action,
    outcome: Option<Outcome>,
    at: Timestamp,
}

/// Why there is no report.
enum Trouble {
    /// The message can't be read now.
    Now(String),
    /// It can't be made.
    Never(String),
}

impl News {
    /// Notes what became of a recipient, if anybody is owed a report of it.
    pub(super) fn add(&mut self, entry: &Entry, index: usize, action: Action, outcome: Option<Outcome>, at: Timestamp) {
        let Some(recipient) = entry.envelope.recipients.get(index) else { return };
        let sender = sender_of(&entry.envelope, recipient);
        if is_owed(action, sender, recipient) {
            self.items.push(Item { index, action, outcome, at });
        } else if action == Action::Failed && sender.mailbox().is_none() {
            let why = outcome.map_or_else(String::new, |outcome| outcome.to_string());
            self.lost.push((index, why));
        }
    }

    /// Notes that a host has a message whose sender wants to hear of that, unless it wants no reports at all (RFC 2852 4.1.4).
    pub(super) fn add_relayed(&mut self, entry: &Entry, index: usize, outcome: Outcome, at: Timestamp) {
        let Some(recipient) = entry.envelope.recipients.get(index) else { return };
        let never = recipient.notify.is_some_and(|notify| notify == Notify::default());
        if !never && sender_of(&entry.envelope, recipient).mailbox().is_some() {
            self.items.push(Item { index, action: Action::Relayed, outcome: Some(outcome), at });
        }
    }
}

/// The reverse-path that holds for a recipient.
pub(super) fn sender_of<'a>(envelope: &'a Envelope, recipient: &'a Recipient) -> &'a ReversePath {
    recipient.sender.as_ref().unwrap_or(&envelope.sender)
}

impl Dossier {
    /// Submits the reports that are owed, and keeps what can't be returned. Returns those who have failed and of whom neither could
    /// be done: they must not come to an end.
    #[must_use]
    pub(super) async fn report(&mut self, news: News, brood: &mut Brood) -> Vec<usize> {
        let News { mut items, lost } = news;
        let mut untold = Vec::new();
        if !lost.is_empty() {
            untold = self.keep_bad(lost, "its sender is the null reverse-path, which nobody reports to").await;
        }
        while let Some(sender) = items.first().map(|item| self.sender(item.index)) {
            let (these, others): (Vec<Item>, Vec<Item>) =
                items.into_iter().partition(|item| self.sender(item.index) == sender);
            items = others;
            untold.extend(self.report_to(&sender, these, brood).await);
        }
        untold
    }

    fn sender(&self, index: usize) -> ReversePath {
        let envelope = &self.entry().envelope;
        envelope.recipients.get(index).map_or_else(|| envelope.sender.clone(), |r| sender_of(envelope, r).clone())
    }

    async fn report_to(&mut self, sender: &ReversePath, items: Vec<Item>, brood: &mut Brood) -> Vec<usize> {
        let failed: Vec<(usize, String)> = items
            .iter()
            .filter(|item| item.action == Action::Failed)
            .map(|item| (item.index, item.outcome.as_ref().map_or_else(String::new, Outcome::to_string)))
            .collect();
        let id = self.entry().id;
        let why = match self.submit_report(sender, &items, brood).await {
            Ok(Reported::Accepted | Reported::Suppressed) => return Vec::new(),
            Ok(Reported::Refused(reply)) => format!("the report to {sender} was refused: {reply}"),
            Err(Trouble::Never(why)) => why,
            // What can't be read now may be read in a moment: badmail is for what nobody can be told of.
            Err(Trouble::Now(why)) => {
                tracing::error!(%id, "{why}; it will be tried again");
                return failed.into_iter().map(|(index, _)| index).collect();
            }
        };
        tracing::error!(%id, "{why}");
        match failed.is_empty() {
            true => Vec::new(),
            false => self.keep_bad(failed, &why).await,
        }
    }

    async fn submit_report(
        &mut self,
        sender: &ReversePath,
        items: &[Item],
        brood: &mut Brood,
    ) -> Result<Reported, Trouble> {
        let Some(mailbox) = sender.mailbox().cloned() else { return Ok(Reported::Suppressed) };
        let message = self.message().await.map_err(|outcome| {
            let why = format!("no report to {sender}: {outcome}");
            if matches!(outcome, Outcome::Failed(_)) { Trouble::Never(why) } else { Trouble::Now(why) }
        })?;
        let id = self.queue.ids.next(self.queue.clock.now().0);
        let composed = self.compose(id, sender, items, &message);
        let composed = composed.map_err(|error| {
            let why = format!("no report to {sender}: the message can't be read: {error}");
            let is_damaged = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
            if is_damaged { Trouble::Never(why) } else { Trouble::Now(why) }
        })?;
        let snapshot = &self.snapshot;
        let path = ForwardPath::Mailbox(mailbox);
        let standing = snapshot.directory.standing(&path, None, true);
        let mut envelope = Envelope::new(ReversePath::Null);
        envelope.recipients.push(Recipient::new(path, standing));
        (envelope.body, envelope.smtputf8) = (composed.body, composed.smtputf8);
        // What a report tells is as secret as what it is about (RFC 8689 5), and as urgent (RFC 6710 4.4).
        let about = &self.entry().envelope;
        (envelope.require_tls, envelope.priority) = (about.require_tls, about.priority);
        let message = Message::split(&composed.content, composed.header_len);
        let message = message.map_err(|error| Trouble::Never(error.to_string()))?;
        let nursery = self.queue.nursery(snapshot);
        let reported = nursery.report(id, self.entry().id, envelope, message, brood).await;
        self.track(Stage::Reported, |step| {
            (step.sender, step.other) = (Some(sender.as_str().into()), Some(id));
            step.reply = match &reported {
                Reported::Accepted => None,
                Reported::Suppressed => Some("suppressed by a sink".to_owned()),
                Reported::Refused(reply) => Some(reply.to_string()),
            };
        });
        Ok(reported)
    }

    fn compose(
        &self,
        id: Id,
        sender: &ReversePath,
        items: &[Item],
        message: &Message,
    ) -> io::Result<super::report::Composed> {
        let (entry, settings) = (self.entry(), &self.snapshot.settings);
        let mut envelope = entry.envelope.clone();
        envelope.sender = sender.clone();
        if envelope.require_tls {
            envelope.ret = Some(Ret::Hdrs);
        }
        let since = entry.waits_since();
        let recipients = items.iter().filter_map(|item| {
            let details = item.outcome.as_ref().map(Outcome::details);
            Some(About {
                recipient: envelope.recipients.get(item.index)?,
                action: item.action,
                status: item.outcome.as_ref().map_or(EnhancedCode(2, 0, 0), Outcome::status),
                reply: details.map(|details| &details.reply),
                remote: details.and_then(|details| details.remote.as_deref()),
                last_attempt: details.map(|_| item.at),
                retry_until: (item.action == Action::Delayed)
                    .then(|| retry::end(self.schedule(item.index, "", None), since)),
            })
        });
        let report = Report {
            id,
            about_id: entry.id,
            hostname: &settings.hostname,
            now: self.queue.clock.now(),
            envelope: &envelope,
            origin: &entry.origin,
            arrived: entry.received,
            message,
            recipients: recipients.collect(),
        };
        compose(&report, &settings.dsn)
    }

    /// Keeps a message that failed and can't be returned. Returns those of whom it failed if it could not be kept.
    async fn keep_bad(&mut self, failed: Vec<(usize, String)>, why: &str) -> Vec<usize> {
        let id = self.entry().id;
        let content = match self.message().await {
            Ok(message) => message.content(),
            // The note is all that can be kept.
            Err(Outcome::Failed(_)) => Content::from(Bytes::new()),
            Err(outcome) => {
                tracing::error!(%id, "badmail could not be kept, and will be tried again: {outcome}");
                return failed.into_iter().map(|(index, _)| index).collect();
            }
        };
        let entry = self.taken.entry.clone();
        let mut note = format!("Message {id} of {} failed, and could not be returned: {why}.\n", entry.envelope.sender);
        for (index, outcome) in &failed {
            if let Some(recipient) = entry.envelope.recipients.get(*index) {
                note.push_str(&format!("{}: {outcome}\n", recipient.path));
            }
        }
        let badmail = self.queue.badmail.clone();
        let kept = tokio::task::spawn_blocking(move || badmail.keep(&content, &note, &id.to_string())).await;
        match kept.map_err(io::Error::other).and_then(|kept| kept) {
            Ok(path) => {
                tracing::warn!(%id, path = %path.display(), "kept as badmail: {why}");
                Vec::new()
            }
            Err(error) => {
                tracing::error!(%id, %error, "badmail could not be kept, and will be tried again: {why}");
                failed.into_iter().map(|(index, _)| index).collect()
            }
        }
    }
}
