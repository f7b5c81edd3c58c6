//! The guest as a core module: cargo, with an environment of its own.
//!
//! The bytes must not depend on who builds where, so every path that the compilers might write down is mapped to a fixed one, and
//! nothing that steers the outer build reaches the inner one.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the guest, and returns its module.
pub(crate) fn guest(folder: &Path) -> Result<Vec<u8>, String> {
    let sinks = folder.parent().unwrap_or(folder);
    let root = sinks.parent().unwrap_or(sinks);
    let target = target_folder(root);
    let clang = clang()?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(sinks)
        .args([
            "build",
            "--profile",
            "script-host",
            "--locked",
            "--package",
            "script-host",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(&target);
    for (name, _) in env::vars_os().filter(|(name, _)| is_outer(name)) {
        cargo.env_remove(name);
    }
    let maps = maps(root, &target);
    let join = |prefix: &str, between: &str| {
        let each = |(from, to): &(PathBuf, &str)| format!("{prefix}{}={to}", from.display());
        maps.iter().map(each).collect::<Vec<_>>().join(between)
    };
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", join("--remap-path-prefix=", "\x1f"))
        .env("CFLAGS_wasm32_unknown_unknown", join("-ffile-prefix-map=", " "))
        .env("CC_wasm32_unknown_unknown", &clang)
        .env("CARGO_INCREMENTAL", "0");
    if let Some(archiver) = archiver(&clang) {
        cargo.env("AR_wasm32_unknown_unknown", archiver);
    }
    let status = cargo.status().map_err(|error| format!("cargo does not run: {error}"))?;
    if !status.success() {
        return Err(format!(
            "the guest does not build (see above). If its target is not there: rustup target add {TARGET}"
        ));
    }
    let module = target.join(TARGET).join("script-host/script_host.wasm");
    fs::read(&module).map_err(|error| format!("{}: {error}", module.display()))
}

/// Whether a variable belongs to the build that runs this program.
fn is_outer(name: &OsString) -> bool {
    const NAMES: [&str; 12] = [
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_LINKER",
        "CFLAGS",
        "CXXFLAGS",
        "CC",
        "AR",
        "SOURCE_DATE_EPOCH",
        "CPATH",
    ];
    let name = name.to_string_lossy();
    let is_cargo_s =
        name.starts_with("CARGO") && !["CARGO_HOME", "CARGO"].contains(&&*name) && !name.starts_with("CARGO_NET");
    is_cargo_s
        || NAMES.contains(&&*name)
        || ["CC_", "CFLAGS_", "AR_", "TARGET_"].iter().any(|begin| name.starts_with(begin))
}

/// A folder of its own within the build's: a cargo that waits for the folder that its caller has locked waits for ever.
fn target_folder(root: &Path) -> PathBuf {
    let outer = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    outer.join("script-host")
}

/// What the paths that compilers write down become. The last that fits counts for rustc, so the longer ones come later.
fn maps(root: &Path, target: &Path) -> Vec<(PathBuf, &'static str)> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).current_dir(root).output();
    let sysroot = sysroot.map(|found| String::from_utf8_lossy(&found.stdout).trim().to_owned()).unwrap_or_default();
    let mut maps = vec![(root.to_owned(), "/mailsluice"), (cargo, "/cargo")];
    if !sysroot.is_empty() {
        maps.push((sysroot.into(), "/rust"));
    }
    maps.push((target.to_owned(), "/target"));
    maps
}

/// A clang that can make WebAssembly; the one that the kept component was built with is asked for first.
fn clang() -> Result<OsString, String> {
    let wanted = env::var_os("MAILSLUICE_CLANG");
    let names = wanted.into_iter().chain(["clang-14", "clang"].map(OsString::from));
    names.into_iter().find(knows_wasm).ok_or_else(|| {
        "there is no clang that can make WebAssembly, which building the script host needs (using it does not). On Debian or \
         Ubuntu: apt-get install clang-14 libclang-common-14-dev llvm-14. Or name one: MAILSLUICE_CLANG=/path/to/clang"
            .to_owned()
    })
}

fn knows_wasm(name: &OsString) -> bool {
    let found = Command::new(name).arg("--print-targets").output();
    found.is_ok_and(|found| String::from_utf8_lossy(&found.stdout).contains("wasm32"))
}

/// The archiver of the same LLVM, if it is there; without one the C library's own is tried.
fn archiver(clang: &OsString) -> Option<String> {
    let version = clang.to_string_lossy().rsplit('/').next()?.strip_prefix("clang")?.to_owned();
    let name = format!("llvm-ar{version}");
    Command::new(&name).arg("--version").output().is_ok().then_some(name)
}
