//! What kind of recipient it is: local, to be handed on, others in its place, or nobody.

use super::end::End;
use super::outcome::{Details, Outcome};
use crate::directory::{Directory, Resolved, User};
use crate::event::Resolution;
use crate::mail::{EnhancedCode, ForwardPath, OriginalRecipient, Recipient, Reply, ReversePath, Standing};
use std::path::PathBuf;

/// A recipient resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Category {
    /// Lives here.
    Local(User),
    /// Lives in this domain, given by its key, which is not ours.
    Remote(String),
}

/// One of those that a recipient stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) path: ForwardPath,
    /// The owner of the list that it comes from.
    pub(super) sender: Option<ReversePath>,
    /// The Maildir that it goes to, if that is not a user's.
    pub(super) folder: Option<PathBuf>,
}

const NO_SUCH_USER: Reply = Reply::new(550, EnhancedCode(5, 1, 1), "No such user here");

impl Category {
    /// The domain that routes are asked for.
    pub fn domain(&self) -> &str {
        match self {
            Self::Local(user) => &user.domain,
            Self::Remote(domain) => domain,
        }
    }
}

/// Resolves a recipient by the directory in force. A local domain without the user is a failure, unless a sink vouched
/// for the recipient when it came in, or said at `transport.categorize` that it lives here. `categorized`: its standing says so.
pub fn categorize(directory: &Directory, recipient: &Recipient, categorized: bool) -> Result<Category, Outcome> {
    let ForwardPath::Mailbox(mailbox) = &recipient.path else {
        let user = directory.user(&recipient.path).map(Category::Local);
        return user.ok_or_else(|| unknown("the bare postmaster has no mailbox here"));
    };
    let domain = || mailbox.domain_key().into_owned();
    if categorized && recipient.standing == Standing::Relay {
        return Ok(Category::Remote(domain()));
    }
    if let Some(user) = directory.user(&recipient.path) {
        return Ok(Category::Local(user));
    }
    let vouched = || Category::Local(User { name: mailbox.local_unquoted().to_lowercase(), domain: domain() });
    match (directory.standing(&recipient.path, None, true), recipient.standing) {
        _ if categorized && recipient.standing == Standing::Local => Ok(vouched()),
        (Standing::Unknown, _) if categorized => Err(unknown("the directory in force has no such user")),
        // Accepted as unknown: somebody vouched for it.
        (Standing::Unknown, Standing::Unknown) => Ok(vouched()),
        (Standing::Unknown, _) => Err(unknown("the directory in force has no such user")),
        _ => Ok(Category::Remote(domain())),
    }
}

/// Those that an address stands for; itself, if it is no alias.
pub(super) fn expand(directory: &Directory, path: &ForwardPath) -> Result<Vec<Member>, Outcome> {
    match directory.resolve(path) {
        Ok(found) => {
            let member = |one: Resolved| Member { path: one.path, sender: one.sender, folder: one.file };
            Ok(found.into_iter().map(member).collect())
        }
        Err(error) => Err(Outcome::Deferred(Details::ours(error.reply(), error.to_string()))),
    }
}

/// What an answer of a sink makes of a recipient.
pub(super) enum Sorted {
    /// It stays, with this standing if that has been decided.
    Stays(Option<Standing>),
    /// Others stand in its place.
    Becomes(Vec<Member>),
    /// It has come to an end.
    Ends(End),
}

/// Sorts a recipient: by the answer of a sink, or else by the directory.
pub(super) fn sort(directory: &Directory, recipient: &Recipient, answer: Option<Resolution>) -> Sorted {
    let (start, owner) = match answer {
        Some(Resolution::Local) => return Sorted::Stays(Some(Standing::Local)),
        Some(Resolution::Remote) => return Sorted::Stays(Some(Standing::Relay)),
        Some(Resolution::Rewritten(path)) => (vec![path], None),
        Some(Resolution::Expanded { members, sender }) => (members, sender),
        None => (vec![recipient.path.clone()], None),
    };
    let mut members = Vec::new();
    for path in &start {
        match expand(directory, path) {
            Ok(more) => members
                .extend(more.into_iter().map(|one| Member { sender: one.sender.or_else(|| owner.clone()), ..one })),
            Err(outcome) => return Sorted::Ends(End::Ruled(outcome, None)),
        }
    }
    match members.as_slice() {
        [] => Sorted::Ends(End::Dropped),
        [one] if one.path == recipient.path && one.sender == recipient.sender && one.folder == recipient.folder => {
            Sorted::Stays(None)
        }
        _ => Sorted::Becomes(members),
    }
}

/// The recipients that stand in the place of one, with what was asked for it (RFC 3461 5.2.7): a single one inherits all of it; of several,
/// none reports success, since the expansion itself is reported; and a list with an owner keeps it to itself. `null`: the message has
/// the null reverse-path, and keeps it, or there would be reports of reports.
pub(super) fn successors(directory: &Directory, null: bool, of: &Recipient, members: Vec<Member>) -> Vec<Recipient> {
    let several = members.len() > 1;
    let successor = |member: Member| {
        let mut recipient = of.clone();
        recipient.standing = directory.standing(&member.path, None, true);
        recipient.folder = member.folder;
        if recipient.folder.is_some() {
            recipient.standing = Standing::Local;
        }
        let before = std::mem::replace(&mut recipient.path, member.path);
        if member.sender.is_some() {
            (recipient.notify, recipient.orcpt, recipient.original) = (None, None::<OriginalRecipient>, None);
            recipient.sender = member.sender.filter(|_| !null);
        } else if before != recipient.path {
            recipient.original.get_or_insert(before);
            if let Some(notify) = recipient.notify.as_mut().filter(|_| several) {
                notify.success = false;
            }
        }
        recipient
    };
    members.into_iter().map(successor).collect()
}

fn unknown(note: &str) -> Outcome {
    Outcome::Failed(Details::ours(NO_SUCH_USER, note))
}
