//! The guests of `tests/guests/`: built once by the test run itself, with no environment but its own, and read by name.

use super::text;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// Guests that need WASI: they are built for the target that has it.
const WASI: [&str; 2] = ["reaches", "sleeps"];
const PLAIN_TARGET: &str = "wasm32-unknown-unknown";
const WASI_TARGET: &str = "wasm32-wasip2";

/// A file of the sources.
pub(super) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name)
}

/// The file of a guest, as a manifest names it.
pub(super) fn path(name: &str) -> PathBuf {
    let script = source(&format!("scripts/{name}.js"));
    if script.exists() {
        return script;
    }
    let text = source(&format!("wat/{name}.wat"));
    if text.exists() {
        return made(name, &text);
    }
    built()
        .join(if WASI.contains(&name) { WASI_TARGET } else { PLAIN_TARGET })
        .join("release/examples")
        .join(format!("{name}.wasm"))
}

/// The octets of a guest.
pub(super) fn guest(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("the guest {}: {e}", path.display()))
}

/// All guests by name: those in Rust, those as text, and scripts.
pub(super) fn all() -> Vec<String> {
    let names = |folder: &str, extension: &str| {
        let entries = std::fs::read_dir(source(folder)).unwrap().map(|entry| entry.unwrap().path());
        let ours = entries.filter(|path| path.extension().is_some_and(|it| it == extension));
        ours.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    [names("examples", "rs"), names("wat", "wat"), names("scripts", "js")].concat()
}

/// The target folder, with everything in Rust built.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/guests");
        cargo(&folder, &["--examples", "--target", PLAIN_TARGET]);
        let wasi = WASI.map(|name| ["--example", name]).concat();
        cargo(&folder, &[&["--features", "wasi", "--target", WASI_TARGET][..], &wasi].concat());
        folder
    })
}

/// Builds with the tools of the test run, and with nothing else of its environment: flags and wrappers are for its own target.
fn cargo(folder: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--locked", "--release", "--quiet", "--manifest-path"]).arg(source("Cargo.toml"));
    command.arg("--target-dir").arg(folder).args(args);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let leaks =
            ["CARGO_ENCODED_", "CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_", "RUSTFLAGS", "RUSTC", "RUSTDOC"];
        if leaks.iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    let output = command.output().expect("starting cargo");
    assert!(output.status.success(), "the guests don't build:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The file of a guest that is kept as text; it is made once.
fn made(name: &str, text: &Path) -> PathBuf {
    static MADE: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut known = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let make = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
        std::fs::create_dir_all(&folder).unwrap();
        let octets = text::module(&std::fs::read_to_string(text).unwrap());
        let octets = octets.unwrap_or_else(|e| panic!("the guest {}: {e}", text.display()));
        let path = folder.join(format!("{name}.wasm"));
        // Test runs may overlap: who reads it finds all of it.
        let mut file = tempfile::NamedTempFile::new_in(&folder).unwrap();
        std::io::Write::write_all(&mut file, &octets).unwrap();
        file.persist(&path).unwrap();
        path
    };
    known.entry(name.to_owned()).or_insert_with(make).clone()
}
