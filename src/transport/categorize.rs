//! What kind of recipient it is: local, to be handed on, or nobody.

use super::outcome::{Details, Outcome};
use crate::directory::{Directory, User};
use crate::mail::{EnhancedCode, ForwardPath, Recipient, Reply, Standing};

/// A recipient resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Category {
    /// Lives here.
    Local(User),
    /// Lives in this domain, given by its key, which is not ours.
    Remote(String),
}

const NO_SUCH_USER: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");

/// Resolves a recipient by the directory in force. A local domain without the user is a failure, unless a sink vouched
/// for the recipient when it came in.
pub fn categorize(directory: &Directory, recipient: &Recipient) -> Result<Category, Outcome> {
    if let Some(user) = directory.user(&recipient.path) {
        return Ok(Category::Local(user));
    }
    let ForwardPath::Mailbox(mailbox) = &recipient.path else {
        return Err(unknown("the bare postmaster has no mailbox here"));
    };
    let domain = mailbox.domain_key().into_owned();
    match (directory.standing(&recipient.path, None, true), recipient.standing) {
        // Accepted as unknown: somebody vouched for it.
        (Standing::Unknown, Standing::Unknown) => {
            Ok(Category::Local(User { name: mailbox.local_unquoted().to_lowercase(), domain }))
        }
        (Standing::Unknown, _) => Err(unknown("the directory in force has no such user")),
        _ => Ok(Category::Remote(domain)),
    }
}

fn unknown(note: &str) -> Outcome {
    Outcome::Failed(Details::ours(NO_SUCH_USER, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(path: &str, standing: Standing) -> Recipient {
        Recipient::new(ForwardPath::parse(path).unwrap(), standing)
    }

    #[test]
    fn by_the_directory_in_force() {
        let directory = Directory::builder().local("example.com").user("alice").build().unwrap();
        let of = |path, standing| categorize(&directory, &recipient(path, standing));
        let alice = User { name: "alice".into(), domain: "example.com".into() };
        assert_eq!(of("Alice+x@EXAMPLE.com", Standing::Local), Ok(Category::Local(alice)));
        assert_eq!(of("x@elsewhere.example", Standing::Relay), Ok(Category::Remote("elsewhere.example".into())));
        assert!(of("bob@example.com", Standing::Local).is_err(), "gone since it was accepted");
        let bob = User { name: "bob".into(), domain: "example.com".into() };
        assert_eq!(of("Bob@example.com", Standing::Unknown), Ok(Category::Local(bob)), "vouched for");
        assert!(matches!(of("postmaster", Standing::Local), Ok(Category::Local(u)) if u.name == "postmaster"));
    }
}
