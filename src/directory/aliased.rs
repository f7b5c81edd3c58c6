//! One step: the alias that an address is, and its members.

use super::lookup::{Directory, mailbox_key};
use super::users::{Living, folded};
use crate::config::aliases::{EntryId, Member, Whom};
use crate::mail::{ForwardPath, Mailbox, ReversePath};
use std::path::PathBuf;

/// What an alias stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// In the order of the file.
    pub members: Vec<Target>,
    /// Whom failures of the members are reported to, if this is a list that has an owner.
    pub owner: Option<ReversePath>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Somebody; may be an alias again. If it is the one that was expanded, its mailbox is meant.
    Path(ForwardPath),
    /// A Maildir.
    Folder(PathBuf),
    /// `/dev/null`: taken and dropped.
    Nowhere,
}

/// An address that can be an alias: one in a local domain, or the bare postmaster.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) mailbox: Mailbox,
    /// Folded.
    pub(super) name: String,
    /// The key.
    pub(super) domain: String,
}

impl Directory {
    /// What an address stands for; nothing if it is no alias. One step: members may be aliases themselves. See
    /// [`Directory::resolve`] for the whole way.
    pub fn expand(&self, path: &ForwardPath) -> Option<Expansion> {
        let asked = self.asked(path)?;
        let id = self.alias(&asked.name, &asked.domain)?;
        Some(self.members(&asked, id))
    }

    /// Takes an address apart, if it can be an alias.
    pub(super) fn asked(&self, path: &ForwardPath) -> Option<Asked> {
        let mailbox = match path {
            ForwardPath::Mailbox(mailbox) => mailbox.clone(),
            ForwardPath::Postmaster(name) => Mailbox::parse(&format!("{name}@{}", self.postmaster_domain())).ok()?,
        };
        let domain = mailbox_key(&mailbox).into_owned();
        let possible = self.is_local(&domain) || matches!(path, ForwardPath::Postmaster(_));
        let name = folded(&mailbox.local_unquoted()).into_owned();
        possible.then_some(Asked { mailbox, name, domain })
    }

    /// The alias of a folded name in the domain with this key.
    pub(super) fn alias(&self, name: &str, domain: &str) -> Option<EntryId> {
        self.aliases().find(name, self.base(name), domain, &Living(self.users()))
    }

    /// Whether mail for the name goes elsewhere, although there may be a user who is called so.
    pub(super) fn is_hidden(&self, name: &str, domain: &str) -> bool {
        let entry = self.alias(name, domain).and_then(|id| self.aliases().entry(id));
        entry.is_some_and(|entry| !entry.itself)
    }

    /// The members of an alias, as seen from the address that was asked for.
    pub(super) fn members(&self, asked: &Asked, id: EntryId) -> Expansion {
        let entry = self.aliases().entry(id);
        let members = entry.into_iter().flat_map(|entry| entry.members.iter()).flat_map(Member::each);
        let owner = entry.and_then(|entry| entry.owner.as_deref());
        Expansion {
            members: members.filter_map(|member| self.target(member, asked)).collect(),
            owner: match owner {
                Some(whom) => self.address(whom, asked).map(ReversePath::Mailbox),
                None => self.owner_by_name(asked),
            },
        }
    }

    fn target(&self, member: &Member, asked: &Asked) -> Option<Target> {
        match member {
            Member::Whom(whom) => self.address(whom, asked).map(|m| Target::Path(ForwardPath::Mailbox(m))),
            Member::Folder(path) => Some(Target::Folder(path.to_path_buf())),
            Member::Nowhere => Some(Target::Nowhere),
            // The table holds these one deep, and they are walked through by `each`.
            Member::Included(_) => None,
        }
    }

    /// A local part lives beside the address that was asked for, or if nobody of that name does, in the first domain.
    fn address(&self, whom: &Whom, asked: &Asked) -> Option<Mailbox> {
        let local = match whom {
            Whom::Address(mailbox) => return Some(mailbox.clone()),
            Whom::Local(local) => local,
        };
        let here = Mailbox::parse(&format!("{local}@{}", asked.mailbox.domain())).ok();
        if here.as_ref().is_some_and(|mailbox| self.exists(mailbox, &asked.domain)) {
            return here;
        }
        let first = self.local_domains().first();
        first.and_then(|domain| Mailbox::parse(&format!("{local}@{domain}")).ok()).or(here)
    }

    /// `owner-NAME`, as an alias beside the list, is the list's owner: so it was in Sendmail, and is in Postfix.
    fn owner_by_name(&self, asked: &Asked) -> Option<ReversePath> {
        let owned = |name: &str| {
            let owner = format!("owner-{name}");
            self.aliases().named(&owner, &asked.domain).map(|_| owner)
        };
        let owner = owned(&asked.name).or_else(|| self.base(&asked.name).and_then(owned))?;
        let domain = asked.mailbox.domain();
        let plain = Mailbox::parse(&format!("{owner}@{domain}"));
        let quoted = || Mailbox::parse(&format!("\"{}\"@{domain}", owner.replace('\\', "\\\\").replace('"', "\\\"")));
        plain.or_else(|_| quoted()).ok().map(ReversePath::Mailbox)
    }
}
