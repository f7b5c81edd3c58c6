//! A Postfix of the test's own: configuration, queue, data and mail in a temporary directory, ended with the test.
//!
//! It needs root, because Postfix insists on giving its queue to its own user.

use super::{absent, free_port, peer, run};
use crate::wait::eventually;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// How often another port is tried.
const TRIES: usize = 5;

pub(super) struct Postfix {
    dir: TempDir,
    port: u16,
}

impl Postfix {
    /// Starts one with more settings in its `main.cf`. Nothing if there is no Postfix or we are not root.
    pub(super) fn start(settings: &str) -> Option<Self> {
        peer("postfix")?;
        if !nix::unistd::geteuid().is_root() {
            absent("postfix (needs root)");
            return None;
        }
        let mut failure = String::new();
        for _ in 0..TRIES {
            let postfix = Self::prepare(settings, free_port());
            let started = postfix.command("postfix", "-c").arg("start").output().expect("running postfix");
            if started.status.success() {
                postfix.await_greeting();
                return Some(postfix);
            }
            failure = format!("{}{}", String::from_utf8_lossy(&started.stderr), postfix.log());
        }
        panic!("postfix did not start:\n{failure}");
    }

    fn prepare(settings: &str, port: u16) -> Self {
        let postfix = Self { dir: tempfile::tempdir().unwrap(), port };
        // Its daemons are not root and have to get through.
        std::fs::set_permissions(postfix.dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // Its configuration lies apart, for it wants everything beside that to be root's.
        for (folder, owner) in [("etc", None), ("queue", None), ("data", Some("postfix")), ("mail", Some("nobody"))] {
            let path = postfix.path(folder);
            std::fs::create_dir(&path).unwrap();
            if let Some(name) = owner {
                let user = nix::unistd::User::from_name(name).unwrap().unwrap_or_else(|| panic!("no user {name}"));
                chown(&path, Some(user.uid.as_raw()), None).unwrap();
            }
        }
        std::fs::write(postfix.path("etc/main.cf"), postfix.main_cf(settings)).unwrap();
        std::fs::write(postfix.path("etc/master.cf"), master_cf(port)).unwrap();
        postfix
    }

    fn main_cf(&self, settings: &str) -> String {
        let nobody = nix::unistd::User::from_name("nobody").unwrap().expect("the user nobody");
        let dir = self.dir.path().display();
        format!(
            "compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
myhostname = postfix.peer.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
local_header_rewrite_clients =
always_add_missing_headers = no
minimal_backoff_time = 1s
queue_run_delay = 1s
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:{}
virtual_gid_maps = static:{}
{settings}
",
            nobody.uid, nobody.gid
        )
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// What has been delivered to its one Maildir, for all addresses in `virtual_mailbox_domains`.
    pub(super) fn arrived(&self, count: usize) -> Vec<Vec<u8>> {
        let folder = self.path("mail").join("box").join("new");
        let came = eventually("mail in Postfix's Maildir, see its log", || {
            let messages = crate::server::messages_in(&folder);
            (messages.len() >= count).then_some(messages)
        });
        assert_eq!(came.len(), count, "{}", self.log());
        came
    }

    /// Hands it a message as a local user would.
    pub(super) fn sendmail(&self, sender: &str, recipient: &str, message: &str) {
        let mut command = self.command("sendmail", "-C");
        let mut child = command.args(["-i", "-f", sender, recipient]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(message.replace("\r\n", "\n").as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "sendmail failed\n{}", self.log());
    }

    /// Its log so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.path("maillog")).unwrap_or_default()
    }

    fn command(&self, program: &str, option: &str) -> Command {
        let mut command = Command::new(peer(program).expect("a program of Postfix"));
        command.arg(option).arg(self.path("etc")).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn await_greeting(&self) {
        let greeting = eventually("the greeting of Postfix", || {
            let mut stream = TcpStream::connect(self.address()).ok()?;
            let mut octets = [0; 64];
            let length = stream.read(&mut octets).ok()?;
            Some(String::from_utf8_lossy(&octets[..length]).into_owned())
        });
        assert!(greeting.starts_with("220 postfix.peer.example"), "somebody else listens here: {greeting}");
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Postfix's log:\n{}", self.log());
        }
        let stop = |how: &str| self.command("postfix", "-c").arg(how).status().is_ok_and(|s| s.success());
        if self.running() && !stop("stop") {
            stop("abort");
        }
    }
}

impl Postfix {
    fn running(&self) -> bool {
        Path::new(&self.path("queue/pid/master.pid")).exists()
            && self.command("postfix", "-c").arg("status").status().is_ok_and(|s| s.success())
    }
}

/// The services of a small server: nothing chrooted, for its directory has no libraries in it.
fn master_cf(port: u16) -> String {
    let mut text = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
    for service in [
        "pickup unix n - n 1 1 pickup",
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap",
        "smtp unix - - n - - smtp",
        "lmtp unix - - n - - lmtp",
        "relay unix - - n - - smtp",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "discard unix - - n - - discard",
        "local unix - n n - - local",
        "virtual unix - n n - - virtual",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "postlog unix-dgram n - n - 1 postlogd",
    ] {
        text += service;
        text.push('\n');
    }
    text
}

#[test]
fn a_private_postfix_starts_takes_mail_and_stops() {
    let Some(postfix) = Postfix::start("virtual_mailbox_domains = peer.example") else { return };
    postfix.sendmail("root@peer.example", "box@peer.example", "Subject: to itself\r\n\r\nx\r\n");
    postfix.arrived(1);
    run(postfix.command("postfix", "-c").arg("stop"));
    assert!(!postfix.running(), "it is still there:\n{}", postfix.log());
}
