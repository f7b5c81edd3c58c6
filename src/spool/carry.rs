//! Moving long-lived messages out of old segments, so that one of them does not keep the mail of a day.
//!
//! A message is carried with its octets as they are and its entry as it stands, in one frame that takes the place of all
//! earlier ones. The old segment goes once that is durable. A crash between the two leaves both frames, and recovery
//! takes the later: the message is there once.

use super::body::Body;
use super::committer::Committer;
use super::fault::StoreFault;
use super::frame::Kind;
use super::read::Trail;
use super::segment::Group;
use super::unit::{Batch, Unit};
use crate::mail::Id;

/// What is carried before waiting commits are served, in octets.
const STRIDE: u64 = 1 << 20;

impl Committer {
    /// Carries some messages forward if it is time, and says whether there may be more to do.
    pub(super) fn carry(&mut self) -> bool {
        if self.trouble.is_some() {
            return false;
        }
        let Some((segment, ids)) = self.shared.index().to_carry(self.slack, STRIDE) else { return false };
        let mut group = Group::default();
        for id in ids {
            let unit = match self.copy(id) {
                Ok(Some(unit)) => unit,
                Ok(None) => continue,
                Err(fault) => {
                    tracing::error!(%fault, segment, "can't carry a message forward; its segment stays until the next start");
                    self.shared.index().pin(segment);
                    break;
                }
            };
            if self.carry_one(Batch { units: vec![unit] }, &mut group).is_err() {
                return false;
            }
        }
        // A failure has been dealt with; the messages are where they were.
        let written = self.write(group).is_ok();
        self.bury();
        written
    }

    /// Adds a message to the group, writing what is in it first if it is full.
    fn carry_one(&mut self, batch: Batch, group: &mut Group) -> Result<(), StoreFault> {
        if !self.active.as_ref().is_some_and(|active| active.fits(group, batch.size())) {
            self.write(std::mem::take(group))?;
            self.make_room(batch.size())?;
        }
        if let Some(active) = &self.active {
            active.place(group, batch);
        }
        Ok(())
    }

    /// The record that takes the place of all that is in the log about a message.
    fn copy(&self, id: Id) -> Result<Option<Unit>, StoreFault> {
        let index = self.shared.index();
        let Some((slot, trail)) = index.slot(id).cloned().zip(Trail::of(&index, id)) else { return Ok(None) };
        let file = index.file(slot.at.segment).cloned();
        drop(index);
        let entry = trail.read().map_err(|e| e.fault(id))?;
        let Some(file) = file else { return Ok(None) };
        let octets = file.read_vec(slot.body_at(), slot.body_len.into());
        let octets = octets.map_err(|e| StoreFault::io(format_args!("read message {id}"), &e))?;
        let layout = slot.layout.as_ref().map(|parts| parts.to_vec());
        let body = Body { octets: vec![octets.into()], layout, drafts: Vec::new() };
        let mut unit = Unit::message(Kind::Carry, &entry, slot.len, body)?;
        // If the octets are damaged, they must not pass for sound ones from here on.
        unit.body_crc = slot.body_crc;
        Ok(Some(unit))
    }
}
