//! The control socket's file: made at start, removed at the end, never taken from a living server.

use super::access::Access;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::{Gid, Group, Uid, fchownat};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A bound control socket that nobody serves yet.
#[derive(Debug)]
pub struct Bound {
    listener: UnixListener,
    file: SocketFile,
    group: Option<String>,
}

/// A control socket that is served. Dropped, it removes its file.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: tokio::net::UnixListener,
    pub(super) access: Access,
    /// Goes with the socket.
    _file: SocketFile,
}

impl Bound {
    /// Binds the socket, for its owner and this group. `owner` is whom it and its folder are given to, if the process is to
    /// become another user before it serves. The error is for the operator.
    pub fn new(path: &Path, group: Option<&str>, owner: Option<(Uid, Gid)>) -> Result<Self, String> {
        let told = |what: &str, error: &dyn std::fmt::Display| format!("cannot {what} `{}`: {error}", path.display());
        make_folder(path, owner).map_err(|e| told("make the folder of the control socket", &e))?;
        remove_stale(path)?;
        // The mode is set a moment after the file is there. Nobody slips in: each peer's credentials are looked at.
        let listener = UnixListener::bind(path).map_err(|e| told("bind the control socket", &e))?;
        let meta = fs::symlink_metadata(path).map_err(|e| told("look at the control socket", &e))?;
        let file = SocketFile { path: path.to_owned(), file: (meta.dev(), meta.ino()) };
        listener.set_nonblocking(true).map_err(|e| told("set up the control socket", &e))?;
        // Without following links: the folder may be another user's, who can put one here.
        let mode = if group.is_some() { Mode::from_bits_truncate(0o660) } else { Mode::from_bits_truncate(0o600) };
        fchmodat(AT_FDCWD, path, mode, FchmodatFlags::NoFollowSymlink).map_err(|e| told("set the mode of", &e))?;
        give_to(path, group, owner)?;
        Ok(Self { listener, file, group: group.map(str::to_owned) })
    }

    /// The socket, ready to be served by the user that this process now is. Call it within a runtime.
    pub fn open(self) -> io::Result<Socket> {
        let listener = tokio::net::UnixListener::from_std(self.listener)?;
        Ok(Socket { listener, access: Access::new(self.group), _file: self.file })
    }
}

/// The file of a socket, removed when this is dropped.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and number of the file, so that another server's is not removed.
    file: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|meta| (meta.dev(), meta.ino()) == self.file);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the control socket can't be removed; the next start will");
        }
    }
}

/// Makes the folder if there is none. One that is there already has its owner.
fn make_folder(path: &Path, owner: Option<(Uid, Gid)>) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) else {
        return Ok(());
    };
    fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    let Some((uid, gid)) = owner else { return Ok(()) };
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    let made = fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(folder)?;
    std::os::unix::fs::fchown(made, Some(uid.as_raw()), Some(gid.as_raw()))
}

/// A socket at which nobody listens any more is removed; anything else in the way is an error.
fn remove_stale(path: &Path) -> Result<(), String> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("cannot look at `{shown}`: {error}")),
        Ok(meta) if !meta.file_type().is_socket() => {
            return Err(format!("`{shown}` is in the way of the control socket: remove it, or set `admin.socket`"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|e| format!("cannot remove the stale control socket `{shown}`: {e}"))
        }
        Err(error) => Err(format!("cannot tell whether a server listens at `{shown}`: {error}")),
        Ok(_) => Err(format!("another server listens at `{shown}`: stop it, or set `admin.socket`")),
    }
}

/// Gives the socket to the owner, and to the group rather than the owner's.
fn give_to(path: &Path, group: Option<&str>, owner: Option<(Uid, Gid)>) -> Result<(), String> {
    let give = |uid, gid| fchownat(AT_FDCWD, path, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW);
    if let Some((uid, gid)) = owner {
        give(Some(uid), Some(gid)).map_err(|e| format!("cannot give the control socket to user {uid}: {e}"))?;
    }
    let Some(name) = group else { return Ok(()) };
    let told = |why: &dyn std::fmt::Display| format!("cannot give the control socket to the group `{name}`: {why}");
    let group = Group::from_name(name).map_err(|e| told(&e))?.ok_or_else(|| told(&"there is no such group"))?;
    give(None, Some(group.gid)).map_err(|e| told(&format!("{e}; run as a member of it or as root")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(path: &Path, group: Option<&str>) -> Result<Socket, String> {
        Bound::new(path, group, None).map(|bound| bound.open().unwrap())
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn made_for_its_owner_and_removed_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/m/admin.sock");
        let socket = bind(&path, None).unwrap();
        assert_eq!(mode(&path), 0o600);
        let error = bind(&path, None).unwrap_err();
        assert!(error.starts_with("another server listens at"), "{error}");
        drop(socket);
        assert!(!path.exists());
        let group = Group::from_gid(Gid::effective()).unwrap().unwrap();
        let _socket = bind(&path, Some(&group.name)).unwrap();
        assert_eq!((mode(&path), fs::metadata(&path).unwrap().gid()), (0o660, group.gid.as_raw()));
    }

    #[tokio::test]
    async fn a_dead_server_s_socket_is_replaced_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        drop(UnixListener::bind(&path).unwrap());
        let socket = bind(&path, None).unwrap();
        // Somebody else's file at the same place is left alone.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        drop(socket);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert!(bind(&path, None).unwrap_err().contains("is in the way"));
        assert!(bind(&dir.path().join("other.sock"), Some("no-such-group")).unwrap_err().contains("no such group"));
    }
}
