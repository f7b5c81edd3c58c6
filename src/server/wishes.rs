//! What a client asks of the way of its message (RFC 4865, RFC 2852, RFC 6710, RFC 8689), granted as the listener's settings allow.

use super::ask::Asker;
use crate::config::listener::Extensions;
use crate::event::Transaction;
use crate::mail::{By, ByMode, DeliverBy, EnhancedCode, Priority, Reply, Timestamp};
use crate::smtp::{MailCommand, Profile};
use std::sync::Arc;
use std::time::Duration;

impl Asker {
    /// Puts what is granted on the transaction. The error refuses MAIL.
    pub(super) fn grant(&mut self, command: &MailCommand) -> Result<(), Reply> {
        let trusted = self.is_trusted();
        let Some(mail) = &mut self.mail else { return Ok(()) };
        let unset = Extensions::default();
        let listener = mail.snapshot.settings.listeners.get(self.listener);
        let offered = listener.map_or(&unset, |listener| &listener.extensions);
        let now = mail.transaction.started;
        let hold = command.hold.map(|hold| within(hold.until(now), now, offered.future_release)).transpose()?;
        let by = command.by.map(|by| possible(by, offered.deliver_by)).transpose()?;
        let letter = mail.transaction.letter_mut();
        letter.envelope.hold = hold;
        // What is held can't be delivered before: its time begins when it is released (RFC 4865 7).
        letter.envelope.deliver_by = by.map(|by| DeliverBy::new(by, hold.map_or(now, |until| until.max(now))));
        // Whoever goes last harms nobody.
        let granted = |wanted: &Priority| if trusted { *wanted } else { (*wanted).min(Priority::default()) };
        letter.envelope.priority = command.priority.as_ref().map(granted);
        letter.envelope.require_tls = command.require_tls;
        crate::intake::set_priority(letter);
        Ok(())
    }

    /// Whether the client may have its mail go before that of others.
    fn is_trusted(&self) -> bool {
        let relays = |client| self.snapshot.directory.relays_from(client);
        self.origin.auth.is_some() || self.origin.client.is_some_and(relays)
    }

    /// The profile with the time until which a message may be held now (RFC 4865 4).
    pub(super) fn dated(&self, profile: &Arc<Profile>) -> Arc<Profile> {
        let listener = self.snapshot.settings.listeners.get(self.listener);
        let most = listener.and_then(|listener| listener.extensions.future_release);
        let Some(most) = most.filter(|_| profile.extensions.offers("FUTURERELEASE")) else { return profile.clone() };
        let mut own = Profile::clone(profile);
        let horizon = horizon(most, self.server.intake.clock.now());
        if let Err(error) = own.extensions.set_keyword("FUTURERELEASE", Some(&horizon)) {
            tracing::error!(%error, "FUTURERELEASE can't be announced");
        }
        Arc::new(own)
    }
}

/// 250 with the priority that the message has, if it is not the one that was asked for (RFC 6710 4.1 and 7).
pub(super) fn changed_priority(command: &MailCommand, transaction: &Transaction) -> Option<Reply> {
    let wanted = command.priority?.level();
    let set = transaction.letter.properties.get("queue", "priority").and_then(serde_json::Value::as_i64);
    let has = set.unwrap_or_default();
    let text = || format!("{has} is the priority that this message has; {wanted} was not granted");
    (has != i64::from(wanted)).then(|| Reply::foreign(250, Some(EnhancedCode(2, 3, 6)), &text()))
}

/// The longest hold, as an interval and as a point in time (RFC 4865 4).
fn horizon(most: Duration, now: Timestamp) -> String {
    format!("{} {}", most.as_secs(), now.plus(most).rfc3339_seconds())
}

/// A hold that ends in time.
fn within(until: Timestamp, now: Timestamp, most: Option<Duration>) -> Result<Timestamp, Reply> {
    let most = most.unwrap_or_default();
    // A clock that is a little ahead of ours is not the user's fault.
    if until > now.plus(most).plus(Duration::from_secs(1)) {
        let text = format!("Held for too long; the longest time here is {} seconds", most.as_secs());
        return Err(Reply::foreign(501, Some(EnhancedCode(5, 5, 4)), &text));
    }
    Ok(until)
}

/// A time in which the message may arrive.
fn possible(by: By, least: Option<Duration>) -> Result<By, Reply> {
    let least = least.unwrap_or_default().as_secs();
    if by.mode == ByMode::Return && i64::from(by.seconds) < i64::try_from(least).unwrap_or(i64::MAX) {
        let text = format!("BY with R is accepted from {least} seconds on");
        return Err(Reply::foreign(555, Some(EnhancedCode(5, 5, 4)), &text));
    }
    Ok(by)
}
