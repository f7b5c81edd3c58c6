//! Reload: a new snapshot is built beside the one in force and put in its place, or it is not and the old one stays.

use super::build::{Loaded, Workshop};
use super::keep;
use super::load::{Inputs, Load, load};
use crate::config::Settings;
use crate::config::listener::Listener;
use crate::event::host::Journal;
use crate::event::host::Sample;
use crate::event::{Event, Stage};
use crate::mail::{Door, Origin, Timestamp};
use crate::snapshot::{Current, Snapshot};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads everything again when asked, one at a time.
pub struct Reloader {
    config: PathBuf,
    workshop: Workshop,
    current: Arc<Current>,
    state: tokio::sync::Mutex<State>,
    seen: Mutex<Seen>,
}

struct State {
    loaded: Vec<Loaded>,
    generation: u64,
}

/// What others may look at while a reload runs.
#[derive(Default)]
struct Seen {
    inputs: Inputs,
    failure: Option<(Timestamp, String)>,
}

impl Reloader {
    /// A reloader for what is in force. `inputs` are the files that it was made of.
    pub fn new(
        config: PathBuf,
        workshop: Workshop,
        current: Arc<Current>,
        loaded: Vec<Loaded>,
        inputs: Inputs,
    ) -> Self {
        let generation = current.pin().generation;
        Self {
            config,
            workshop,
            current,
            state: tokio::sync::Mutex::new(State { loaded, generation }),
            seen: Mutex::new(Seen { inputs, failure: None }),
        }
    }

    /// Reloads, and returns the generation now in force; or why the old one stays, as `check` would print it.
    pub async fn reload(&self) -> Result<u64, String> {
        let mut state = self.state.lock().await;
        let (config, workshop, before) = (self.config.clone(), self.workshop.clone(), state.loaded.clone());
        let (known, in_force, next) = (self.inputs(), self.current.pin(), state.generation + 1);
        let work = move || {
            let mut inputs = Inputs::default();
            let made = load(&config, &workshop, &before, &mut inputs).map_err(|found| {
                // What can't be parsed names no files; those known before are still worth watching, as they are now.
                inputs.look_at(&known);
                found.to_string()
            });
            (made.and_then(|load| make(load, &in_force, next, &inputs)), inputs)
        };
        // What brings the thread down is told like whatever else is wrong.
        let (made, inputs) = tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|e| (Err(format!("the reload was cut short: {e}\n")), self.inputs()));
        let result = made.map(|made| self.put_in_force(made, &mut state));
        self.note(inputs, result.as_ref().err());
        match &result {
            Ok(generation) => tracing::info!(generation, "reloaded"),
            Err(why) => tracing::error!(
                generation = state.generation,
                "the reload failed; what was in force stays in force:\n{why}"
            ),
        }
        result
    }

    fn put_in_force(&self, (snapshot, loaded): (Snapshot, Vec<Loaded>), state: &mut State) -> u64 {
        let next = snapshot.generation;
        self.current.swap(snapshot);
        (state.generation, state.loaded) = (next, loaded);
        let origin = Origin::door(Door::Sink);
        self.current.pin().dispatcher.tell(Event::ServerReload, &Stage::new(&origin));
        next
    }

    fn note(&self, inputs: Inputs, error: Option<&String>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.inputs = inputs;
        seen.failure = match (error, seen.failure.take()) {
            (None, _) => None,
            (Some(why), Some((since, _))) => Some((since, why.clone())),
            (Some(why), None) => Some((self.workshop.clock.now(), why.clone())),
        };
    }

    /// What a sink has published about itself.
    pub fn metrics(&self, sink: &str) -> BTreeMap<String, Sample> {
        self.workshop.metrics.snapshot(sink)
    }

    /// What sinks log.
    pub fn journal(&self) -> &Journal {
        &self.workshop.journal
    }

    /// Since when reloads fail, and why the last one did.
    pub fn last_failure(&self) -> Option<(Timestamp, String)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).failure.clone()
    }

    /// The files that the last reload read, or tried to.
    pub fn inputs(&self) -> Inputs {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).inputs.clone()
    }
}

/// The next snapshot of what was read, kept for the next start. It waits for the disk.
fn make(load: Load, before: &Snapshot, generation: u64, inputs: &Inputs) -> Result<(Snapshot, Vec<Loaded>), String> {
    fixed(&before.settings, &load.settings)?;
    for warning in load.found.iter() {
        tracing::warn!("{}", load.found.render(warning));
    }
    let carried = load.built.carried;
    let (mut snapshot, loaded) = load.into_snapshot(generation)?;
    snapshot.keep_tls(before);
    tracing::info!(sinks = loaded.len(), carried, "the new snapshot is built");
    keep_manifest(&snapshot, inputs);
    Ok((snapshot, loaded))
}

/// What can't change while the server runs is an error; what is read once at the start is told. A manifest that is gone is
/// an accident, such as a save that was cut short, and not the wish to let all mail pass without sinks.
fn fixed(before: &Settings, after: &Settings) -> Result<(), String> {
    let once = [
        ("[log]", before.log != after.log),
        ("[ledger]", before.ledger != after.ledger),
        ("reload.watch", before.reload != after.reload),
        ("limits.draft-memory", before.limits.draft_memory != after.limits.draft_memory),
    ];
    for (name, _) in once.iter().filter(|(_, changed)| *changed) {
        tracing::warn!("{name} has changed; that takes effect at the next start");
    }
    if let (Some(gone), None) = (&before.manifest, &after.manifest) {
        let gone = gone.display();
        return Err(format!(
            "the manifest `{gone}` is gone; to go on without sinks, leave an empty one in its place\n"
        ));
    }
    let changed = [
        ("data-dir", before.data_dir != after.data_dir),
        ("[[listener]]", !bound_alike(&before.listeners, &after.listeners)),
        ("acme.http-listen and acme.tls-alpn-listen", doors(before) != doors(after)),
        ("[run]", before.run != after.run),
        ("[admin]", before.admin != after.admin),
        ("auth.gssapi.keytab", keytab(before) != keytab(after)),
    ];
    let names: Vec<&str> = changed.iter().filter(|(_, c)| *c).map(|(name, _)| *name).collect();
    if names.is_empty() {
        Ok(())
    } else {
        Err(format!("{} can't change while the server runs; restart it\n", names.join(" and ")))
    }
}

/// What the environment of the process was made for.
fn keytab(settings: &Settings) -> Option<&Path> {
    settings.auth.gssapi.as_ref().map(|gssapi| gssapi.service.keytab.as_path())
}

/// Whether no socket has to be bound or closed. What is told and asked at one can change while the server runs.
fn bound_alike(before: &[Listener], after: &[Listener]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(before, after)| before.is_bound_as(after))
}

/// Where authorities look.
fn doors(settings: &Settings) -> (&[SocketAddr], &[SocketAddr]) {
    settings.acme.as_ref().map(|acme| (&acme.http_listen[..], &acme.tls_alpn_listen[..])).unwrap_or_default()
}

/// Keeps the manifest for the next start; it waits for the disk. That it could not be kept is no reason to go without the new one.
pub fn keep_manifest(snapshot: &Snapshot, inputs: &Inputs) {
    if let Some(manifest) = &snapshot.settings.manifest
        && let Err(error) = keep::keep(&snapshot.settings.data_dir, manifest, inputs)
    {
        tracing::warn!(%error, "the manifest could not be kept for the next start");
    }
}
