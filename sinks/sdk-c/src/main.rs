//! Writes the C bindings of a sink: `sink.h`, `sink.c` and the object file that says what the module exports and imports.
//!
//! ```text
//! mailsluice-sink-c in-rcpt,transport-submit FOLDER
//! ```
//!
//! The interfaces are those that the sink exports: events by their WIT names, `claims`, `self-test`. What it may import is everything;
//! what it does not call is left out when the server wraps the module.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wit_bindgen_c::{Enabled, Opts};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldId, WorldKey};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailsluice-sink-c: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(exports), Some(folder), None) = (args.next(), args.next(), args.next()) else {
        bail!("usage: mailsluice-sink-c INTERFACE,… FOLDER");
    };
    let exports: Vec<&str> = exports.split(',').filter(|name| !name.is_empty()).collect();
    let (mut resolve, world) = world(&exports)?;
    let mut files = Files::default();
    let opts = Opts { rename: short_names(&resolve, world), autodrop_borrows: Enabled::Yes, ..Default::default() };
    opts.build().generate(&mut resolve, world, &mut files)?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    for (name, octets) in files.iter() {
        let path = folder.join(name);
        std::fs::write(&path, octets).with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

/// `kv_get` and `mail_method_message_header`, where it would be `mailsluice_sink_kv_get` and so on.
fn short_names(resolve: &Resolve, world: WorldId) -> Vec<(String, String)> {
    let world = &resolve.worlds[world];
    let names = world.imports.keys().chain(world.exports.keys()).filter_map(|key| {
        let WorldKey::Interface(id) = key else { return None };
        let name = resolve.interfaces[*id].name.as_deref()?;
        Some((resolve.name_world_key(key), if name == "types" { "mail".into() } else { name.replace('-', "_") }))
    });
    names.collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// The world that exports these interfaces and may import everything that a manifest can grant.
fn world(exports: &[&str]) -> Result<(Resolve, WorldId)> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/1.0");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit).with_context(|| format!("can't read {}", wit.display()))?;
    let known = &resolve.packages[package].interfaces;
    if let Some(unknown) = exports.iter().find(|name| !known.contains_key(**name)) {
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        bail!("there is no interface `{unknown}`; there are: {}", known.join(", "));
    }
    let exports: String = exports.iter().map(|name| format!("export mailsluice:sink/{name}@1.0.0;")).collect();
    let text = format!("package mailsluice:c; world sink {{ include mailsluice:sink/granted@1.0.0; {exports} }}");
    let package = resolve.push_str("sink.wit", &text)?;
    let world = resolve.select_world(&[package], Some("sink"))?;
    Ok((resolve, world))
}
