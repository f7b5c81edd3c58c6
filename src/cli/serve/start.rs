//! The first steps: the log, the lock on data-dir, the sockets.

use super::certificates::Doors;
use super::privileges::{Heir, is_ours};
use crate::admin::Bound;
use crate::config::log::{Format, Level, Log};
use crate::config::{Diagnostics, Settings};
use crate::manifest::load::Inputs;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag, openat};
use nix::sys::stat::Mode;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use tracing_subscriber::EnvFilter;

/// What was made before there is a runtime.
pub(super) struct Prepared {
    /// Held until the process ends.
    pub(super) lock: Flock<File>,
    pub(super) opened: Opened,
}

/// What the rights of the start were good for: they are given up when this is used.
pub(super) struct Opened {
    pub(super) settings: Settings,
    /// What was found in the configuration.
    pub(super) found: Diagnostics,
    /// The configuration's files.
    pub(super) inputs: Inputs,
    /// The control socket.
    pub(super) control: Bound,
    /// One per listener, in the order of the settings.
    pub(super) sockets: Vec<TcpListener>,
    /// Those at which authorities look.
    pub(super) doors: Doors,
}

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// Logs to standard error; `RUST_LOG` goes before the configuration.
pub(super) fn logging(log: &Log, to: &super::log::Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(directives(log.level)));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(to.clone());
    match log.format {
        Format::Plain => builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}

/// What is logged. rustls warns of each client that asks for an address as a name; anybody could fill the log so.
fn directives(level: Level) -> String {
    match level {
        Level::Error | Level::Warn | Level::Info => format!("{},rustls=error", level.as_str()),
        Level::Debug | Level::Trace => level.as_str().to_owned(),
    }
}

/// Makes data-dir and locks it: one process per data-dir. Both are given to the heir.
pub(super) fn lock(data_dir: &Path, heir: Option<&Heir>) -> Result<Flock<File>, String> {
    let dir = data_dir.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(data_dir)
        .map_err(|e| format!("cannot make data-dir `{dir}`: {e}"))?;
    let folder = open_folder(data_dir, heir)?;
    let path = data_dir.join("lock");
    let file = open_lock(&folder, &path, heir)?;
    let mut lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(file, errno)| match errno {
        Errno::EWOULDBLOCK => format!("data-dir `{dir}` is in use by another mailsluice process{}", owner(file)),
        errno => format!("cannot lock `{}`: {errno}", path.display()),
    })?;
    let note = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
    note.map_err(|e| format!("cannot write `{}`: {e}", path.display()))?;
    if let Some(heir) = heir {
        heir.give(&folder, data_dir)?;
        heir.give(&lock, &path)?;
    }
    Ok(lock)
}

/// Opens data-dir. A symbolic link is not followed to a folder that is then given away.
fn open_folder(data_dir: &Path, heir: Option<&Heir>) -> Result<File, String> {
    let dir = data_dir.display();
    let follow = if heir.is_some() { OFlag::O_NOFOLLOW } else { OFlag::empty() };
    match OpenOptions::new().read(true).custom_flags((OFlag::O_DIRECTORY | follow).bits()).open(data_dir) {
        Ok(folder) => Ok(folder),
        Err(_) if heir.is_some() && data_dir.is_symlink() => Err(format!(
            "data-dir `{dir}` is a symbolic link, and with run.user that is not followed: set data-dir to where it leads"
        )),
        Err(error) => Err(format!("cannot open data-dir `{dir}`: {error}")),
    }
}

/// Opens the lock file, which whoever owns data-dir may have replaced by something else.
fn open_lock(folder: &File, path: &Path, heir: Option<&Heir>) -> Result<File, String> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    let shown = path.display();
    let file = openat(folder, "lock", flags, mode).map(File::from);
    let file = file.map_err(|errno| match errno {
        Errno::ELOOP => format!("`{shown}` is a symbolic link, which is not followed: remove it"),
        errno => format!("cannot open `{shown}`: {errno}"),
    })?;
    let meta = file.metadata().map_err(|e| format!("cannot look at `{shown}`: {e}"))?;
    if !meta.is_file() || meta.nlink() != 1 {
        return Err(format!("`{shown}` is not a file of its own, as a lock must be: remove it"));
    }
    if !is_ours(meta.uid(), heir) {
        return Err(format!(
            "`{shown}` belongs to user {}: start as that user or with it as run.user, or remove the file",
            meta.uid()
        ));
    }
    Ok(file)
}

