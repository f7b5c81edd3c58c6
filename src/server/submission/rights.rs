//! The sender addresses of a user.

use crate::directory::Directory;
use crate::mail::{Glob, Mailbox};
use std::sync::Arc;

/// From where a user may send.
#[derive(Clone, Debug)]
pub(super) struct Rights {
    /// The user's name.
    pub(super) user: Arc<str>,
    /// The addresses that the user file lists for the user. None: those of the name.
    pub(super) listed: Option<Arc<[Glob]>>,
}

impl Rights {
    /// Whether an address is one of them.
    pub(super) fn allow(&self, address: &Mailbox, directory: &Directory) -> bool {
        match &self.listed {
            Some(globs) => {
                let text = format!("{}@{}", address.local_unquoted(), address.domain_key());
                globs.iter().any(|glob| glob.matches(&text))
            }
            None => directory.is_own(&self.user, address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_counts_alone() {
        let directory = Directory::builder().local("example.com").build().unwrap();
        let allowed = |listed: Option<&[&str]>, address: &str| {
            let listed = listed.map(|globs| globs.iter().map(|glob| Glob::new(glob)).collect());
            Rights { user: "alice".into(), listed }.allow(&Mailbox::parse(address).unwrap(), &directory)
        };
        assert!(allowed(None, "alice@example.com") && !allowed(None, "sales@example.com"));
        let some: &[&str] = &["sales@example.com", "*@list.example"];
        assert!(allowed(Some(some), "Sales@EXAMPLE.com") && allowed(Some(some), "x@list.example"));
        assert!(!allowed(Some(some), "alice@example.com") && !allowed(Some(&[]), "alice@example.com"));
    }
}
