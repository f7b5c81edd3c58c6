//! The control socket's file: made at start, removed at the end, never taken from a living server.

use super::access::Access;
use nix::unistd::{Group, chown};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// A bound control socket. Dropped, it removes its file.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: UnixListener,
    pub(super) access: Access,
    path: PathBuf,
    /// Device and number of the file, so that another server's is not removed.
    file: (u64, u64),
}

impl Socket {
    /// Binds the socket, for its owner and this group. Call it within a runtime. The error is for the operator.
    pub fn bind(path: &Path, group: Option<&str>) -> Result<Self, String> {
        let told = |what: &str, error: &dyn std::fmt::Display| format!("cannot {what} `{}`: {error}", path.display());
        make_folder(path).map_err(|e| told("make the folder of the control socket", &e))?;
        remove_stale(path)?;
        // The mode is set a moment after the file is there. Nobody slips in: each peer's credentials are looked at.
        let listener = UnixListener::bind(path).map_err(|e| told("bind the control socket", &e))?;
        let meta = fs::symlink_metadata(path).map_err(|e| told("look at the control socket", &e))?;
        let socket = Self {
            listener,
            access: Access::new(group.map(str::to_owned)),
            path: path.to_owned(),
            file: (meta.dev(), meta.ino()),
        };
        if let Some(name) = group {
            give_to(path, name)?;
        }
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|e| told("set the mode of", &e))?;
        Ok(socket)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|meta| (meta.dev(), meta.ino()) == self.file);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the control socket can't be removed; the next start will");
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)
        }
        _ => Ok(()),
    }
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

fn give_to(path: &Path, name: &str) -> Result<(), String> {
    let told = |why: &dyn std::fmt::Display| format!("cannot give the control socket to the group `{name}`: {why}");
    let group = Group::from_name(name).map_err(|e| told(&e))?.ok_or_else(|| told(&"there is no such group"))?;
    chown(path, None, Some(group.gid)).map_err(|e| told(&format!("{e}; run as a member of it or as root")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::Gid;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn made_for_its_owner_and_removed_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/m/admin.sock");
        let socket = Socket::bind(&path, None).unwrap();
        assert_eq!(mode(&path), 0o600);
        let error = Socket::bind(&path, None).unwrap_err();
        assert!(error.starts_with("another server listens at"), "{error}");
        drop(socket);
        assert!(!path.exists());
        let group = Group::from_gid(Gid::effective()).unwrap().unwrap();
        let _socket = Socket::bind(&path, Some(&group.name)).unwrap();
        assert_eq!((mode(&path), fs::metadata(&path).unwrap().gid()), (0o660, group.gid.as_raw()));
    }

    #[tokio::test]
    async fn a_dead_server_s_socket_is_replaced_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let socket = Socket::bind(&path, None).unwrap();
        // Somebody else's file at the same place is left alone.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        drop(socket);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert!(Socket::bind(&path, None).unwrap_err().contains("is in the way"));
        assert!(
            Socket::bind(&dir.path().join("other.sock"), Some("no-such-group")).unwrap_err().contains("no such group")
        );
    }
}
