//! What is kept in the repository: the component, and its digest as `b3sum` writes it.

use std::fs;
use std::path::Path;

const COMPONENT: &str = "script-host.wasm";
const DIGEST: &str = "script-host.wasm.b3";

/// Writes both.
pub(crate) fn write(folder: &Path, wasm: &[u8]) -> Result<String, String> {
    let line = digest(wasm);
    for (name, octets) in [(COMPONENT, wasm), (DIGEST, line.as_bytes())] {
        let path = folder.join(name);
        fs::write(&path, octets).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(format!("{}: {} octets, {}", folder.join(COMPONENT).display(), wasm.len(), line.trim_end()))
}

/// Says whether both are what was built.
pub(crate) fn check(folder: &Path, wasm: &[u8]) -> Result<String, String> {
    let path = folder.join(COMPONENT);
    let read =
        |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{}: {error}", folder.join(name).display()));
    let (kept, line) = (read(COMPONENT)?, read(DIGEST)?);
    if line != digest(&kept).as_bytes() {
        return Err(format!(
            "{DIGEST} is not the digest of {}: run `make script-host` and commit both",
            path.display()
        ));
    }
    if kept != wasm {
        return Err(format!(
            "{} is not the build of its source. Kept: {} octets, {}Built: {} octets, {}Either the source has changed, then run `make \
             script-host` and commit both files; or this clang is not the one that it was built with, which was clang 14",
            path.display(),
            kept.len(),
            digest(&kept),
            wasm.len(),
            digest(wasm)
        ));
    }
    Ok(format!("{} is the build of its source", path.display()))
}

fn digest(wasm: &[u8]) -> String {
    format!("{}  {COMPONENT}\n", blake3::hash(wasm).to_hex())
}
