//! What an embedder adds to the server before it runs.

use crate::event::{Env, Natives, Sink};
use crate::manifest::build;
use serde::de::DeserializeOwned;
use std::fmt;

/// The server with its command line, with the native sinks that ship and those that an embedder adds.
///
/// ```no_run
/// # use mailsluice::event::{Edits, Env, Hearing, Interest, Scene, Sink, Verdict};
/// #[derive(serde::Deserialize)]
/// struct QuotaConfig {
///     messages: u64,
/// }
///
/// struct Quota(u64);
/// # impl Sink for Quota {
/// #     fn interest(&self) -> Interest { Interest::default() }
/// #     fn hear<'a>(&'a self, _: Scene<'a>, _: &'a mut Edits) -> Hearing<'a> { Hearing::Now(Ok(Verdict::Next)) }
/// # }
///
/// fn main() -> std::process::ExitCode {
///     let builder = mailsluice::cli::Builder::new();
///     mailsluice::cli::main(builder.native("quota", |config: QuotaConfig, _env: &mut Env| {
///         Ok::<_, String>(Quota(config.messages))
///     }))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) natives: Natives,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// The server as it ships.
    pub fn new() -> Self {
        Self { natives: build::natives() }
    }

    /// Adds a native sink under the name by which manifests find it. `open` gets the sink's `[sink.config]`, read by serde,
    /// and what a sink may reach; its error is told with the place in the manifest. A name that is taken is replaced.
    #[must_use]
    pub fn native<C, S, E>(self, name: &str, open: impl Fn(C, &mut Env) -> Result<S, E> + Send + Sync + 'static) -> Self
    where
        C: DeserializeOwned + 'static,
        S: Sink,
        E: fmt::Display + 'static,
    {
        Self { natives: self.natives.with(name, open) }
    }

    /// Changes the table of native sinks in any other way.
    #[must_use]
    pub fn natives(self, change: impl FnOnce(Natives) -> Natives) -> Self {
        Self { natives: change(self.natives) }
    }
}
