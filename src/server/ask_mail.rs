//! The questions about a transaction: MAIL, RCPT, DATA, the header, the message, its size.

use super::answer;
use super::ask::Asker;
use super::guard;
use super::mail::OpenMail;
use super::verify::Verified;
use super::wishes;
use crate::event::transaction::Candidate;
use crate::event::{Answer as SinkAnswer, Decision, Event, Focus, Transaction};
use crate::intake::{Mark, Receipt, Submission};
use crate::mail::{Envelope, ForwardPath, Recipient, Reply, Role, Standing};
use crate::smtp::{Answer, MailCommand, RcptCommand};

/// Entries about the session, the latest, that a transaction's ledger begins with.
const SESSION_ENTRIES: usize = 50;

impl Asker {
    /// MAIL: opens the transaction.
    pub(super) async fn mail(&mut self, command: MailCommand) -> Answer {
        self.begin(&command);
        if let Some(reply) = self.sender_refusal(&command.sender) {
            self.trailing = 1;
            return self.guarded(Event::InMail, "MAIL", reply);
        }
        let room = self.server.room.refusal(command.size, &self.snapshot.settings, &*self.server.intake.spool);
        let answer = match room {
            Some(reply) => self.guarded(Event::InMail, "MAIL", reply),
            None => match self.grant(&command) {
                Err(reply) => self.guarded(Event::InMail, "MAIL", reply),
                Ok(()) => {
                    let decision = self.raise(Event::InMail, Focus::None).await;
                    self.settle(decision)
                }
            },
        };
        if answer != Answer::Go {
            self.trailing = 1;
            return answer;
        }
        let changed = self.mail.as_ref().and_then(|mail| wishes::changed_priority(&command, &mail.transaction));
        changed.map_or(answer, Answer::Say)
    }

    /// Opens the transaction, unless the size question of the same MAIL has done so.
    fn begin(&mut self, command: &MailCommand) {
        if self.mail.is_some() {
            return;
        }
        let newest = self.server.current.pin();
        if newest.generation != self.snapshot.generation && newest.offers_as(&self.snapshot, self.listener) {
            self.snapshot = newest;
            self.renew_profile();
        }
        let mut envelope = Envelope::new(command.sender.clone());
        envelope.body = command.body;
        envelope.smtputf8 = command.smtputf8;
        envelope.size = command.size;
        envelope.ret = command.ret;
        envelope.envid.clone_from(&command.envid);
        envelope.params.clone_from(&command.claimed);
        // What was said of the session goes with each of its transactions; the rest of it is of no further use.
        self.state
            .ledger
            .entries
            .retain(|entry| matches!(entry.event, Event::InConnect | Event::InTls | Event::InHelo));
        let mut ledger = self.state.ledger.clone();
        ledger.entries.drain(..ledger.entries.len().saturating_sub(SESSION_ENTRIES));
        ledger.generation = self.snapshot.generation;
        let intake = &self.server.intake;
        let transaction = Transaction::new(intake.next_id(), intake.clock.now(), envelope, ledger);
        self.mail = Some(OpenMail::new(transaction, self.snapshot.clone()));
        self.note_forwarded();
    }

    /// A decision becomes an answer; one about the whole transaction becomes its mark.
    fn settle(&mut self, decision: Decision) -> Answer {
        match answer::of_transaction(decision) {
            Err(answer) => answer,
            Ok(mark) => {
                self.mark(mark);
                Answer::Go
            }
        }
    }

    /// Marks the transaction as a whole; the first mark counts.
    fn mark(&mut self, mark: Option<Mark>) {
        if let Some(mail) = &mut self.mail {
            mail.mark = mail.mark.take().or(mark);
        }
    }

    /// A guard refuses, and the ledger says so.
    fn guarded(&mut self, event: Event, about: &str, reply: Reply) -> Answer {
        if let Some(mail) = &mut self.mail {
            mail.transaction.ledger.note_guard(event, about, &reply);
        }
        Answer::Refuse(reply)
    }

    /// RCPT: guards, sinks, and the recipient into the envelope.
    pub(super) async fn rcpt(&mut self, command: RcptCommand) -> Answer {
        if let Some(reply) = self.recipient_refusal(&command.path) {
            return self.guarded(Event::InRcpt, command.path.as_str(), reply);
        }
        let Some(mail) = &self.mail else { return answer::lost() };
        let standing = mail.snapshot.directory.standing(&command.path, self.origin.client, self.origin.auth.is_some());
        let (standing, refusal) = match self.verify(&command.path, standing).await {
            Verified::Stands => (standing, guard::refusal(standing)),
            Verified::Unknown(reply) => (Standing::Unknown, Some(reply)),
            Verified::Unanswered(reply) => return self.guarded(Event::InRcpt, command.path.as_str(), reply),
        };
        let mut recipient = Recipient::new(command.path.clone(), standing);
        recipient.notify = command.notify;
        recipient.orcpt = command.orcpt;
        recipient.params = command.claimed;
        let mut candidate = Candidate { recipient, added: Vec::new(), vouched: false };
        let decision = self.raise(Event::InRcpt, Focus::Recipient(&mut candidate)).await;
        let mark = match answer::of_transaction(decision) {
            Ok(mark) => mark,
            Err(refused) => return refused,
        };
        match refusal {
            // What sinks say of a recipient that is not let in must not become of the others.
            Some(reply) if !candidate.vouched => self.guarded(Event::InRcpt, command.path.as_str(), reply),
            _ => {
                self.mark(mark);
                self.admit(command.path, candidate)
            }
        }
    }

