//! The first steps: the log, the lock on data-dir, the sockets.

use crate::config::Settings;
use crate::config::log::{Format, Log};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use tracing_subscriber::EnvFilter;

/// What was made before there is a runtime.
pub(super) struct Prepared {
    pub(super) settings: Settings,
    /// Held until the process ends.
    pub(super) lock: Flock<File>,
    /// One per listener, in the order of the settings.
    pub(super) sockets: Vec<TcpListener>,
}

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// Logs to standard error; `RUST_LOG` goes before the configuration.
pub(super) fn logging(log: &Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(log.level.as_str()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        Format::Plain => builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}

/// Makes data-dir and locks it: one process per data-dir.
pub(super) fn lock(data_dir: &Path) -> Result<Flock<File>, String> {
    let dir = data_dir.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(data_dir)
        .map_err(|e| format!("cannot make data-dir `{dir}`: {e}"))?;
    let path = data_dir.join("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open.map_err(|e| format!("cannot open `{}`: {e}", path.display()))?;
    let mut lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        Errno::EWOULDBLOCK => format!("data-dir `{dir}` is in use by another mailsluice process{}", owner(&path)),
        errno => format!("cannot lock `{}`: {errno}", path.display()),
    })?;
    let note = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
    note.map_err(|e| format!("cannot write `{}`: {e}", path.display()))?;
    Ok(lock)
}

fn owner(path: &Path) -> String {
    std::fs::read_to_string(path).map(|pid| format!(" (process {})", pid.trim())).unwrap_or_default()
}

/// Binds every listener, or takes the socket that a service manager has handed over for its address.
pub(super) fn bind(settings: &Settings) -> Result<Vec<TcpListener>, String> {
    let mut handed = handed_over()?;
    let mut sockets = Vec::new();
    for listener in &settings.listeners {
        let taken = handed.iter().position(|s| s.local_addr().is_ok_and(|a| a == listener.address));
        let socket = match taken {
            Some(at) => Ok(handed.remove(at)),
            None => listen(listener.address),
        };
        let socket = socket.and_then(|s| s.set_nonblocking(true).map(|()| s));
        sockets.push(socket.map_err(|e| format!("cannot listen on {}: {e}", listener.address))?);
    }
    match handed.first().and_then(|s| s.local_addr().ok()) {
        Some(address) => {
            Err(format!("the service manager handed over a socket on {address}, for which there is no [[listener]]"))
        }
        None => Ok(sockets),
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
