//! The dialogues of `tests/dialogues`, whose README says how they are written. They are read and run as `mailsluice sink test`
//! does it.

pub(crate) use mailsluice::cli::dialogue::{Accepted, Dialogue, Driver, Heard, Packets, Setup, Trusted};

use std::fs;
use std::path::PathBuf;

/// All dialogues, in the order of their names.
pub(crate) fn all() -> Vec<Dialogue> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let files = fs::read_dir(folder).expect("tests/dialogues").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "smtp")).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}"));
        Dialogue::parse(&name, &text).unwrap_or_else(|e| panic!("{e}"))
    };
    files.iter().map(read).collect()
}
