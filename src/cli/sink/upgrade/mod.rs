//! `mailsluice sink upgrade|rollback`: another version of a module or script, put in force in one step, and the way back.
//!
//! The new bytes are copied to a file that is named by their digest, and checked on the sink's present terms; then one
//! replacement of the manifest names the file and pins the digest. What fails changes nothing.

mod versions;

use super::edit::Desk;
use crate::cli::out::{Failure, Outcome, note};
use crate::event::Natives;
use crate::manifest::edit;
use crate::manifest::{SinkDecl, Source};
use clap::Args;
use std::path::{Path, PathBuf};
use versions::{History, Version, named, put};

/// A new version.
#[derive(Args, Debug)]
#[command(after_help = "\
The file is copied beside the present one, under a name with its digest, and the manifest is rewritten to name
and pin it. It has to pass on the terms that the sink has: one that asks for more is refused, and the answer
says what it asks for. A pinned script is in one file: it can't import others.

Example:
  mailsluice sink upgrade disclaimer target/wasm32-unknown-unknown/release/disclaimer.wasm")]
pub(in crate::cli) struct Upgrade {
    /// The sink
    #[arg(value_name = "NAME")]
    name: String,
    /// Its new module or script
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// A step back.
#[derive(Args, Debug)]
#[command(after_help = "\
Goes back to the version that the last `sink upgrade` replaced, and again to the one before that.")]
pub(in crate::cli) struct Rollback {
    /// The sink
    #[arg(value_name = "NAME")]
    name: String,
}

/// What the manifest says of a sink's file.
struct Present {
    /// `module` or `script`.
    key: &'static str,
    /// The file.
    path: PathBuf,
    version: Version,
}

impl Upgrade {
    pub(in crate::cli) fn run(self, config: &Path, natives: Natives) -> Outcome {
        let desk = Desk::open(config, natives)?;
        let manifest = desk.file_of(&self.name)?;
        let present = Present::of(desk.decl(&self.name)?)?;
        let bytes = std::fs::read(&self.file);
        let bytes = bytes.map_err(|e| Failure::Failed(format!("cannot read `{}`: {e}", self.file.display())))?;
        let digest = blake3::hash(&bytes);
        if present.version.digest == Some(digest) {
            note("nothing to change: this is the version in force");
            return Ok(());
        }
        if present.key == "script" && bytes.starts_with(b"\0asm") {
            let text = format!("`{}` is a script, and `{}` is WebAssembly", self.name, self.file.display());
            return Err(Failure::Failed(text));
        }
        let path = named(&present.path, &digest);
        let fresh = put(&path, &bytes).map_err(Failure::Failed)?;
        let next = Version { path: present.written(&path), digest: Some(digest) };
        let done = put_in_force(&desk, &manifest, &self.name, &present, &next);
        if done.is_err() && fresh {
            // It stays if it can't be removed: nothing names it.
            let _ = std::fs::remove_file(&path);
        }
        done?;
        desk.tell_server()
    }
}

impl Rollback {
    pub(in crate::cli) fn run(self, config: &Path, natives: Natives) -> Outcome {
        let desk = Desk::open(config, natives)?;
        let manifest = desk.file_of(&self.name)?;
        let present = Present::of(desk.decl(&self.name)?)?;
        let mut history = History::open(&self.name, &present.path).map_err(Failure::Failed)?;
        let before = loop {
            match history.versions.pop() {
                // What was written down before a change that was then cut short.
                Some(version) if version == present.version => {}
                other => break other,
            }
        };
        let before = before.ok_or_else(|| {
            Failure::Failed(format!("nothing is known of a version of `{}` before this one", self.name))
        })?;
        desk.write(&manifest, |text| rewritten(text, &self.name, present.key, &before))?;
        history.save().map_err(Failure::Failed)?;
        desk.tell_server()
    }
}

/// Remembers the present version, and names the next one in its place.
fn put_in_force(desk: &Desk, manifest: &Path, name: &str, present: &Present, next: &Version) -> Outcome {
    let mut history = History::open(name, &present.path).map_err(Failure::Failed)?;
    let count = history.versions.len();
    history.versions.extend(present.kept().map_err(Failure::Failed)?);
    history.save().map_err(Failure::Failed)?;
    let written = desk.write(manifest, |text| rewritten(text, name, present.key, next));
    if written.is_err() {
        history.versions.truncate(count);
        // An entry too many is harmless: a rollback passes over what is in force.
        let _ = history.save();
    }
    written
}

/// The text of the manifest with this version in it.
fn rewritten(text: &str, name: &str, key: &str, version: &Version) -> Result<Option<String>, String> {
    let path = serde_json::Value::from(version.path.as_str());
    let text = edit::set(text, name, &format!("{key}={path}"))?;
    Some(match version.digest {
        Some(digest) => edit::set(&text, name, &format!("digest=\"blake3:{}\"", digest.to_hex())),
        None => edit::unset(&text, name, "digest"),
    })
    .transpose()
}

impl Present {
    fn of(decl: &SinkDecl) -> Result<Self, Failure> {
        let (key, path) = match &decl.source.value {
            Source::Module(path) => ("module", path),
            Source::Script(path) => ("script", path),
            Source::Native(_) => {
                let text = format!("`{}` is a native sink: it comes with the program", decl.name.value);
                return Err(Failure::Failed(text));
            }
        };
        let written = path.strip_prefix(&decl.folder).unwrap_or(path).to_string_lossy().into_owned();
        let digest = decl.digest.as_ref().map(|digest| digest.value);
        Ok(Self { key, path: path.clone(), version: Version { path: written, digest } })
    }

    /// A file beside the present one, as the manifest names it.
    fn written(&self, path: &Path) -> String {
        let name = path.file_name().unwrap_or_default();
        Path::new(&self.version.path).with_file_name(name).to_string_lossy().into_owned()
    }

    /// What to go back to. A module without a pin is kept under its digest, since its file may be written over. A script
    /// without one may import others, so that its file alone would not be all of it: it is named as it was.
    fn kept(&self) -> Result<Option<Version>, String> {
        if self.version.digest.is_some() || self.key == "script" {
            return Ok(Some(self.version.clone()));
        }
        // What can't be read is not in force either.
        let Ok(bytes) = std::fs::read(&self.path) else { return Ok(None) };
        let digest = blake3::hash(&bytes);
        let path = named(&self.path, &digest);
        put(&path, &bytes)?;
        Ok(Some(Version { path: self.written(&path), digest: Some(digest) }))
    }
}
