//! Who may speak to the server: the owner of its process, root, and the members of `admin.group`.
//!
//! Decided by the credentials that the system gives for the other end of the socket, not by what that end says. The
//! socket's mode keeps most others away before it comes to this.

use nix::unistd::{Gid, Group, Uid, User};

/// The process at the other end, when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

/// Who is admitted.
#[derive(Clone, Debug)]
pub struct Access {
    owner: Uid,
    group: Option<String>,
}

impl Access {
    /// The user of this process and the members of a group.
    pub fn new(group: Option<String>) -> Self {
        Self { owner: Uid::effective(), group }
    }

    /// Whether the peer may speak. Asks the system's user database, so it may wait for the disk or the network.
    pub fn admits(&self, peer: Peer) -> bool {
        let uid = Uid::from_raw(peer.uid);
        uid.is_root() || uid == self.owner || self.group.as_deref().is_some_and(|name| is_member(name, uid, peer.gid))
    }

    /// Why a peer is not admitted, in words.
    pub fn refusal(&self, peer: Peer) -> String {
        let may = match &self.group {
            Some(group) => format!("and members of the group `{group}` may"),
            None => "may; `admin.group` would let a group in".to_owned(),
        };
        format!("user {} may not control this server: only user {}, root {may}", peer.uid, self.owner)
    }
}

fn is_member(group: &str, uid: Uid, gid: u32) -> bool {
    let found = Group::from_name(group).unwrap_or_else(|error| {
        tracing::warn!(%error, group, "the group database can't be asked; its members are not admitted");
        None
    });
    let Some(found) = found else { return false };
    let named =
        || matches!(User::from_uid(uid), Ok(Some(user)) if user.gid == found.gid || found.mem.contains(&user.name));
    found.gid == Gid::from_raw(gid) || named()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user who is not root and whom this machine does not know.
    const STRANGER: Peer = Peer { uid: 4_000_000_001, gid: 4_000_000_001 };

    #[test]
    fn owner_and_root_and_members_and_nobody_else() {
        let own = Peer { uid: Uid::effective().as_raw(), gid: 4_000_000_001 };
        let group = Group::from_gid(Gid::from_raw(0)).unwrap().expect("a group 0").name;
        let (closed, open) = (Access::new(None), Access::new(Some(group)));
        assert!(closed.admits(own) && closed.admits(Peer { uid: 0, ..STRANGER }));
        assert!(!closed.admits(STRANGER) && !open.admits(STRANGER));
        assert!(open.admits(Peer { gid: 0, ..STRANGER }));
        assert!(!closed.admits(Peer { gid: 0, ..STRANGER }));
        assert!(!Access::new(Some("no-such-group".into())).admits(Peer { gid: 0, ..STRANGER }));
    }
}
