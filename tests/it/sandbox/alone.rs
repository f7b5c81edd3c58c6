//! A guest without a server around it: a sandbox, the terms, and the seam. For what takes many calls, or terms and files that
//! no manifest has.

use super::guests;
use mailsluice::config::Secrets;
use mailsluice::event::host::{Journal, SinkLog, SystemClock};
use mailsluice::event::{Registered, Reuse};
use mailsluice::wasm::{Compiler, Grants, Limits, Sandbox, Terms};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The sandbox that these tests share.
pub(super) fn sandbox() -> &'static Arc<Sandbox> {
    static SANDBOX: OnceLock<Arc<Sandbox>> = OnceLock::new();
    SANDBOX.get_or_init(|| Arc::new(Sandbox::new(None, Compiler::Here).expect("a sandbox")))
}

/// Terms on which nothing is granted.
pub(super) fn terms() -> Terms {
    Terms {
        name: "guest".into(),
        config: "{}".into(),
        tables: BTreeMap::new(),
        reuse: Reuse::Call,
        limits: Limits::default(),
        grants: Grants::default(),
        log: Arc::new(SinkLog::new("guest", Journal::default(), Secrets::default())),
        clock: Arc::new(SystemClock),
    }
}

/// Loads these octets; if they don't fit, why.
pub(super) fn load(octets: &[u8], terms: Terms) -> Result<Arc<Registered>, String> {
    let loaded = sandbox().module(octets, terms);
    let told = |refusals: Vec<mailsluice::wasm::Refusal>| {
        refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    loaded.map_err(told).map(|sink| Arc::new(Registered::new("guest", Arc::new(sink), false)))
}

/// A guest of this name, which must fit.
pub(super) fn sink(name: &str, terms: Terms) -> Arc<Registered> {
    load(&guests::guest(name), terms).unwrap_or_else(|why| panic!("the guest {name}: {why}"))
}
