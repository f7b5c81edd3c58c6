//! `[dsn]`: what reports to senders look like (RFC 3461, RFC 3464).
//!
//! Who is owed one is for the sender to say, with NOTIFY; when a delay is told stands in `[queue]`.

use super::diagnostic::Diagnostics;
use super::dsn_file;
use super::dsn_template::Template;
use super::path;
use super::reader::Table;
use super::tree::Node;
use super::values::size;
use crate::mail::Mailbox;
use std::path::{Path, PathBuf};

/// The look of delivery status notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dsn {
    /// `template`: the texts for people. Default: the ones that are built in, in English.
    pub template: Template,
    /// `return-size`: up to this size, in octets, a message is returned whole if its sender asked for that. Default: 64 KiB.
    pub return_size: u64,
    /// `postmaster`: whom reports come from and answers to them go to; plain ASCII. Default: `postmaster` at `hostname`.
    pub postmaster: Option<Mailbox>,
}

impl Default for Dsn {
    fn default() -> Self {
        Self { template: Template::built_in(), return_size: 64 << 10, postmaster: None }
    }
}

impl Dsn {
    /// The template's path is added to `files`.
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, base: &Path, files: &mut Vec<PathBuf>) -> Self {
        let default = Self::default();
        let path = table.get("template", found, |node, found| Some((path::below(base, node, found)?, node.span)));
        let template = path.map(|(path, named_at)| {
            let template = dsn_file::read(&path, named_at, found);
            files.push(path);
            template
        });
        Self {
            template: template.unwrap_or(default.template),
            return_size: table.get("return-size", found, size).unwrap_or(default.return_size),
            postmaster: table.get("postmaster", found, postmaster),
        }
    }
}

/// In ASCII: it stands in the header of every report, also of those whose readers know nothing else.
fn postmaster(node: &Node, found: &mut Diagnostics) -> Option<Mailbox> {
    let text = super::values::string(node, found)?;
    match Mailbox::parse(&text) {
        Ok(mailbox) if mailbox.is_international() => {
            let told = found.error(node.span, format!("`{text}` is not plain ASCII"));
            told.help("not every receiver of a report can read it; write another address, its domain as `xn--…`");
            None
        }
        Ok(mailbox) => Some(mailbox),
        Err(error) => {
            found.error(node.span, format!("`{text}` is not an address: {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, Warnings};
    use super::*;

    fn parse(dsn: &str) -> Result<(Settings, Warnings), Diagnostics> {
        let text = format!("hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[dsn]\n{dsn}");
        Settings::parse(Path::new("/etc/mailsluice/mailsluice.toml"), &text)
    }

    #[test]
    fn everything_has_a_default() {
        let (settings, _) = parse("").unwrap();
        assert_eq!(settings.dsn, Dsn::default());
        assert_eq!((settings.dsn.return_size, settings.dsn.postmaster), (65_536, None));
    }

    #[test]
    fn everything_can_be_set() {
        let (settings, _) = parse("return-size = '1 MiB'\npostmaster = 'post@example.com'").unwrap();
        assert_eq!(settings.dsn.return_size, 1 << 20);
        assert_eq!(settings.dsn.postmaster.unwrap().as_str(), "post@example.com");
    }

    #[test]
    fn what_can_not_be_used_is_told() {
        for (dsn, told) in [
            ("postmaster = 'ü@example.com'", "`ü@example.com` is not plain ASCII"),
            ("postmaster = 'post'", "`post` is not an address: the address has no domain"),
            ("return-size = 5", "expected a size such as \"10 MiB\", found a number without a unit"),
            ("template = 'none.txt'", "cannot read `/etc/mailsluice/none.txt`: it does not exist"),
            ("templat = 'none.txt'", "unknown key `templat`"),
        ] {
            let found = parse(dsn).unwrap_err().to_string();
            assert!(found.contains(told), "{dsn}: {found}");
        }
    }

    #[test]
    fn the_template_is_watched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("dsn.txt"), "[failed]\nSubject: No\n\nNot to:\n{recipients}\n").unwrap();
        let path = dir.path().join("mailsluice.toml");
        std::fs::write(
            &path,
            "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[dsn]\ntemplate = 'dsn.txt'\n",
        )
        .unwrap();
        let (settings, _) = Settings::load(&path).unwrap();
        assert!(settings.files.contains(&dir.path().join("dsn.txt")));
        let (ours, built_in) = (settings.dsn.template, Template::built_in());
        assert_ne!(ours.failed, built_in.failed);
        assert_eq!(ours.delayed, built_in.delayed);
    }
}
