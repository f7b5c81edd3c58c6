//! One question to the next hops of a recipient: those of its route in turn, until one gives an answer.

use super::answer::answer;
use super::cache::{Unanswered, Verdict};
use super::room::{Place, Room};
use crate::mail::{ForwardPath, Origin, TlsWish};
use crate::snapshot::Snapshot;
use crate::transport::deliver::NextHop;
use crate::transport::pass::{Stop, hosts};
use crate::transport::pipeline::Pipeline;

/// A recipient that is asked for, and those who know the way.
pub(super) struct Question<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) snapshot: &'a Snapshot,
    pub(super) origin: &'a Origin,
    pub(super) recipient: &'a ForwardPath,
}

impl Question<'_> {
    /// Asks these hops. If none gives an answer, the last one says why.
    pub(super) async fn ask(&self, hops: &[NextHop], room: &Room) -> Result<Verdict, Unanswered> {
        let place = room.enter().ok_or_else(|| Unanswered("too many recipients are being asked for".to_owned()))?;
        let mut last = Unanswered("there is nobody to ask".to_owned());
        for hop in hops {
            match self.ask_hop(hop, &place).await {
                Ok(verdict) => return Ok(verdict),
                Err(unanswered) => last = unanswered,
            }
        }
        Err(last)
    }

    async fn ask_hop(&self, hop: &NextHop, place: &Place<'_>) -> Result<Verdict, Unanswered> {
        let Stop { site, hops } = match hop {
            NextHop::Mx(name) => {
                let found = hosts(self.pipeline, self.snapshot, self.origin, name).await;
                found.map_err(|outcome| Unanswered(format!("{name}: {outcome}")))?
            }
            hop => Stop { site: hop.site().map(Into::into), hops: vec![hop.clone()] },
        };
        let seat = |site| place.at(site).ok_or_else(|| Unanswered(format!("{site} is asked for too many recipients")));
        let _seat = site.as_ref().map(seat).transpose()?;
        let mut last = Unanswered(format!("{hop} can't be asked"));
        for hop in &hops {
            let Pipeline { means, resolver, .. } = self.pipeline;
            let settings = &self.snapshot.settings;
            let hop = match means.advisor.advise(resolver, settings, hop, TlsWish::Policy).await {
                Ok(hop) => hop,
                Err(details) => {
                    last = Unanswered(details.note);
                    continue;
                }
            };
            let probed = means.probe(&hop, &settings.hostname, self.recipient).await;
            match probed.map(answer) {
                Some(Ok(verdict)) => return Ok(verdict),
                Some(Err(unanswered)) => last = unanswered,
                None => {}
            }
        }
        Err(last)
    }
}
