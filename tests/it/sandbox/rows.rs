//! The table of known hazards, held against the guests and the tests that there are: a hazard has a guest or a reason, a guest
//! has a hazard, and both have a test.

use super::guests;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What the guest does.
    does: String,
    #[serde(default)]
    guests: Vec<String>,
    /// Why there is no guest.
    without: Option<String>,
    tests: Vec<String>,
}

fn rows() -> BTreeMap<String, Row> {
    toml::from_str(&std::fs::read_to_string(guests::source("rows.toml")).unwrap()).unwrap_or_else(|e| panic!("{e}"))
}

/// The text of all files of Rust in a folder, and below.
fn code(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&code(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    all
}

#[test]
fn every_hazard_has_its_guest_or_a_reason_and_every_guest_its_test() {
    let rows = rows();
    assert!((1..=40).map(|n| format!("WASM-{n:02}")).eq(rows.keys().cloned()), "the hazards have no gap");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, tests) = (code(&root.join("src")) + &code(&root.join("tests/it")), code(&root.join("tests/it/sandbox")));
    let there: BTreeSet<String> = guests::all().into_iter().collect();
    for (name, row) in &rows {
        assert!(!row.does.is_empty() && row.guests.is_empty() == row.without.is_some(), "{name}: guests or a reason");
        assert!(!row.tests.is_empty(), "{name}: no test");
        let gone = row.guests.iter().find(|guest| !there.contains(*guest));
        assert!(gone.is_none(), "{name}: there is no guest {gone:?}");
        let gone = row.tests.iter().find(|test| !code.contains(&format!("fn {test}()")));
        assert!(gone.is_none(), "{name}: there is no test {gone:?}");
    }
    for guest in &there {
        assert!(rows.values().any(|row| row.guests.contains(guest)), "{guest} acts out nothing");
        assert!(tests.contains(&format!("\"{guest}\"")), "no test names {guest}");
    }
}
