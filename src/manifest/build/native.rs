//! Native sinks, opened by their factories.

use super::Workshop;
use crate::config::Diagnostics;
use crate::config::suggest::suggest;
use crate::event::host::KvOf;
use crate::event::{Env, Files, Sink};
use crate::manifest::SinkDecl;
use crate::manifest::supplies::Supplies;
use std::sync::Arc;

/// Opens the native sink of that name. What is said of it shows no secrets.
pub(super) fn open(
    native: &str,
    decl: &SinkDecl,
    workshop: &Workshop,
    supplies: &Supplies,
    before: Option<Arc<dyn Sink>>,
    files: &mut Files,
    found: &mut Diagnostics,
) -> Option<Arc<dyn Sink>> {
    let at = decl.source.span;
    let Some(factory) = workshop.natives.get(native) else {
        let near = suggest(native, workshop.natives.names()).map(|n| format!("did you mean `{n}`?"));
        let all = || format!("there are: {}", workshop.natives.names().collect::<Vec<_>>().join(", "));
        found.error(at, format!("there is no native sink `{native}`")).help(near.unwrap_or_else(all));
        return None;
    };
    let name: Arc<str> = decl.name.value.as_str().into();
    let mut env = Env {
        kv: KvOf::new(workshop.kv.clone(), name.clone()),
        name,
        clock: workshop.clock.clone(),
        dns: supplies.dns.clone(),
        http: supplies.http.clone(),
        metrics: supplies.metrics.clone(),
        queue: decl.allow.queue.then(|| workshop.queue.clone()),
        files: files.clone(),
        tables: supplies.tables.clone(),
        predecessor: before,
    };
    let sink = factory.build(supplies.resolved.config.as_ref(), at, &mut env, found);
    *files = env.files;
    sink
}
