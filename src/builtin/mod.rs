//! The native sinks that ship, and the one table of them.
//!
//! Each has its page under `docs/sinks/`. A new one is a file here, a line in [`natives`], and its page.

mod access;
mod accounts;
mod archive;
mod atrn;
pub mod bucket;

mod etrn;
mod greylist;
mod headers;
mod log;
mod network;
mod policy;
mod rate_limit;
#[cfg(test)]
mod rig;
mod scopes;
mod turn;
mod value;
mod x_exps;
mod xexch50;

use crate::event::Natives;

/// The native sinks that ship, by the names under which a manifest finds them.
pub fn natives() -> Natives {
    Natives::default()
        .with_checks("access", access::open)
        .with("archive", archive::open)
        .with("atrn", atrn::open)
        .with("etrn", etrn::open)
        .with("greylist", greylist::open)
        .with("headers", headers::open)
        .with("log", log::open)
        .with_checks("policy", policy::open)
        .with("rate-limit", rate_limit::open)
        .with("turn", turn::open)
        .with("x-exps", x_exps::open)
        .with("xexch50", xexch50::open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn pages() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sinks");
        let mut pages: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        pages.retain(|page| !page.ends_with("README.md"));
        pages.sort();
        pages
    }

    #[test]
    fn every_sink_has_its_page_and_every_page_its_sink() {
        let pages: Vec<PathBuf> = pages().iter().map(|page| page.with_extension("")).collect();
        let pages: Vec<&str> = pages.iter().filter_map(|page| page.file_name()?.to_str()).collect();
        assert_eq!(pages, natives().names().collect::<Vec<_>>());
    }

    #[test]
    fn the_example_of_every_page_can_be_opened() {
        for page in pages() {
            let text = std::fs::read_to_string(&page).unwrap();
            let examples = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
            let sinks: usize = examples.map(rig::open_manifest).sum();
            assert!(sinks > 0, "{} has no example", page.display());
        }
    }
}
