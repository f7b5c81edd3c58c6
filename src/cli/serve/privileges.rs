//! What the process may do: as many open files as it can have, and no more rights than it needs.
//!
//! What lies in a folder of `run.user` is that user's doing. As root nothing there is written or given away by its path:
//! only what an open descriptor has been seen to be.

use crate::config::Settings;
use crate::manifest::load::Inputs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Uid, User, geteuid, initgroups, setgid, setuid};
use std::ffi::CString;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

/// Raises the soft limit on open files to the hard one: a connection is a file.
pub(super) fn raise_file_limit() {
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
}

/// The user that this process is to become, and whose the files are then.
#[derive(Clone, Debug)]
pub(super) struct Heir {
    name: String,
    pub(super) uid: Uid,
    pub(super) gid: Gid,
}

impl Heir {
    /// `run.user`; none if it is not set or this process is that user already.
    pub(super) fn of(settings: &Settings) -> Result<Option<Self>, String> {
        let Some(name) = &settings.run.user else {
            if geteuid().is_root() {
                tracing::warn!("running as root; set run.user to give that up after the ports are bound");
            }
            return Ok(None);
        };
        let user = User::from_name(name)
            .map_err(|e| format!("run.user: cannot look up `{name}`: {e}"))?
            .ok_or_else(|| format!("run.user: there is no user `{name}`"))?;
        Ok((geteuid() != user.uid).then(|| Self { name: name.clone(), uid: user.uid, gid: user.gid }))
    }

    /// Gives the user an open file or folder. `path` is for the error.
    pub(super) fn give(&self, file: &File, path: &Path) -> Result<(), String> {
        let given = file.metadata().and_then(|meta| {
            let theirs = (meta.uid(), meta.gid()) == (self.uid.as_raw(), self.gid.as_raw());
            if theirs { Ok(()) } else { fchown(file, Some(self.uid.as_raw()), Some(self.gid.as_raw())) }
        });
        given.map_err(|e| format!("run.user: cannot give `{}` to {}: {e}", path.display(), self.name))
    }

    /// Becomes the user. To be called while there is one thread.
    pub(super) fn become_them(&self) -> Result<(), String> {
        let name = &self.name;
        let failed = |what: &str, error: nix::Error| format!("run.user: cannot {what}: {error}");
        let group_name = CString::new(name.as_str()).map_err(|_| format!("run.user: `{name}` has a NUL in it"))?;
        initgroups(&group_name, self.gid).map_err(|e| failed("take on the user's groups", e))?;
        setgid(self.gid).map_err(|e| failed("take on the user's group", e))?;
        setuid(self.uid).map_err(|e| failed(&format!("become {name}"), e))
    }
}

/// Finds out which of the files that were read with more rights can't be read any more. They don't count as changed for that.
pub(super) fn look_again(inputs: &mut Inputs) {
    let read: Vec<PathBuf> = inputs.seen().iter().filter(|(_, d)| d.is_some()).map(|(path, _)| path.clone()).collect();
    for path in read {
        if File::open(&path).is_err_and(|e| e.kind() == ErrorKind::PermissionDenied) {
            tracing::warn!(path = %path.display(), "run.user can't read this file; a reload will fail until it can");
            // It can't be read now: that is what is to be remembered.
            let _ = inputs.read(&path.to_string_lossy());
        }
    }
}

/// Whether a file is this process's or its heir's.
pub(super) fn is_ours(owner: u32, heir: Option<&Heir>) -> bool {
    owner == geteuid().as_raw() || heir.is_some_and(|h| h.uid.as_raw() == owner)
}

#[cfg(test)]
impl Heir {
    /// The user who runs the tests.
    pub(super) fn oneself() -> Self {
        Self { name: "oneself".to_owned(), uid: geteuid(), gid: nix::unistd::getegid() }
    }
}
