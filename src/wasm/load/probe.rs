//! The first instance of a sink: made once before it is put in force, asked what it claims, and for its self-test.

use super::super::code::Code;
use super::super::engine::Sandbox;
use super::super::guest::Guest;
use super::super::terms::Terms;
use super::Refusal;
use super::claims::claims;
use crate::event::{Claims, Event, Fault, FaultKind, Interest};
use mailsluice_wit::Claim;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(30);

impl Sandbox {
    /// Makes one instance. What it hears and claims is what it says.
    pub(super) fn probe(&self, code: &Code, terms: &Arc<Terms>) -> Result<Interest, Refusal> {
        let work = async {
            let probed = tokio::time::timeout(DEADLINE, self.probe_it(code, terms)).await;
            probed.unwrap_or_else(|_| {
                let text = format!("it did not get ready within {} s", DEADLINE.as_secs());
                Err(Fault::new(FaultKind::Overrun, text))
            })
        };
        on_a_runtime(work).and_then(|probed| probed).map_err(|fault| Refusal::new(fault.text))
    }

    async fn probe_it(&self, code: &Code, terms: &Arc<Terms>) -> Result<Interest, Fault> {
        let mut guest = Guest::new(code, terms, None, self.slot(code).await?).await?;
        let events = match &code.script {
            Some(_) => heard_by_script(std::mem::take(&mut guest.heard))?,
            None => code.exports.events().collect(),
        };
        let claims = guest.claims(code).await?;
        guest.self_test(code).await?;
        Ok(Interest { events, claims, ..Interest::default() })
    }
}

/// The events of a script, by the names that the script host gives them.
fn heard_by_script(names: Vec<String>) -> Result<Vec<Event>, Fault> {
    let event = |name: String| {
        Event::by_name(&name).ok_or_else(|| Fault::error(format!("the script host speaks of an event `{name}`")))
    };
    names.into_iter().map(event).collect()
}

impl Guest {
    async fn claims(&mut self, code: &Code) -> Result<Claims, Fault> {
        let Some(index) = &code.exports.claims else { return Ok(Claims::default()) };
        let (claim,) = self.once::<_, (Claim,)>(index, ()).await?;
        claims(claim)
    }

    async fn self_test(&mut self, code: &Code) -> Result<(), Fault> {
        let Some(index) = &code.exports.self_test else { return Ok(()) };
        let failed = |why: &dyn std::fmt::Display| Fault::error(format!("its self-test failed: {why}"));
        let (outcome,) = self.once::<_, (Result<(), String>,)>(index, ()).await.map_err(|fault| failed(&fault))?;
        outcome.map_err(|why| failed(&why))
    }
}

/// Runs a future to its end from a thread that may block. What it starts lives on the server's runtime, if there is one.
fn on_a_runtime<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, Fault> {
    let handle = tokio::runtime::Handle::try_current();
    let run = || match handle {
        Ok(handle) => Ok(handle.block_on(work)),
        Err(_) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(work)).map_err(|e| Fault::error(format!("no runtime: {e}")))
        }
    };
    // A thread of its own: the caller's may be one of the runtime's.
    std::thread::scope(|scope| {
        scope.spawn(run).join().unwrap_or_else(|_| Err(Fault::error("the first instance brought its thread down")))
    })
}
