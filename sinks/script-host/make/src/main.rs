//! `cargo run -p make-script-host`: builds the script host and keeps it with its digest.
//!
//! The component is kept in the repository, so that nobody needs a C compiler that knows WebAssembly to use scripts. `--check`
//! builds it again and compares: what is kept must be the build of its source, to the byte, whoever builds it and wherever.

mod build;
mod kept;
mod snapshot;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: make-script-host [--check]

Builds sinks/script-host and writes script-host.wasm and its digest there. With --check nothing is
written: the exit code is 1 if what is kept is not the build of its source.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => make().and_then(|wasm| kept::write(&folder(), &wasm)),
        ["--check"] => make().and_then(|wasm| kept::check(&folder(), &wasm)),
        ["--help" | "-h"] => Ok(USAGE.to_owned()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("make-script-host: {text}");
            ExitCode::FAILURE
        }
    }
}

fn make() -> Result<Vec<u8>, String> {
    let core = build::guest(&folder())?;
    let component = snapshot::wrap(&core)?;
    snapshot::initialise(&component)
}

/// `sinks/script-host`: beside this program's source, where cargo says that it is.
fn folder() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().map(Path::to_owned).unwrap_or(own)
}
