//! Modules and scripts: read, held against their pin, and loaded on the terms of the manifest.

use super::Workshop;
use crate::config::{Diagnostics, Spanned, from_node};
use crate::event::host::{KvOf, SinkLog};
use crate::event::{Files, Sink};
use crate::manifest::SinkDecl;
use crate::manifest::supplies::Supplies;
use crate::wasm::{Grants, Limits, Reader, Refusal, Sandbox, Sandboxed, Terms};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Loads the module at `path`.
pub(super) fn module(
    path: &Path,
    decl: &SinkDecl,
    workshop: &Workshop,
    supplies: &Supplies,
    files: &mut Files,
    found: &mut Diagnostics,
) -> Option<Arc<dyn Sink>> {
    let bytes = read(path, decl, files, found)?;
    let (terms, sandbox) = (terms(decl, workshop, supplies, found)?, sandbox(decl, workshop, found)?);
    told(sandbox.module(&bytes, terms), decl, found)
}

/// Loads the script at `path`. The files that it imports are watched, too.
pub(super) fn script(
    path: &Path,
    decl: &SinkDecl,
    workshop: &Workshop,
    supplies: &Supplies,
    files: &mut Files,
    found: &mut Diagnostics,
) -> Option<Arc<dyn Sink>> {
    read(path, decl, files, found)?;
    let (terms, sandbox) = (terms(decl, workshop, supplies, found)?, sandbox(decl, workshop, found)?);
    let main = from_folder(path, decl);
    let reading = Arc::new(Mutex::new(files.clone()));
    let loaded = sandbox.script(&main, reader(reading.clone(), &main, decl.digest.is_some()), terms);
    *files = reading.lock().unwrap_or_else(PoisonError::into_inner).clone();
    told(loaded, decl, found)
}

/// Reads the modules of a script. One that is pinned is in one piece: the pin says nothing of other files.
fn reader(files: Arc<Mutex<Files>>, main: &str, pinned: bool) -> Reader {
    let main = main.to_owned();
    Box::new(move |path| {
        let path = path.to_string_lossy();
        if pinned && path != main.as_str() {
            return Err("a script with a `digest` can't import files, which it would not cover".to_owned());
        }
        files.lock().unwrap_or_else(PoisonError::into_inner).read(&path)
    })
}

/// A path as files are read by it: from the folder of the manifest, which may itself be a relative one.
fn from_folder(path: &Path, decl: &SinkDecl) -> String {
    path.strip_prefix(&decl.folder).unwrap_or(path).to_string_lossy().into_owned()
}

/// The bytes of the file, if they are those of the pin.
fn read(path: &Path, decl: &SinkDecl, files: &mut Files, found: &mut Diagnostics) -> Option<Vec<u8>> {
    let bytes = files.read(&from_folder(path, decl)).map_err(|why| found.error(decl.source.span, why)).ok()?;
    if let Some(Spanned { span, value: pinned }) = &decl.digest {
        let digest = blake3::hash(&bytes);
        if digest != *pinned {
            let text = format!("`{}` has other bytes: blake3:{}", path.display(), digest.to_hex());
            let help = format!("if they are meant, `mailsluice sink upgrade {} FILE` pins them", decl.name.value);
            found.error(*span, text).help(help);
            return None;
        }
    }
    Some(bytes)
}

fn sandbox(decl: &SinkDecl, workshop: &Workshop, found: &mut Diagnostics) -> Option<Arc<Sandbox>> {
    workshop.sandbox.get().map_err(|why| found.error(decl.source.span, why)).ok()
}

fn terms(decl: &SinkDecl, workshop: &Workshop, supplies: &Supplies, found: &mut Diagnostics) -> Option<Terms> {
    let name: Arc<str> = decl.name.value.as_str().into();
    let config = match &supplies.resolved.config {
        Some(node) => from_node::<serde_json::Value>(node, found)?.to_string(),
        None => "{}".to_owned(),
    };
    let allow = &decl.allow;
    Some(Terms {
        config: config.into(),
        tables: supplies.tables.clone(),
        reuse: decl.reuse,
        limits: Limits {
            memory: usize::try_from(decl.limits.memory).unwrap_or(usize::MAX),
            cpu: decl.limits.cpu,
            output: usize::try_from(decl.limits.output).unwrap_or(usize::MAX),
            concurrency: decl.limits.concurrency,
        },
        grants: Grants {
            kv: allow.kv.then(|| KvOf::new(workshop.kv.clone(), name.clone())),
            dns: supplies.dns.clone(),
            http: supplies.http.clone(),
            metrics: supplies.metrics.clone(),
            queue: allow.queue.then(|| workshop.queue.clone()),
            submit: allow.submit,
            clock: allow.clock,
            random: allow.random,
        },
        log: Arc::new(SinkLog::new(name.clone(), workshop.journal.clone(), supplies.resolved.secrets.clone())),
        clock: workshop.clock.clone(),
        name,
    })
}

fn told(loaded: Result<Sandboxed, Vec<Refusal>>, decl: &SinkDecl, found: &mut Diagnostics) -> Option<Arc<dyn Sink>> {
    match loaded {
        Ok(sink) => Some(Arc::new(sink)),
        Err(refusals) => {
            for Refusal { text, help } in refusals {
                let error = found.error(decl.source.span, format!("sink `{}`: {text}", decl.name.value));
                if let Some(help) = help {
                    error.help(help);
                }
            }
            None
        }
    }
}
