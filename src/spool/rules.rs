//! Which records may follow which: what every store checks before it writes.
//!
//! A message is accepted once, changed while it is there, ended once; recipients are those that it has. A batch that
//! breaks this is refused whole, with a text that says which record was wrong.

use super::fault::StoreFault;
use super::record::{Patch, RcptId, Record};
use crate::mail::Id;
use std::collections::HashMap;

/// What a record means for these rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A message with so many recipients is there.
    Accept(u32),
    /// It has now so many, if that changed.
    Amend(Option<u32>),
    /// It must have more recipients than `below`.
    Touch(u32),
    /// It is gone.
    End,
}

impl Effect {
    pub(super) fn of(record: &Record) -> Self {
        let above = |ids: &mut dyn Iterator<Item = RcptId>| ids.max().map_or(0, |n| n.saturating_add(1));
        match record {
            Record::Accept(entry, _) => Self::Accept(count(entry.envelope.recipients.len())),
            Record::Amend(_, patch) => Self::amend(patch),
            Record::Attempt(_, attempt) => Self::Touch(above(&mut attempt.recipients.iter().map(|(id, _)| *id))),
            Record::Done(_, rcpts) => Self::Touch(above(&mut rcpts.iter().copied())),
            Record::End(_) => Self::End,
        }
    }

    pub(super) fn amend(patch: &Patch) -> Self {
        Self::Amend(patch.envelope.as_ref().map(|e| count(e.recipients.len())))
    }
}

fn count(recipients: usize) -> u32 {
    u32::try_from(recipients).unwrap_or(u32::MAX)
}

/// The messages that are there, as batches not yet in force leave them.
#[derive(Default)]
pub(super) struct Ahead(HashMap<Id, Option<u32>>);

impl Ahead {
    /// Checks a batch on top of those admitted before. `known` tells of the messages in force how many recipients they
    /// have.
    pub(super) fn admit(
        &mut self,
        batch: impl IntoIterator<Item = (Id, Effect)>,
        known: impl Fn(Id) -> Option<u32>,
    ) -> Result<(), StoreFault> {
        let mut own: HashMap<Id, Option<u32>> = HashMap::new();
        for (id, effect) in batch {
            let now = own.get(&id).or_else(|| self.0.get(&id)).copied().unwrap_or_else(|| known(id));
            own.insert(id, step(id, now, effect)?);
        }
        self.0.extend(own);
        Ok(())
    }
}

/// The number of a message's recipients after a record, none if it is gone.
fn step(id: Id, now: Option<u32>, effect: Effect) -> Result<Option<u32>, StoreFault> {
    match (now, effect) {
        (None, Effect::Accept(recipients)) => Ok(Some(recipients)),
        (Some(_), Effect::Accept(_)) => Err(StoreFault::Misuse(format!("message {id} is there already"))),
        (None, _) => Err(StoreFault::not_there(id)),
        (Some(had), Effect::Amend(has)) => Ok(Some(has.unwrap_or(had))),
        (Some(had), Effect::Touch(above)) if above > had => {
            Err(StoreFault::Misuse(format!("message {id} has {had} recipients, none is number {}", above - 1)))
        }
        (Some(had), Effect::Touch(_)) => Ok(Some(had)),
        (Some(_), Effect::End) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Effect::{Accept, Amend, End, Touch};

    #[test]
    fn a_message_is_accepted_changed_and_ended_in_this_order() {
        let known = |id: Id| (id == Id(1)).then_some(2);
        let admit = |batch: &[(u64, Effect)]| {
            Ahead::default().admit(batch.iter().map(|&(id, effect)| (Id(id), effect)), known).is_ok()
        };
        assert!(admit(&[(1, Touch(2)), (1, Amend(None)), (1, End), (1, Accept(1))]));
        assert!(admit(&[(2, Accept(1)), (2, Amend(Some(3))), (2, Touch(3)), (2, End)]));
        for wrong in [
            [(1, Accept(1))].as_slice(),
            &[(2, End)],
            &[(2, Touch(0))],
            &[(1, Touch(3))],
            &[(1, Amend(Some(1))), (1, Touch(2))],
            &[(1, End), (1, End)],
            &[(2, Accept(1)), (2, Accept(1))],
        ] {
            assert!(!admit(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_refused_batch_leaves_no_trace_and_an_admitted_one_does() {
        let mut ahead = Ahead::default();
        assert!(ahead.admit([(Id(1), Accept(1)), (Id(1), Accept(1))], |_| None).is_err());
        assert!(ahead.admit([(Id(1), Accept(1))], |_| None).is_ok());
        assert!(ahead.admit([(Id(1), Accept(1))], |_| None).is_err());
    }
}
