//! The submission role (RFC 6409): who may send as whom, and what is mended in a message before anybody else sees it.
//!
//! All of it is for submission listeners alone: what comes in by another role is taken as it is.
//!
//! # Layout
//! * [`rights`]: the sender addresses of a user; [`repair`]: the header

mod repair;
mod rights;

use super::ask::Asker;
use crate::config::listener::{SenderCheck, Submission};
use crate::mail::{EnhancedCode, ForwardPath, Reply, ReversePath};
use repair::Mender;
use rights::Rights;

/// RFC 6409 4.2.
const SENDER_DOMAIN: Reply =
    Reply::new(554, EnhancedCode(5, 1, 8), "The domain of your address is one word; give it in full");
const RECIPIENT_DOMAIN: Reply =
    Reply::new(554, EnhancedCode(5, 1, 2), "The domain of this address is one word; give it in full");
/// RFC 6409 6.1.
const NOT_YOUR_ADDRESS: Reply = Reply::new(553, EnhancedCode(5, 7, 1), "You may not send from this address");

impl Asker {
    /// The settings of the listener, if its role is submission.
    fn submission(&self) -> Option<Submission> {
        self.snapshot.settings.listeners.get(self.listener)?.submission
    }

    /// Why a MAIL is refused, whatever sinks would say of it.
    pub(super) fn sender_refusal(&self, sender: &ReversePath) -> Option<Reply> {
        let submission = self.submission()?;
        let directory = &self.snapshot.directory;
        if directory.is_unqualified_sender(sender) {
            return Some(SENDER_DOMAIN);
        }
        let rights = self.rights(submission)?;
        // Reports of mail programs (RFC 8098) have no sender and are anybody's.
        let allowed = sender.mailbox().is_none_or(|address| rights.allow(address, directory));
        (!allowed).then_some(NOT_YOUR_ADDRESS)
    }

    /// Why a RCPT is refused.
    pub(super) fn recipient_refusal(&self, path: &ForwardPath) -> Option<Reply> {
        self.submission()?;
        self.snapshot.directory.is_unqualified_recipient(path).then_some(RECIPIENT_DOMAIN)
    }

    /// Mends the header of the message that has just come in. The reply refuses what can't be mended.
    pub(super) fn repair(&mut self) -> Result<(), Reply> {
        let Some(submission) = self.submission().filter(|s| s.repair_headers) else { return Ok(()) };
        let rights = self.rights(submission);
        let Some(mail) = &self.mail else { return Ok(()) };
        let snapshot = mail.snapshot.clone();
        let mender = Mender {
            directory: &snapshot.directory,
            hostname: snapshot.settings.hostname.as_str(),
            id: mail.transaction.id,
            now: mail.transaction.started,
            rights: rights.as_ref(),
            sender: mail.transaction.letter.envelope.sender.clone(),
        };
        let Some(mut message) = mail.transaction.letter.message.clone() else { return Ok(()) };
        let changed = mender.mend(&mut message.header)?;
        if !changed.is_empty() {
            tracing::debug!(id = %mail.transaction.id, fields = changed.join(", "), "header repaired");
            message.separated = true;
            if let Some(mail) = &mut self.mail {
                mail.transaction.letter_mut().message = Some(message);
            }
        }
        Ok(())
    }

    /// From where the authenticated user may send. None: nobody has authenticated, or it is not checked.
    fn rights(&self, submission: Submission) -> Option<Rights> {
        let user = self.origin.auth.clone().filter(|_| submission.sender_check == SenderCheck::LoginMatch)?;
        Some(Rights { listed: self.senders.clone(), user })
    }
}
