//! The counts that are kept in the repository: reading, comparing, writing.
//!
//! They hold for one compiler and one architecture; with others nothing is compared. Another valgrind or C library changes
//! little, and is told.

use super::valgrind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

const HEAD: &str = "\
# Instructions per operation on the hot paths. `make count` compares with these, `make count-keep` writes them anew and leaves
# the tolerances, which are in per cent, up and down. CONTRIBUTING.md says what to do when a count changes.

";

/// The file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    rustc: String,
    arch: String,
    valgrind: String,
    libc: String,
    tolerance: Tolerance,
    counts: BTreeMap<String, u64>,
}

/// How far a count may be off, in per cent. What one thread does alone is counted to the same number each time; where threads
/// hand work over, it depends on who is asleep by then.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Tolerance {
    default: f64,
    wider: BTreeMap<String, f64>,
}

impl Tolerance {
    fn of(&self, name: &str) -> f64 {
        self.wider.get(name).copied().unwrap_or(self.default)
    }
}

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "benches/count/counts.toml"].iter().collect()
}

fn rustc() -> String {
    let said = valgrind::first_line("rustc", "--version").unwrap_or_default();
    said.split(' ').nth(1).unwrap_or("unknown").to_owned()
}

fn libc() -> String {
    valgrind::first_line("getconf", "GNU_LIBC_VERSION").unwrap_or_else(|| "unknown".to_owned())
}

impl Kept {
    pub(crate) fn read() -> Result<Self, String> {
        let text = std::fs::read_to_string(path()).map_err(|e| format!("{}: {e}", path().display()))?;
        toml::from_str(&text).map_err(|e| format!("{}: {e}", path().display()))
    }

    pub(crate) fn write(&self) -> Result<(), String> {
        let text = toml::to_string(self).map_err(|e| e.to_string())?;
        std::fs::write(path(), format!("{HEAD}{text}")).map_err(|e| format!("{}: {e}", path().display()))
    }

    /// The same tolerances, with what was counted here and now.
    pub(crate) fn renewed(self, counts: BTreeMap<String, u64>) -> Self {
        Self {
            rustc: rustc(),
            arch: std::env::consts::ARCH.to_owned(),
            valgrind: valgrind::version().unwrap_or_default(),
            libc: libc(),
            tolerance: self.tolerance,
            counts,
        }
    }

    /// Why what is counted here says nothing about what is kept.
    pub(crate) fn incomparable(&self) -> Option<String> {
        for (what, kept, here) in
            [("rustc", &self.rustc, rustc()), ("architecture", &self.arch, std::env::consts::ARCH.to_owned())]
        {
            if *kept != here {
                return Some(format!("{what} is {here}, and the counts were kept with {kept}: run `make count-keep`"));
            }
        }
        None
    }

    /// Prints both, and says what to do if they differ by more than the tolerance.
    pub(crate) fn compare(&self, counts: &BTreeMap<String, u64>) -> Result<(), String> {
        println!(
            "{:<42}{:>10}{:>10}{:>10}{:>11}",
            "instructions per operation", "kept", "now", "per cent", "tolerance"
        );
        let (mut slower, mut outdated) = (false, false);
        for (name, now) in counts {
            let Some(kept) = self.counts.get(name) else {
                println!("{name:<42}{:>10}{now:>10}", "none");
                outdated = true;
                continue;
            };
            let (change, tolerance) = ((*now as f64 / *kept as f64 - 1.0) * 100.0, self.tolerance.of(name));
            let (up, down) = (change > tolerance, change < -tolerance);
            slower |= up;
            outdated |= down;
            let mark = if up {
                "  slower"
            } else if down {
                "  faster"
            } else {
                ""
            };
            println!("{name:<42}{kept:>10}{now:>10}{change:>+10.2}{tolerance:>11}{mark}");
        }
        self.tell_of_strangers();
        verdict(slower, outdated)
    }

    fn tell_of_strangers(&self) {
        let version = valgrind::version().unwrap_or_default();
        for (what, kept, here) in [("valgrind", &self.valgrind, version), ("libc", &self.libc, libc())] {
            if *kept != here {
                println!("{what} is {here}, and the counts were kept with {kept}");
            }
        }
    }
}

fn verdict(slower: bool, outdated: bool) -> Result<(), String> {
    if slower {
        return Err(format!(
            "a hot path takes more instructions than its tolerance allows. Make it fast again; if what it does now is worth it, \
             run `make count-keep` and say so in the commit. `callgrind_annotate` shows which functions grew: the profiles are \
             in {}/count",
            env!("CARGO_TARGET_TMPDIR")
        ));
    }
    if outdated {
        return Err(
            "something counted is new, or has become faster than its tolerance allows: run `make count-keep`, so that \
                    the gain is kept"
                .to_owned(),
        );
    }
    Ok(())
}
