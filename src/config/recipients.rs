//! `[recipients]`: who exists locally.

use super::aliases::{self, Aliases, Around};
use super::diagnostic::Diagnostics;
use super::domains::Domains;
use super::path;
use super::reader::Table;
use super::sources::Span;
use super::tree::{Node, Value};
use super::user_file;
use super::values::{duration_above_zero, wrong_kind};
use crate::mail::Mailbox;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// The local recipients. Everybody else gets 550 5.1.1 at RCPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients {
    /// `users`. Not given: every local part exists.
    pub users: Option<Vec<User>>,
    /// `plus-addressing`: `alice+tag` is `alice`. Default: true.
    pub plus_addressing: bool,
    /// `aliases`: names that stand for others. Default: none.
    pub aliases: Arc<Aliases>,
    /// `verify`: domains whose recipients are asked for at the next hop. Keys, each in `relay-to`. Default: none.
    pub verify: Vec<String>,
    /// `verify-keep-yes`: how long it is remembered that a recipient exists. Default: 1 day.
    pub verify_keep_yes: Duration,
    /// `verify-keep-no`: how long it is remembered that a recipient does not exist. Default: 10 minutes.
    pub verify_keep_no: Duration,
}

/// Somebody who exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// In every local domain; the local part without quotes.
    Everywhere(Box<str>),
    /// At one address, whose domain is local.
    At(Mailbox),
}

/// The keys of the local domains. There may be many of them, and many more users.
pub(super) type Local<'a> = HashSet<&'a str>;

impl Recipients {
    /// Files that are read are added to `files`.
    pub(super) fn read(
        table: &mut Table<'_>,
        found: &mut Diagnostics,
        base: &Path,
        domains: &Domains,
        files: &mut Vec<PathBuf>,
    ) -> Self {
        let local: Local<'_> = domains.local.iter().map(String::as_str).collect();
        let users = table.list("users", found, |node, found| Some(users(node, found, base, &local, files)));
        let users: Option<Vec<User>> = users.map(|lists| lists.into_iter().flatten().collect());
        let plus_addressing = table.get("plus-addressing", found, super::values::boolean).unwrap_or(true);
        let around = Around { domains, users: users.as_deref(), plus_addressing };
        let aliases = table.node("aliases").map(|node| aliases::read(node, found, base, &around, files));
        Self {
            users,
            plus_addressing,
            aliases: Arc::new(aliases.unwrap_or_default()),
            verify: table.list("verify", found, |node, found| verified(node, found, domains)).unwrap_or_default(),
            verify_keep_yes: table.get("verify-keep-yes", found, duration_above_zero).unwrap_or(DAY),
            verify_keep_no: table.get("verify-keep-no", found, duration_above_zero).unwrap_or(10 * MINUTE),
        }
    }
}

/// A domain whose recipients can be asked for: local ones are known, and others are not ours to ask.
fn verified(node: &Node, found: &mut Diagnostics, domains: &Domains) -> Option<String> {
    let key = super::domains::domain(node, found)?;
    if domains.relay_to.contains(&key) {
        return Some(key);
    }
    let told = found.error(node.span, format!("the domain `{key}` is not in `domains.relay-to`"));
    told.help(if domains.local.contains(&key) {
        "recipients of a local domain are listed in `recipients.users`"
    } else {
        "only recipients of domains that are handed on can be asked for; add it there, or remove it here"
    });
    None
}

/// One element of the list: a user, or a file of them.
fn users(node: &Node, found: &mut Diagnostics, base: &Path, local: &Local<'_>, files: &mut Vec<PathBuf>) -> Vec<User> {
    match &node.value {
        Value::String(text) => user(text, node.span, local, found).into_iter().collect(),
        Value::Table(_) => {
            let file = |table: &mut Table<'_>, found: &mut Diagnostics| {
                table.require("file", found, |n, f| Some((path::below(base, n, f)?, n.span)))
            };
            let Some((path, named_at)) = Table::read(node, found, file).flatten() else { return Vec::new() };
            let users = user_file::read(&path, named_at, local, found);
            files.push(path);
            users
        }
        _ => {
            wrong_kind(node, "a user or `{ file = \"…\" }`", found);
            Vec::new()
        }
    }
}

/// A user as written in the configuration or in a file.
pub(super) fn user(text: &str, span: Span, local: &Local<'_>, found: &mut Diagnostics) -> Option<User> {
    // With a domain that is surely good, a local part by itself goes through the one parser of addresses.
    if let Ok(anywhere) = Mailbox::parse(&format!("{text}@x"))
        && anywhere.local() == text
    {
        return Some(User::Everywhere(anywhere.local_unquoted().into()));
    }
    match Mailbox::parse(text) {
        Ok(mailbox) if local.contains(&*mailbox.domain_key()) => Some(User::At(mailbox)),
        Ok(mailbox) => {
            let told = found.error(span, format!("the domain of `{mailbox}` is not local"));
            told.help(format!("add \"{}\" to `domains.local`, or remove the user", mailbox.domain()));
            None
        }
        Err(error) if text.contains('@') => {
            found.error(span, format!("`{text}` is not an address: {error}"));
            None
        }
        Err(_) => {
            let told = found.error(span, format!("`{text}` is neither a local part nor an address"));
            told.help("a local part with unusual characters stands in double quotes, as in an address");
            None
        }
    }
}