fn owner(mut lock: File) -> String {
    let mut pid = String::new();
    let read = lock.read_to_string(&mut pid);
    read.map(|_| format!(" (process {})", pid.trim())).unwrap_or_default()
}

/// Binds every listener and what `[acme]` wants, or takes the sockets that a service manager has handed over for their addresses.
pub(super) fn bind(settings: &Settings) -> Result<(Vec<TcpListener>, Doors), String> {
    let mut handed = handed_over()?;
    let mut open = |address: SocketAddr| {
        let taken = handed.iter().position(|s| s.local_addr().is_ok_and(|a| a == address));
        let socket = match taken {
            Some(at) => Ok(handed.remove(at)),
            None => listen(address),
        };
        let socket = socket.and_then(|s| s.set_nonblocking(true).map(|()| s));
        socket.map_err(|e| format!("cannot listen on {address}: {e}"))
    };
    let sockets = settings.listeners.iter().map(|listener| open(listener.address)).collect::<Result<_, _>>()?;
    let mut doors = Doors::default();
    if let Some(acme) = &settings.acme {
        doors.http = acme.http_listen.iter().map(|address| open(*address)).collect::<Result<_, _>>()?;
        doors.tls_alpn = acme.tls_alpn_listen.iter().map(|address| open(*address)).collect::<Result<_, _>>()?;
    }
    match handed.first().and_then(|s| s.local_addr().ok()) {
        Some(address) => Err(format!(
            "the service manager handed over a socket on {address}, for which there is no [[listener]], and nothing in [acme]"
        )),
        None => Ok((sockets, doors)),
    }
}

fn handed_over() -> Result<Vec<TcpListener>, String> {
    let mut fds = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..fds.len() {
        let socket = fds
            .take_tcp_listener(index)
            .map_err(|e| format!("the service manager's socket {index} can't be used: {e}"))?;
        sockets.extend(socket);
    }
    Ok(sockets)
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // An IPv4 listener of its own says whether IPv4 is wanted.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_data_dir_has_one_process() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/b");
        let first = lock(&data, Some(&Heir::oneself())).unwrap();
        let error = lock(&data, None).unwrap_err();
        assert!(error.ends_with(&format!("(process {})", std::process::id())), "{error}");
        drop(first);
        lock(&data, None).unwrap();
    }

    #[test]
    fn nothing_in_the_place_of_the_lock_is_followed_or_written() {
        let dir = tempfile::tempdir().unwrap();
        let (data, other) = (dir.path().join("var"), dir.path().join("other"));
        fs::create_dir(&data).unwrap();
        fs::write(&other, "precious").unwrap();
        let refused = || lock(&data, Some(&Heir::oneself())).unwrap_err();
        symlink(&other, data.join("lock")).unwrap();
        assert!(refused().contains("is a symbolic link"));
        fs::remove_file(data.join("lock")).unwrap();
        fs::hard_link(&other, data.join("lock")).unwrap();
        assert!(refused().contains("not a file of its own"));
        fs::remove_file(data.join("lock")).unwrap();
        nix::unistd::mkfifo(&data.join("lock"), Mode::S_IRWXU).unwrap();
        assert!(refused().contains("not a file of its own"));
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
    }

    #[test]
    fn a_link_to_a_data_dir_is_not_given_away() {
        let dir = tempfile::tempdir().unwrap();
        let (link, folder) = (dir.path().join("var"), dir.path().join("real"));
        fs::create_dir(&folder).unwrap();
        symlink(&folder, &link).unwrap();
        assert!(lock(&link, Some(&Heir::oneself())).unwrap_err().contains("set data-dir to where it leads"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        lock(&link, None).unwrap();
    }
}
