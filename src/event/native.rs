//! Native sinks by name: how a manifest's `native = "…"` finds its code, and what that code is given.

use super::files::Files;
use super::host::{Clock, Dns, HttpOf, KvOf, MetricsOf, QueueOf};
use super::sink::Sink;
use super::table::Table;
use crate::config::{Diagnostics, Node, Span, from_node};
use serde::de::DeserializeOwned;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What a native sink is given when it is built.
pub struct Env {
    /// Its name in the manifest.
    pub name: Arc<str>,
    /// Its own share of the key-value store.
    pub kv: KvOf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The DNS, if `allow.dns` grants it.
    pub dns: Option<Arc<dyn Dns>>,
    /// HTTP to the origins that `allow.http` grants, if it grants one.
    pub http: Option<HttpOf>,
    /// Its own numbers, if `allow.metrics` grants them.
    pub metrics: Option<MetricsOf>,
    /// The queue, if `allow.queue` grants it.
    pub queue: Option<QueueOf>,
    /// Reads files beside the manifest; what is read through it is watched.
    pub files: Files,
    /// `[sink.tables]`, read.
    pub tables: BTreeMap<String, Arc<Table>>,
    /// The sink of the same name and kind that this one takes over from, on a reload.
    pub predecessor: Option<Arc<dyn Sink>>,
}

impl Env {
    /// The predecessor, if it is of this type.
    pub fn predecessor<S: Sink>(&self) -> Option<Arc<S>> {
        let any: Arc<dyn Any + Send + Sync> = self.predecessor.clone()?;
        any.downcast().ok()
    }
}

/// Builds a native sink from its `[sink.config]`.
pub trait Factory: Send + Sync {
    /// The sink, or nothing and why, noted in `found`. `at` is the place of the sink in the manifest.
    fn build(&self, config: Option<&Node>, at: Span, env: &mut Env, found: &mut Diagnostics) -> Option<Arc<dyn Sink>>;
}

/// A factory made of a function of a typed configuration.
struct Typed<F, C>(F, std::marker::PhantomData<fn(C)>);

impl<F, C, S> Factory for Typed<F, C>
where
    F: Fn(C, Span, &mut Env, &mut Diagnostics) -> Option<S> + Send + Sync,
    C: DeserializeOwned,
    S: Sink,
{
    fn build(&self, config: Option<&Node>, at: Span, env: &mut Env, found: &mut Diagnostics) -> Option<Arc<dyn Sink>> {
        let empty = Node { span: at, value: crate::config::Value::Table(crate::config::tree::Fields::default()) };
        let config = config.unwrap_or(&empty);
        let typed = from_node(config, found)?;
        Some(Arc::new(self.0(typed, config.span, env, found)?))
    }
}

/// The native sinks that a manifest can name.
#[derive(Clone, Default)]
pub struct Natives(BTreeMap<String, Arc<dyn Factory>>);

impl Natives {
    /// Adds a sink whose configuration is read by serde. A name that is taken is replaced.
    #[must_use]
    pub fn with<C, S, E>(self, name: &str, open: impl Fn(C, &mut Env) -> Result<S, E> + Send + Sync + 'static) -> Self
    where
        C: DeserializeOwned + 'static,
        S: Sink,
        E: fmt::Display + 'static,
    {
        let open = move |config: C, at: Span, env: &mut Env, found: &mut Diagnostics| {
            let opened = open(config, env);
            let told = |error| _ = found.error(at, format!("sink `{}`: {error}", env.name));
            opened.map_err(told).ok()
        };
        self.with_factory(name, Arc::new(Typed(open, std::marker::PhantomData)))
    }

    /// Adds a sink that notes by itself what serde can't see, each thing at its place. What it returns beside an
    /// error is thrown away.
    #[must_use]
    pub fn with_checks<C, S>(
        self,
        name: &str,
        open: impl Fn(C, Span, &mut Env, &mut Diagnostics) -> Option<S> + Send + Sync + 'static,
    ) -> Self
    where
        C: DeserializeOwned + 'static,
        S: Sink,
    {
        self.with_factory(name, Arc::new(Typed(open, std::marker::PhantomData)))
    }

    /// Adds a sink that reads its configuration itself.
    #[must_use]
    pub fn with_factory(mut self, name: &str, factory: Arc<dyn Factory>) -> Self {
        self.0.insert(name.to_owned(), factory);
        self
    }

    /// The factory of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Factory>> {
        self.0.get(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for Natives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
