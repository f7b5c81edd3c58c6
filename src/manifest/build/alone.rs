//! Sandboxed sinks by themselves, for the tools of their authors: looked at without being run, and called with a measure.

use crate::event::sink::BoxFuture;
use crate::event::{Edits, Fault, Hearing, Interest, Registered, Scene, Sink, Verdict};
use crate::wasm::Sandboxed;
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

pub use crate::wasm::Spent;
pub use crate::wasm::load::{Contract, Inspection, Refusal, inspect};

/// The same sink, measured: each call is made in a fresh instance, whatever `reuse` says. What a native sink takes is not
/// known here.
pub fn measured(sink: &Registered) -> (Registered, Arc<Meter>) {
    let meter = Arc::new(Meter::default());
    let measured = Measured { inner: sink.sink.clone(), meter: meter.clone() };
    let registered = Registered::new(sink.name.clone(), Arc::new(measured), sink.may_relay);
    (registered.with_submit(sink.may_submit).with_import(sink.may_import).with_secrets(sink.secrets.clone()), meter)
}

/// What the last call took.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Option<Spent>>);

impl Meter {
    /// None if there was none, or if it was given up half-way.
    pub fn last(&self) -> Option<Spent> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Measured {
    inner: Arc<dyn Sink>,
    meter: Arc<Meter>,
}

impl Measured {
    async fn call(&self, sink: &Sandboxed, scene: Scene<'_>, edits: &mut Edits) -> Result<Verdict, Fault> {
        let (said, spent) = sink.measured(&scene, edits).await;
        *self.meter.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(spent);
        said
    }
}

impl Sink for Measured {
    fn interest(&self) -> Interest {
        self.inner.interest()
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        let inner: &dyn Any = &*self.inner;
        match inner.downcast_ref::<Sandboxed>() {
            Some(sink) => {
                let call: BoxFuture<'a, _> = Box::pin(self.call(sink, scene, edits));
                Hearing::Later(call)
            }
            None => self.inner.hear(scene, edits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Idle;

    impl Sink for Idle {
        fn interest(&self) -> Interest {
            Interest::default()
        }

        fn hear<'a>(&'a self, _: Scene<'a>, _: &'a mut Edits) -> Hearing<'a> {
            Hearing::Now(Ok(Verdict::Next))
        }
    }

    #[test]
    fn what_is_measured_may_do_what_it_may_do_otherwise() {
        for (relay, submit) in [(false, true), (true, false)] {
            let sink = Registered::new("idle", Arc::new(Idle), relay).with_submit(submit);
            let (measured, _) = measured(&sink);
            assert_eq!((measured.may_relay, measured.may_submit), (relay, submit));
        }
    }
}
