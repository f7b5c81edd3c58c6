//! Configuration and manifest together, checked in one pass: what `check`, `serve` and a reload have in common.

use super::Manifest;
use super::build::{Built, Loaded, Workshop, build};
use crate::config::{Diagnostics, Settings};
use crate::event::Files;
use crate::snapshot::Snapshot;
use std::path::Path;

/// Everything that was read, ready to be put in force.
pub struct Load {
    /// The configuration.
    pub settings: Settings,
    /// The manifest, built.
    pub built: Built,
    /// Warnings.
    pub found: Diagnostics,
}

/// The files that decide about a load, with their bytes: to see whether anything has changed since.
pub type Inputs = Files;

/// Reads everything beginning with the configuration file. `inputs` learns what was read, also on failure.
pub fn load(config: &Path, workshop: &Workshop, before: &[Loaded], inputs: &mut Inputs) -> Result<Load, Diagnostics> {
    let mut found = Diagnostics::default();
    match read_settings(config, inputs, &mut found) {
        Some(settings) => load_with(settings, found, workshop, before, inputs),
        None => Err(found),
    }
}

/// Reads the configuration alone. Settings may come with errors in `found`.
pub fn read_settings(config: &Path, inputs: &mut Inputs, found: &mut Diagnostics) -> Option<Settings> {
    see(inputs, config);
    let settings = Settings::read(config, found)?;
    settings.files.iter().for_each(|file| see(inputs, file));
    Some(settings)
}

/// The rest of [`load`], for settings that have been read; `found` is what was found in them.
pub fn load_with(
    settings: Settings,
    mut found: Diagnostics,
    workshop: &Workshop,
    before: &[Loaded],
    inputs: &mut Inputs,
) -> Result<Load, Diagnostics> {
    let manifest = settings.manifest.as_deref();
    let built = manifest.map(|path| read_manifest(path, workshop, before, inputs, &mut found)).unwrap_or_default();
    if found.has_errors() { Err(found) } else { Ok(Load { settings, built, found }) }
}

/// Reads and builds a manifest alone.
pub fn read_manifest(
    path: &Path,
    workshop: &Workshop,
    before: &[Loaded],
    inputs: &mut Inputs,
    found: &mut Diagnostics,
) -> Built {
    see(inputs, path);
    let Some(manifest) = Manifest::read(path, found) else { return Built::default() };
    manifest.files.iter().for_each(|file| see(inputs, &file.path));
    let built = build(&manifest, workshop, before, found);
    inputs.merge(&built.files);
    built
}

/// A file that can't be read is watched all the same; why it can't is told by whoever needs it.
fn see(inputs: &mut Inputs, path: &Path) {
    let _ = inputs.read(&path.to_string_lossy());
}

impl Load {
    /// The snapshot, and what the next reload carries over.
    pub fn into_snapshot(self, generation: u64) -> Result<(Snapshot, Vec<Loaded>), String> {
        let registered = self.built.registered();
        let snapshot = Snapshot::new(generation, self.settings, self.built.dispatcher, registered)?;
        Ok((snapshot, self.built.sinks))
    }
}
