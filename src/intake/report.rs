//! Reports of our own, on their way in: heard at `transport.dsn`, then at `transport.submit` like every other message, and
//! committed with what they report.

use super::generate::{Brood, Nursery};
use super::submit::{Mark, decided, entry, refused_by_all};
use super::wishes;
use crate::event::{Decision, Event, Ledger, Stage, Transaction};
use crate::mail::{Door, Envelope, Id, Message, Origin, Reply};
use std::time::Duration;

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Reported {
    /// It is in the brood.
    Accepted,
    /// A sink has it dropped.
    Suppressed,
    /// A sink has refused it.
    Refused(Reply),
}

impl Nursery<'_> {
    /// Submits the report `id` about the message `about`. A deferral at `transport.dsn` lets it wait for so long before it is
    /// sent, a minute if the sink gives no time.
    pub async fn report(&self, id: Id, about: Id, envelope: Envelope, message: Message, brood: &mut Brood) -> Reported {
        let origin = Origin::door(Door::Dsn);
        let now = self.clock.now();
        let ledger = Ledger { generation: self.snapshot.generation, ..Ledger::default() };
        let mut report = Transaction::new(id, now, envelope, ledger);
        let letter = report.letter_mut();
        letter.message = Some(message);
        wishes::set_priority(letter);
        let mut not_before = now;
        let mark = match self.hear(Event::TransportDsn, &mut report, &origin).await {
            Decision::Discard => {
                tracing::info!(%id, %about, "a report was suppressed by a sink");
                return Reported::Suppressed;
            }
            Decision::Hold { reason, place } => Some(Mark::Hold { reason, place }),
            Decision::Defer(_, after) => {
                not_before = now.plus(after.unwrap_or(Duration::from_secs(60)));
                None
            }
            Decision::Proceed | Decision::Answer(_) | Decision::Reject(_) | Decision::Disconnect(_) => None,
        };
        let submitted = decided(self.hear(Event::TransportSubmit, &mut report, &origin).await);
        let mark = match submitted.and_then(|of_submit| refused_by_all(&report).map_or(Ok(of_submit), Err)) {
            Ok(of_submit) => mark.or(of_submit),
            Err(reply) => return Reported::Refused(reply),
        };
        let Some(message) = report.letter.message.clone() else { return Reported::Suppressed };
        match entry(&report, &message, &origin, now, mark, false) {
            Some(mut entry) => {
                entry.recipients.iter_mut().for_each(|state| state.next = state.next.max(not_before));
                tracing::info!(%id, %about, "a report of ours");
                brood.add(entry, message.content());
                Reported::Accepted
            }
            None => Reported::Suppressed,
        }
    }

    async fn hear(&self, event: Event, report: &mut Transaction, origin: &Origin) -> Decision {
        let mut stage = Stage::new(origin);
        stage.transaction = Some(report);
        self.snapshot.dispatcher.raise(event, &mut stage).await
    }
}
