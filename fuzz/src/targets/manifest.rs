//! A manifest: its sinks are read, opened if they are native ones, and bound, or it is told what keeps them from it; each
//! time the same.
//!
//! An input is the text, of JSON if it begins with `{`, else of TOML.

use super::told::{reaches_out, told};
use mailsluice::config::Diagnostics;
use mailsluice::event::host::{Clock, ManualClock};
use mailsluice::kv::{MemoryKv, Quota};
use mailsluice::mail::Timestamp;
use mailsluice::manifest::Manifest;
use mailsluice::manifest::build::{Workshop, build, natives};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

pub(super) fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if reaches_out(text) {
        return;
    }
    let (first, second) = (read(text), read(text));
    assert_eq!(first, second);
    let names: HashSet<&str> = first.0.sinks.iter().map(|sink| sink.name.value.as_str()).collect();
    assert_eq!(names.len(), first.0.sinks.len(), "a name came twice");
}

/// The manifest, the effective order of its bindings, and what was told.
fn read(text: &str) -> (Manifest, String, String) {
    let name = if text.starts_with('{') { "sinks.json" } else { "sinks.toml" };
    let mut found = Diagnostics::default();
    let manifest = Manifest::parse(&Path::new("no-such-folder").join(name), text, &mut found);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp(0)));
    let kv = Arc::new(MemoryKv::new(clock.clone(), Quota::default()));
    let built = build(&manifest, &Workshop::new(natives(), kv, clock), &[], &mut found);
    let places: Vec<_> = mailsluice::event::CATALOGUE
        .iter()
        .flat_map(|spec| built.dispatcher.order(spec.event))
        .map(|binding| (binding.place(), binding.rule.clone()))
        .collect();
    (manifest, format!("{places:?}"), told(&found))
}
