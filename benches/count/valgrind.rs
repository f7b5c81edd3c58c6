//! Runs this program under callgrind, and reads from its profile what it has counted.
//!
//! Valgrind brings a processor of its own, with one set of features for all machines that have AVX2, so that what looks for
//! features at run time takes the same path everywhere. All threads count; they run one at a time. The profiles stay in the target
//! folder, for `callgrind_annotate` to tell which function has grown.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Why nothing can be counted here.
pub(crate) fn absent() -> Option<String> {
    version()
        .is_none()
        .then(|| "there is no valgrind, which counts instructions (Debian's package: valgrind)".to_owned())
}

/// Valgrind's version.
pub(crate) fn version() -> Option<String> {
    let said = first_line("valgrind", "--version")?;
    said.strip_prefix("valgrind-").map(str::to_owned)
}

/// What a program says first when it is asked this.
pub(crate) fn first_line(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(|line| line.trim().to_owned())
}

/// Instructions of one repetition.
pub(crate) fn per_operation(name: &str, repetitions: u64) -> Result<u64, String> {
    let (once, twice) = (total(name, repetitions)?, total(name, 2 * repetitions)?);
    twice
        .checked_sub(once)
        .map(|difference| (difference + repetitions / 2) / repetitions)
        .ok_or_else(|| format!("`{name}`: {twice} instructions for twice the work, {once} for once"))
}

/// Instructions of a process that does so much.
fn total(name: &str, repetitions: u64) -> Result<u64, String> {
    let profile = profile(name)?;
    let program = std::env::current_exe().map_err(|e| format!("where is this program? {e}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "-q"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .args(["--run", name, &repetitions.to_string()])
        // What happens to be set here, RUST_LOG for one, makes no difference.
        .env_clear()
        .env("TMPDIR", folder())
        .output()
        .map_err(|e| format!("valgrind does not run: {e}"))?;
    if !output.status.success() {
        return Err(format!("`{name}` failed under valgrind:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = std::fs::read_to_string(&profile).map_err(|e| format!("{}: {e}", profile.display()))?;
    let totals = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    totals.and_then(|n| n.trim().parse().ok()).ok_or_else(|| format!("{}: no totals in it", profile.display()))
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn profile(name: &str) -> Result<PathBuf, String> {
    let folder = folder().join("count");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(folder.join(format!("callgrind.out.{plain}")))
}
