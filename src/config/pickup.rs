//! `[pickup]`: a directory from which messages are taken.

use super::diagnostic::Diagnostics;
use super::path;
use super::reader::Table;
use std::path::{Path, PathBuf};

/// What the server keeps under data-dir for itself. Files there are no messages to be sent.
const OURS: [&str; 6] = ["badmail", "history", "mail", "manifest", "run", "spool"];

/// The pickup directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pickup {
    /// `directory`: whose files are submitted, under data-dir unless absolute. Default: none.
    pub directory: Option<PathBuf>,
}

impl Pickup {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, data_dir: &Path) -> Self {
        let directory = table.get("directory", found, |node, found| {
            let given = path::below(data_dir, node, found)?;
            let whole = std::path::absolute(&given).unwrap_or(given);
            let plain: PathBuf = whole.components().collect();
            if is_ours(&plain, data_dir) {
                let told = found.error(node.span, "the server keeps files of its own in that directory");
                told.help("everything in a pickup directory is sent and removed: use one that is for nothing else");
                return None;
            }
            Some(plain)
        });
        Self { directory }
    }
}

fn is_ours(directory: &Path, data_dir: &Path) -> bool {
    let below = directory.strip_prefix(data_dir).ok().and_then(|rest| rest.components().next());
    data_dir.starts_with(directory)
        || directory.components().any(|part| part == std::path::Component::ParentDir)
        || below.is_some_and(|first| OURS.iter().any(|name| first.as_os_str() == *name))
}

#[cfg(test)]
mod tests {
    use super::super::settings::Settings;
    use super::*;

    fn parse(rest: &str) -> Result<Option<PathBuf>, String> {
        let text = format!(
            "hostname = 'mx.example.com'\ndata-dir = '/srv/m'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\n{rest}"
        );
        let parsed = Settings::parse(Path::new("/etc/m.toml"), &text);
        parsed.map(|(settings, _)| settings.pickup.directory).map_err(|found| found.to_string())
    }

    #[test]
    fn off_unless_it_is_set() {
        assert_eq!(parse(""), Ok(None));
        assert_eq!(parse("[pickup]\n"), Ok(None));
        assert_eq!(parse("[pickup]\ndirectory = 'pickup/'\n"), Ok(Some("/srv/m/pickup".into())));
        assert_eq!(parse("[pickup]\ndirectory = '/var/spool/out'\n"), Ok(Some("/var/spool/out".into())));
    }

    #[test]
    fn what_would_send_the_server_s_own_files_is_an_error() {
        for directory in [".", "/", "/srv", "/srv/m/spool", "mail/x", "badmail", "x/../spool"] {
            let told = parse(&format!("[pickup]\ndirectory = '{directory}'\n")).unwrap_err();
            assert!(told.contains("keeps files of its own"), "{directory}: {told}");
        }
        for drop in ["[delivery]\nlocal = { drop = 'out' }", "[[route]]\ndomain = '*'\nto = { drop = 'out' }"] {
            let told = parse(&format!("[pickup]\ndirectory = 'out'\n{drop}\n")).unwrap_err();
            assert!(told.contains("go in circles"), "{told}");
        }
    }
}
