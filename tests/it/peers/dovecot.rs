//! A Dovecot of the test's own: configuration, sockets and mail in a temporary directory, ended with the test.
//!
//! It takes mail by LMTP and gives it out over IMAP and POP3. It needs root, because Dovecot insists on giving its processes
//! to its own users.

use super::{absent, own_addresses, peer};
use crate::server::messages_in;
use crate::wait::eventually;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Who has a mailbox there. Nothing fits into that of `full`.
const USERS: &str = "alice@example.com:{PLAIN}secret::::::
bob@example.com:{PLAIN}secret::::::
full@example.com:{PLAIN}secret::::::userdb_quota_rule=*:bytes=1
";

pub(super) struct Dovecot {
    dir: TempDir,
    pub(super) lmtp: SocketAddr,
    pub(super) imap: SocketAddr,
    pub(super) pop3: SocketAddr,
    process: Child,
}

impl Dovecot {
    /// Starts one. Nothing if a part of it is absent, or it is of another generation, or we are not root.
    pub(super) fn start() -> Option<Self> {
        let program = peer("dovecot")?;
        for part in ["lmtp", "imap", "pop3"] {
            peer(&format!("/usr/lib/dovecot/{part}"))?;
        }
        let version = Command::new(&program).arg("--version").output().expect("running dovecot").stdout;
        if !version.starts_with(b"2.3.") || !nix::unistd::geteuid().is_root() {
            absent("dovecot (needs 2.3, for 2.4 reads another configuration, and root)");
            return None;
        }
        let (dir, addresses) = (prepared(), own_addresses());
        let file = dir.path().join("dovecot.conf");
        std::fs::write(&file, configuration(&dir.path().display().to_string(), addresses)).unwrap();
        let mut command = Command::new(program);
        command.arg("-F").arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("starting dovecot");
        let [lmtp, imap, pop3] = addresses;
        let mut dovecot = Self { dir, lmtp, imap, pop3, process };
        dovecot.await_listeners();
        Some(dovecot)
    }

    fn await_listeners(&mut self) {
        eventually("the listeners of Dovecot", || {
            let all = [self.lmtp, self.imap, self.pop3].iter().all(|address| TcpStream::connect(address).is_ok());
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "dovecot ended: {ended:?}\n{}", self.log());
            (all && UnixStream::connect(self.socket()).is_ok()).then_some(())
        });
    }

    /// Where it takes mail.
    pub(super) fn socket(&self) -> PathBuf {
        self.dir.path().join("run/lmtp")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Waits until a user has so many messages that nobody has read yet.
    pub(super) fn await_mail(&self, user: &str, count: usize) {
        let folder = self.dir.path().join("mail").join(user).join("new");
        let what = format!("{count} messages for {user} at Dovecot");
        let came = eventually(&what, || Some(messages_in(&folder).len()).filter(|came| *came >= count));
        assert_eq!(came, count, "{}", self.log());
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Dovecot's log:\n{}", self.log());
        }
        // It ends its children, which SIGKILL would leave.
        let pid = i32::try_from(self.process.id()).map(Pid::from_raw);
        if !pid.is_ok_and(|pid| kill(pid, Signal::SIGTERM).is_ok()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// A directory with its users and a place for their mail.
fn prepared() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    // Its processes are not root and have to get through.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(dir.path().join("users"), USERS).unwrap();
    let mail = dir.path().join("mail");
    std::fs::create_dir(&mail).unwrap();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().expect("the user nobody");
    chown(mail, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    dir
}

fn configuration(dir: &str, [lmtp, imap, pop3]: [SocketAddr; 3]) -> String {
    let nobody = nix::unistd::User::from_name("nobody").unwrap().expect("the user nobody");
    let (uid, gid) = (nobody.uid, nobody.gid);
    let database = format!("{{\n  driver = passwd-file\n  args = {dir}/users\n}}");
    let login = |name: &str, port: u16| {
        let off = format!("  inet_listener {name}s {{\n    port = 0\n  }}");
        format!("service {name}-login {{\n  inet_listener {name} {{\n    port = {port}\n  }}\n{off}\n}}")
    };
    let (ip, lmtp) = (lmtp.ip(), lmtp.port());
    let (imap, pop3) = (login("imap", imap.port()), login("pop3", pop3.port()));
    format!(
        "protocols = imap pop3 lmtp
listen = {ip}
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
ssl = no
disable_plaintext_auth = no
hostname = dovecot.peer.example
postmaster_address = postmaster@peer.example
mail_location = maildir:{dir}/mail/%n
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_plugins = quota
plugin {{
  quota = maildir
}}
passdb {database}
userdb {database}
{imap}
{pop3}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
  unix_listener lmtp {{
    mode = 0666
  }}
}}
"
    )
}
