//! What the process may do: as many open files as it can have, and no more rights than it needs.

use crate::config::Settings;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{User, chown, geteuid, initgroups, setgid, setuid};
use std::ffi::CString;

/// Raises the soft limit on open files to the hard one: a connection is a file.
pub(super) fn raise_file_limit() {
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
}

/// Becomes `run.user`, if one is set, and gives it data-dir. To be called while there is one thread.
pub(super) fn drop_to(settings: &Settings) -> Result<(), String> {
    let Some(name) = &settings.run.user else {
        if geteuid().is_root() {
            tracing::warn!("running as root; set run.user to give that up after the ports are bound");
        }
        return Ok(());
    };
    let user = User::from_name(name).ok().flatten().ok_or_else(|| format!("run.user: there is no user `{name}`"))?;
    if geteuid() == user.uid {
        return Ok(());
    }
    let failed = |what: &str, error: nix::Error| format!("run.user: cannot {what}: {error}");
    for path in [settings.data_dir.clone(), settings.data_dir.join("lock")] {
        chown(&path, Some(user.uid), Some(user.gid))
            .map_err(|e| failed(&format!("give `{}` to {name}", path.display()), e))?;
    }
    let group_name = CString::new(name.as_str()).map_err(|_| format!("run.user: `{name}` has a NUL in it"))?;
    initgroups(&group_name, user.gid).map_err(|e| failed("take on the user's groups", e))?;
    setgid(user.gid).map_err(|e| failed("take on the user's group", e))?;
    setuid(user.uid).map_err(|e| failed(&format!("become {name}"), e))
}
