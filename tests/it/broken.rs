//! Broken configurations and manifests, each beside the exact text that `mailsluice check` must print.
//!
//! A case is a folder under `tests/broken` with a `mailsluice.toml`, or purposely without one, and an
//! `expected.txt`. `UPDATE=1` writes what is printed now into `expected.txt`; read the difference before you
//! commit it.

use mailsluice::config::{Diagnostics, Settings};
use std::fs;
use std::path::Path;

/// What `check` prints about a folder; paths as if it had been run inside.
fn check(folder: &Path) -> String {
    let mut found = Diagnostics::default();
    Settings::read(&folder.join("mailsluice.toml"), &mut found);
    found.to_string().replace(&format!("{}/", folder.display()), "")
}

#[test]
fn every_broken_configuration_is_told_exactly() {
    let update = std::env::var_os("UPDATE").is_some();
    let root = Path::new("tests/broken");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(root).expect("tests/broken") {
        let folder = entry.expect("a folder").path();
        if !folder.is_dir() {
            continue;
        }
        cases += 1;
        let told = check(&folder);
        let expected = folder.join("expected.txt");
        assert!(!told.is_empty(), "{}: nothing is wrong here", folder.display());
        if update {
            fs::write(&expected, &told).expect("expected.txt can be written");
            continue;
        }
        match fs::read_to_string(&expected) {
            Ok(want) if want == told => {}
            Ok(want) => wrong.push(format!("{}\n--- expected\n{want}\n--- told\n{told}", folder.display())),
            Err(_) => wrong.push(format!("{} lacks its expected.txt; it would be\n{told}", folder.display())),
        }
    }
    assert!(cases >= 25, "only {cases} cases were found");
    assert!(wrong.is_empty(), "{}\nUPDATE=1 rewrites them", wrong.join("\n\n"));
}
