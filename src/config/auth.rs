//! `[auth]`: who may log in, how often one may guess, and who is asked about tokens.

use super::diagnostic::Diagnostics;
use super::gssapi::Gssapi;
use super::path;
use super::reader::Table;
use super::secret::Secret;
use super::secret_file;
use super::sources::Span;
use super::tree::Node;
use super::url;
use super::values::{duration_above_zero, integer, string};
use crate::accounts::{Accounts, Rules, read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of something else entirely should not be told line by line.
const ERRORS_MAX: usize = 10;

/// Who may log in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Auth {
    /// `users`: the user file, read. Default: none, and only sinks let users in.
    pub accounts: Option<Arc<Accounts>>,
    /// `attempts` and `lockout`: how many failures lock a user out, and for how long. Default: 10, 15 minutes.
    pub rules: Rules,
    /// `introspection`: who is asked whether a token is good (RFC 7662). Default: nobody.
    pub introspection: Option<Introspection>,
    /// `gssapi`: how Kerberos tickets are taken. Default: not at all.
    pub gssapi: Option<Gssapi>,
    /// Where the user file is.
    pub users_file: Option<PathBuf>,
}

/// An endpoint that knows tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Introspection {
    /// `url`
    pub url: String,
    /// `client-id`: who we are to it.
    pub client_id: String,
    /// `client-secret`
    pub client_secret: Secret,
}

impl Auth {
    /// Files that are read are added to `files`, which are watched and never copied.
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, base: &Path, files: &mut Vec<PathBuf>) -> Self {
        let users = table.get("users", found, |n, f| Some((path::below(base, n, f)?, n.span)));
        let usual = Rules::default();
        Self {
            accounts: users.as_ref().map(|(path, place)| Arc::new(accounts(path, *place, found))),
            rules: Rules {
                attempts: table.get("attempts", found, integer(0..=1_000_000)).unwrap_or(usual.attempts),
                lockout: table.get("lockout", found, duration_above_zero).unwrap_or(usual.lockout),
            },
            introspection: table
                .node("introspection")
                .and_then(|node| Table::read(node, found, |t, f| introspection(t, f, base, files)).flatten()),
            gssapi: table.node("gssapi").and_then(|n| Table::read(n, found, |t, f| Gssapi::read(t, f, base)).flatten()),
            users_file: users.map(|(path, _)| {
                files.push(path.clone());
                path
            }),
        }
    }
}

/// The user file. Lines that can't be used are noted, up to ten of them.
fn accounts(path: &Path, named_at: Span, found: &mut Diagnostics) -> Accounts {
    let mut reader = read::Reader::default();
    let (mut shown, mut faults) = (Vec::new(), Vec::new());
    let whole = found.sources.each_line(path, |number, octets| {
        if let Some(fault) = reader.line(octets) {
            // What is told of a line shows it: without hashes, which are worth guessing at.
            shown.push((number, without_credentials(&String::from_utf8_lossy(octets))));
            faults.push(fault);
        }
        faults.len() < ERRORS_MAX
    });
    let whole = match whole {
        Ok(whole) => whole,
        Err(fault) => {
            found.unreadable(path, Some(named_at), fault);
            return Accounts::default();
        }
    };
    if std::fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o006 != 0) {
        let told = found.warning(named_at, "anybody on this machine can read or change the user file");
        told.help(format!("chmod o= {}", path.display()));
    }
    let many = faults.len() >= ERRORS_MAX;
    let (id, starts) = found.sources.add_lines(path, &whole, &shown);
    for (fault, start) in faults.into_iter().zip(starts) {
        let range = start + fault.range.start..start + fault.range.end;
        found.error(Span::new(id, range), fault.message).help(fault.help);
    }
    if many {
        let told = found.error(named_at, format!("`{}` has too many errors", path.display()));
        told.label("the rest of this file was not checked");
    }
    reader.accounts
}

/// The text with stars in place of what stands between the first two colons of each line.
fn without_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let start = line.find(':').map_or(0, |at| at + 1);
        let end = line[start..].find([':', '\r', '\n']).map_or(line.len(), |at| start + at);
        // A line without a colon may be a password alone.
        let shown = line.starts_with('#') || line.trim().is_empty();
        let (before, hidden, after) =
            if shown { (line, "", "") } else { (&line[..start], &line[start..end], &line[end..]) };
        out.push_str(before);
        for c in hidden.chars() {
            if c == ' ' { out.push(c) } else { out.extend(std::iter::repeat_n('*', c.len_utf8())) }
        }
        out.push_str(after);
    }
    out
}

fn introspection(
    table: &mut Table<'_>,
    found: &mut Diagnostics,
    base: &Path,
    files: &mut Vec<PathBuf>,
) -> Option<Introspection> {
    let url = table.require("url", found, endpoint);
    let client_id = table.require("client-id", found, string);
    let client_secret = table.require("client-secret", found, |n, f| secret_file::secret(n, f, base, files));
    Some(Introspection { url: url?, client_id: client_id?, client_secret: client_secret? })
}

/// Tokens are sent there: in clear text to this machine alone.
fn endpoint(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = string(node, found)?;
    if !url::is_private(&text) {
        let told = found.error(node.span, format!("`{text}` is no URL that tokens could be sent to"));
        told.help("write `https://host/path`; `http://` is for 127.0.0.1 and localhost");
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;
    use std::time::Duration;

    const SMALLEST: &str = "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[auth]\n";

    #[test]
    fn a_user_file_is_read_and_watched() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("users");
        std::fs::write(&file, "alice:!\nbob:!\n").unwrap();
        let text = format!("{SMALLEST}users = 'users'\nattempts = 3\nlockout = '1m'\n");
        let (settings, _) = Settings::parse(&dir.path().join("mailsluice.toml"), &text).unwrap();
        assert_eq!(settings.auth.accounts.as_ref().map(|accounts| accounts.len()), Some(2));
        assert_eq!((settings.auth.rules.attempts, settings.auth.rules.lockout), (3, Duration::from_secs(60)));
        assert_eq!(settings.credential_files, std::slice::from_ref(&file));
        assert!(!settings.files.contains(&file), "it is not kept with the manifest");
        // Only what is said counts for a reload.
        std::fs::write(&file, "# all of them\nalice:!\nbob:!\n").unwrap();
        let (again, _) = Settings::parse(&dir.path().join("mailsluice.toml"), &text).unwrap();
        assert_eq!(settings, again);
        std::fs::write(&file, "alice:!\n").unwrap();
        let (other, _) = Settings::parse(&dir.path().join("mailsluice.toml"), &text).unwrap();
        assert_ne!(settings, other);
    }

    #[test]
    fn tokens_go_where_nobody_listens() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("secrets")).unwrap();
        std::fs::write(dir.path().join("secrets/idp"), "hush\n").unwrap();
        let parse = |url: &str| {
            let auth =
                format!("introspection = {{ url = '{url}', client-id = 'm', client-secret = {{ secret = 'idp' }} }}");
            Settings::parse(&dir.path().join("mailsluice.toml"), &format!("{SMALLEST}{auth}\n"))
        };
        let (settings, _) = parse("https://id.example/introspect").unwrap();
        assert_eq!(settings.auth.introspection.unwrap().client_secret.expose(), "hush");
        assert!(parse("http://127.0.0.1:8080/introspect").is_ok());
        for wrong in [
            "http://id.example/",
            "id.example",
            "https://",
            "https://a@b/",
            "http://127.0.0.1.example/",
            "http://127.0.0.1:/",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