    /// Puts the candidate, and what sinks added beside it, into the envelope.
    fn admit(&mut self, path: ForwardPath, candidate: Candidate) -> Answer {
        let Some(mail) = &mut self.mail else { return answer::lost() };
        let directory = &mail.snapshot.directory;
        // What a sink adds it may send anywhere.
        let added = candidate.added.into_iter().map(|p| {
            let standing = directory.standing(&p, None, true);
            Recipient::new(p, standing)
        });
        let recipients = &mut mail.transaction.letter_mut().envelope.recipients;
        recipients.push(candidate.recipient);
        recipients.extend(added);
        mail.accepted.push(path);
        Answer::Go
    }

    /// DATA or the first BDAT.
    pub(super) async fn data(&mut self) -> Answer {
        let draft = self.server.intake.spool.draft();
        let Some(mail) = &mut self.mail else { return answer::lost() };
        mail.start(draft);
        let decision = self.raise(Event::InData, Focus::None).await;
        self.settle(decision)
    }

    /// The header is complete.
    pub(super) async fn headers(&mut self, len: u64) -> Answer {
        let Some(mail) = &mut self.mail else { return answer::lost() };
        mail.header_done(len);
        let decision = self.raise(Event::InHeaders, Focus::None).await;
        self.settle(decision)
    }

    /// The message is complete.
    pub(super) async fn message(&mut self) -> Answer {
        let Some(mail) = &mut self.mail else { return answer::lost() };
        let answer = match mail.complete() {
            Err(fault) => Answer::Refuse(fault.reply()),
            Ok(()) => match self.repair() {
                Err(reply) => self.guarded(Event::InMessage, "header", reply),
                Ok(()) => self.judge().await,
            },
        };
        if let Answer::Refuse(_) | Answer::Close(_) = &answer {
            let lmtp = self.origin.role == Some(Role::Lmtp) && matches!(answer, Answer::Refuse(_));
            self.trailing = if lmtp { self.mail.as_ref().map_or(1, |m| m.accepted.len()) } else { 1 };
        }
        answer
    }

    /// Sinks see the message, and then it is submitted.
    async fn judge(&mut self) -> Answer {
        let decision = self.raise(Event::InMessage, Focus::None).await;
        match self.settle(decision) {
            Answer::Go => self.submit().await,
            refused => refused,
        }
    }

    async fn submit(&mut self) -> Answer {
        let Some(mut mail) = self.mail.take() else { return answer::lost() };
        self.forwarded = None;
        let lmtp = self.origin.role == Some(Role::Lmtp);
        let submission = Submission {
            snapshot: &mail.snapshot,
            origin: &self.origin,
            session: Some(&mut self.state),
            transaction: &mut mail.transaction,
            extended: self.extended,
            mark: mail.mark.take(),
            each: lmtp,
        };
        let server = self.server.clone();
        match server.intake.accept(submission).await {
            Receipt::Refused(reply) => {
                self.mail = Some(mail);
                Answer::Refuse(reply)
            }
            Receipt::Accepted if lmtp => {
                let transaction = &mail.transaction;
                Answer::Each(answer::each(transaction.id, &mail.accepted, &transaction.letter.envelope.recipients))
            }
            Receipt::Accepted => Answer::Say(answer::accepted(mail.transaction.id)),
        }
    }

    /// The message is, or is declared to be, over the limit.
    pub(super) async fn oversize(&mut self, size: u64, declared: Option<Box<MailCommand>>) -> Answer {
        if let Some(command) = &declared {
            self.begin(command);
        }
        let focus = Focus::Oversize { size, declared: declared.is_some() };
        let decision = self.raise(Event::TransportOversize, focus).await;
        let most = self.snapshot.settings.limits.message_size_max;
        let answer = match decision {
            Decision::Answer(SinkAnswer::Limit(limit)) if limit.min(most) >= size => {
                return Answer::Limit(limit.min(most));
            }
            Decision::Reject(reply) | Decision::Defer(reply, _) => Answer::Refuse(reply),
            Decision::Disconnect(reply) => Answer::Close(reply),
            _ => Answer::Go,
        };
        if declared.is_some() {
            self.trailing = 1;
        }
        answer
    }
}
