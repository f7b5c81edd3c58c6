//! What an alias leads to.

use crate::mail::Mailbox;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// One member of an alias or list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// Somebody, here or elsewhere; may be an alias again.
    Whom(Whom),
    /// A Maildir, by its absolute path; its last octet is `/`.
    Folder(Box<Path>),
    /// `/dev/null`: taken and dropped.
    Nowhere,
    /// The members that a file lists. Such a file includes no other. Those that include the same one share it.
    Included(Arc<[Member]>),
}

/// Somebody, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// A local part, with its quotes if it has any. It lives in the domain of the address that is expanded, or if nobody of
    /// that name does, in the first local domain.
    Local(Box<str>),
    /// An address.
    Address(Mailbox),
}

impl Member {
    /// Itself, or the members that it includes.
    pub fn each(&self) -> &[Member] {
        match self {
            Self::Included(members) => members,
            other => std::slice::from_ref(other),
        }
    }
}

impl Whom {
    /// The local part without quotes, ASCII letters in lower case: the form to look up.
    pub fn name(&self) -> String {
        let name = match self {
            Self::Local(text) => unquoted(text),
            Self::Address(mailbox) => mailbox.local_unquoted(),
        };
        name.to_ascii_lowercase()
    }
}

/// A local part, which has been checked, without its quotes.
fn unquoted(local: &str) -> Cow<'_, str> {
    if !local.starts_with('"') {
        return Cow::Borrowed(local);
    }
    // The one parser of addresses knows how.
    match Mailbox::parse(&format!("{local}@x")) {
        Ok(mailbox) => Cow::Owned(mailbox.local_unquoted().into_owned()),
        Err(_) => Cow::Borrowed(local),
    }
}
