//! What a sink is built of, whatever it is written in: its configuration with the secrets in it, its tables, and the ways to
//! the world that `allow` grants.

mod secrets;
#[cfg(test)]
mod tests;

use super::SinkDecl;
use super::build::Workshop;
use crate::config::{Diagnostics, Severity, Span};
use crate::event::host::{Dns, HttpOf, MetricsOf, WebOrigin};
use crate::event::{Files, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use secrets::Resolved;

/// The supplies of one sink.
pub(super) struct Supplies {
    /// `[sink.config]`, and what must not be shown of it.
    pub(super) resolved: Resolved,
    /// `[sink.tables]`, read.
    pub(super) tables: BTreeMap<String, Arc<Table>>,
    /// If `allow.dns` grants it.
    pub(super) dns: Option<Arc<dyn Dns>>,
    /// If `allow.http` grants an origin.
    pub(super) http: Option<HttpOf>,
    /// If `allow.metrics` grants it.
    pub(super) metrics: Option<MetricsOf>,
}

/// Gathers them. Nothing if the sink can't be built with what there is; everything that is wrong goes to `found`.
pub(super) fn gather(
    decl: &SinkDecl,
    workshop: &Workshop,
    files: &mut Files,
    found: &mut Diagnostics,
) -> Option<Supplies> {
    let before = found.count(Severity::Error);
    let mut tables = BTreeMap::new();
    for table in &decl.tables {
        let read = files.table(&table.path.value.to_string_lossy(), table.path.span, found);
        tables.extend(read.map(|read| (table.name.value.clone(), read)));
    }
    let resolved = secrets::resolve(decl, workshop.credentials.as_deref(), files, found);
    let dns = decl.allow.dns.then_some(decl.name.span);
    let dns = dns.and_then(|at| there(workshop.dns.clone(), "dns", at, found));
    let origins: Vec<WebOrigin> = decl.allow.http.iter().map(|origin| origin.value.clone()).collect();
    let http = decl.allow.http.first();
    let http = http.and_then(|first| there(workshop.http.clone(), "http", first.span, found));
    let supplies = Supplies {
        resolved: resolved?,
        dns,
        http: http.map(|http| HttpOf::new(http, origins)),
        metrics: decl.allow.metrics.then(|| workshop.metrics.of(&decl.name.value)),
        tables,
    };
    (found.count(Severity::Error) == before).then_some(supplies)
}

/// What is granted, if this program has it.
fn there<T>(what: Option<T>, name: &str, span: Span, found: &mut Diagnostics) -> Option<T> {
    if what.is_none() {
        let told = found.error(span, format!("`allow.{name}` can't be granted: this program was built without it"));
        told.help(format!("build it with the feature `{name}`, or take the permission back"));
    }
    what
}
