//! What operators see of the outbound traffic, and how they stop sites and domains.

use super::commands::{Answer, Ops};
use super::protocol::{Response, SiteLine, Stop, SuspensionLine, TrafficRequest};
use super::wire::Wire;
use crate::mail::Glob;
use crate::transport::traffic::Suspended;
use std::io;

impl Ops {
    pub(super) async fn traffic(&self, request: TrafficRequest, wire: &mut Wire) -> io::Result<Answer> {
        let (governor, now) = (&self.queue.governor, self.intake.clock.now());
        match request {
            TrafficRequest::Sites => {
                for site in governor.snapshot() {
                    wire.say(&Response::Site(SiteLine {
                        site: site.site.to_string(),
                        connections: site.connections,
                        window: site.window,
                        waiting: site.waiting,
                        backoff_until: site.backoff_until,
                        suspended: site.suspended,
                    }))
                    .await?;
                }
                for suspension in governor.suspensions() {
                    let what = match &suspension.what {
                        Suspended::Site(glob) => Stop::Site(glob.to_string()),
                        Suspended::Domain(glob) => Stop::Domain(glob.to_string()),
                    };
                    let (until, reason) = (suspension.until, suspension.reason);
                    wire.say(&Response::Suspension(SuspensionLine { what, until, reason })).await?;
                }
                Ok(Ok(None))
            }
            TrafficRequest::Suspend { what, until, reason } => {
                if let Err(error) = self.suspensions.suspend(suspended(&what), until, &reason).await {
                    return Ok(Err(format!("{what} is not suspended, for that could not be kept: {error}")));
                }
                tracing::warn!(what = %what, %reason, "an operator has suspended outbound mail");
                Ok(Ok(None))
            }
            TrafficRequest::Resume { what } => match self.suspensions.resume(&suspended(&what), now).await {
                Ok(true) => {
                    tracing::warn!(what = %what, "an operator has resumed outbound mail");
                    Ok(Ok(None))
                }
                Ok(false) => Ok(Err(format!("{what} is not suspended; `mailsluice queue sites` shows what is"))),
                Err(error) => Ok(Err(format!("{what} is not resumed, for that could not be kept: {error}"))),
            },
        }
    }
}

fn suspended(what: &Stop) -> Suspended {
    match what {
        Stop::Site(glob) => Suspended::Site(Glob::new(glob)),
        Stop::Domain(glob) => Suspended::Domain(Glob::new(glob)),
    }
}
