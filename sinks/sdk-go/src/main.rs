//! Writes the Go bindings of a sink, and what the module exports and imports into the module.
//!
//! ```text
//! mailsluice-sink-go bindings in-rcpt,transport-submit FOLDER
//! mailsluice-sink-go embed    in-rcpt,transport-submit MODULE.wasm
//! ```
//!
//! The interfaces are those that the sink exports: events by their WIT names, `claims`, `self-test`. What it may import is everything;
//! what it does not call is left out when the server wraps the module.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::ExitCode;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_go::Opts;
use wit_component::{StringEncoding, embed_component_metadata};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailsluice-sink-go: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [verb, exports, path] = args.as_slice() else {
        bail!("usage: mailsluice-sink-go bindings|embed INTERFACE,… PATH");
    };
    let exports: Vec<&str> = exports.split(',').filter(|name| !name.is_empty()).collect();
    let (resolve, world) = world(&exports)?;
    match verb.as_str() {
        "bindings" => bindings(resolve, world, Path::new(path)),
        "embed" => embed(&resolve, world, Path::new(path)),
        _ => bail!("there is no verb `{verb}`"),
    }
}

fn bindings(mut resolve: Resolve, world: WorldId, folder: &Path) -> Result<()> {
    let mut files = Files::default();
    Opts::default().build().generate(&mut resolve, world, &mut files)?;
    for (name, octets) in files.iter() {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("can't make {}", parent.display()))?;
        std::fs::write(&path, octets).with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

fn embed(resolve: &Resolve, world: WorldId, module: &Path) -> Result<()> {
    let mut octets = std::fs::read(module).with_context(|| format!("can't read {}", module.display()))?;
    embed_component_metadata(&mut octets, resolve, world, StringEncoding::UTF8)?;
    std::fs::write(module, octets).with_context(|| format!("can't write {}", module.display()))
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
    let text = format!("package mailsluice:go; world sink {{ include mailsluice:sink/granted@1.0.0; {exports} }}");
    let package = resolve.push_str("sink.wit", &text)?;
    let world = resolve.select_world(&[package], Some("sink"))?;
    Ok((resolve, world))
}
