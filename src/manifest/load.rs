//! Configuration and manifest together, checked in one pass: what `check`, `serve` and a reload have in common.

use super::Manifest;
use super::build::{Built, Loaded, Workshop, build};
use crate::config::{Diagnostics, Settings};
use crate::event::Files;
use crate::snapshot::Snapshot;
use crate::tls;
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
    let settings = Settings::read(config, found);
    see(inputs, config, found);
    let settings = settings?;
    settings.files.iter().for_each(|file| see(inputs, file, found));
    for file in settings.pem_files.iter().chain(&settings.credential_files) {
        match found.sources.digest(file) {
            Some(digest) => inputs.note_credential(file, digest),
            None => drop(inputs.read_credential(&file.to_string_lossy())),
        }
    }
    tls::check(&settings, found);
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
    let manifest = Manifest::read(path, found);
    see(inputs, path, found);
    let Some(manifest) = manifest else { return Built::default() };
    manifest.files.iter().for_each(|file| see(inputs, &file.path, found));
    let built = build(&manifest, workshop, before, found);
    inputs.merge(&built.files);
    built
}

/// Notes a file as it was read. To read it once more would note what it has become since: it would be kept unchecked, and the
/// change would not be seen. One that can't be read is watched all the same; why it can't is told by whoever needs it.
fn see(inputs: &mut Inputs, path: &Path, found: &Diagnostics) {
    match found.sources.digest(path) {
        Some(digest) => inputs.note(path, digest),
        None => drop(inputs.read(&path.to_string_lossy())),
    }
}

impl Load {
    /// The snapshot, and what the next reload carries over.
    pub fn into_snapshot(self, generation: u64) -> Result<(Snapshot, Vec<Loaded>), String> {
        let registered = self.built.registered();
        let snapshot = Snapshot::new(generation, self.settings, self.built.dispatcher, registered)?;
        Ok((snapshot, self.built.sinks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_noted_as_it_was_read_and_not_as_it_is_by_now() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sinks.toml");
        std::fs::write(&path, "good").unwrap();
        let (mut found, mut inputs) = (Diagnostics::default(), Inputs::default());
        found.open(&path, None).unwrap();
        std::fs::write(&path, "half a sentence").unwrap();
        see(&mut inputs, &path, &found);
        assert_eq!(inputs.seen()[&path], Some(blake3::hash(b"good")));
        assert!(!inputs.unchanged(), "the change is seen");
        // What nobody has read is watched as it is.
        let other = dir.path().join("list");
        std::fs::write(&other, "x").unwrap();
        see(&mut inputs, &other, &found);
        assert_eq!(inputs.seen()[&other], Some(blake3::hash(b"x")));
    }
}
