//! The fuzz targets without a fuzzer: each is given its seeds, and then a number of inputs that are made of those by
//! chance. The same number makes the same inputs, on any machine.
//!
//! `MAILSLUICE_FUZZ=100000` gives each target that many inputs. `MAILSLUICE_FUZZ_INPUT=line:1234` gives one target one
//! input, as it is said when that input fails.

#[path = "../reference/mod.rs"]
mod reference;
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

mod made;

use made::Maker;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use targets::TARGETS;

/// Inputs for each target, if nothing else is said.
const INPUTS: u64 = 8000;
/// Targets of which an input takes longer, and how many times fewer they get.
const SLOW: [(&str, u64); 4] = [("spool_record", 10), ("manifest", 3), ("bdat", 2), ("session", 2)];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The seeds of a target with their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| {
        let octets = fs::read(folder("seeds").join(target).join(&name)).expect("a seed");
        (name, octets)
    };
    names(&folder("seeds").join(target)).into_iter().map(read).collect()
}

/// The names in a folder, in their order.
fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    files.map(|file| file.expect("a file").file_name().into_string().expect("a name")).collect()
}

/// Gives a target an input. Whatever fails, it is said how to repeat it.
fn give(target: &str, what: &str, input: &[u8]) {
    let (_, assert) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    if catch_unwind(AssertUnwindSafe(|| assert(input))).is_err() {
        panic!("the target {target} failed on {what}, which is\n{}", input.escape_ascii());
    }
}

/// All seeds, and inputs made of them.
fn bounded(target: &str) {
    let seeds = seeds(target);
    let maker = Maker::new(target, seeds.iter().map(|(_, octets)| octets.clone()).collect());
    let made = |number| {
        let again = format!("MAILSLUICE_FUZZ_INPUT={target}:{number} cargo test --test fuzz");
        give(target, &format!("input {number} (again: {again})"), &maker.input(number));
    };
    if let Ok(one) = std::env::var("MAILSLUICE_FUZZ_INPUT") {
        let (name, number) = one.split_once(':').expect("MAILSLUICE_FUZZ_INPUT is target:number");
        if name == target {
            made(number.parse().expect("a number"));
        }
        return;
    }
    for (name, octets) in &seeds {
        give(target, &format!("the seed {name}"), octets);
    }
    let inputs = std::env::var("MAILSLUICE_FUZZ").map_or(INPUTS, |n| n.parse().expect("MAILSLUICE_FUZZ is a number"));
    let share = SLOW.iter().find(|(name, _)| *name == target).map_or(1, |(_, share)| *share);
    (0..inputs / share).for_each(made);
}

/// A test for each target.
macro_rules! tests {
    ($($target:ident),*) => {
        const TESTS: &[&str] = &[$(stringify!($target)),*];
        $(#[test]
        fn $target() {
            bounded(stringify!($target));
        })*
    };
}
tests!(
    line,
    command,
    address,
    header,
    bdat,
    spool_record,
    manifest,
    configuration,
    property_blob,
    rule,
    session,
    proxy,
    sasl,
    xclient
);

#[test]
fn every_target_has_its_test_its_program_and_seeds() {
    let all: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(all.len(), TARGETS.len());
    assert_eq!(all, TESTS.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(all, names(&folder("seeds")));
    let programs = names(&folder("fuzz_targets"));
    assert_eq!(all.iter().map(|name| format!("{name}.rs")).collect::<BTreeSet<_>>(), programs);
    let manifest = fs::read_to_string(folder("Cargo.toml")).expect("fuzz/Cargo.toml");
    for name in &all {
        assert!(!seeds(name).is_empty(), "{name} has no seed");
        let program = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).expect("a program");
        assert!(program.contains(&format!("run(\"{name}\", data)")), "{name}.rs runs another target");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}.rs is not built");
    }
}

#[test]
fn the_same_number_makes_the_same_input() {
    let maker = || Maker::new("line", vec![b"EHLO client.example.org\r\n".to_vec(), b"NOOP\r\n".to_vec()]);
    let inputs = |maker: Maker| (0..200).map(|number| maker.input(number)).collect::<Vec<_>>();
    let first = inputs(maker());
    assert_eq!(first, inputs(maker()));
    assert!(first.iter().collect::<BTreeSet<_>>().len() > 150, "they hardly differ");
}
