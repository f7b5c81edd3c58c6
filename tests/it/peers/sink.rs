//! Postfix's smtp-sink as the next hop: it takes everything, and writes what it got into files.

use super::{added, letter, own_addresses, peer};
use crate::server::{Site, messages_in};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(super) struct Sink {
    process: Child,
    dir: TempDir,
    pub(super) address: SocketAddr,
}

impl Sink {
    pub(super) fn start(options: &[&str]) -> Option<Self> {
        let [address] = own_addresses();
        Some(Self::start_at(address, &peer("smtp-sink")?, options))
    }

    /// Ends it, and starts another in its place, which has got nothing yet.
    pub(super) fn replace(self, options: &[&str]) -> Self {
        let address = self.address;
        drop(self);
        Self::start_at(address, &peer("smtp-sink").expect("smtp-sink"), options)
    }

    fn start_at(address: SocketAddr, program: &Path, options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // As root it becomes somebody else, who has to write here.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let process = Self::spawn(program, options, dir.path(), address);
        let mut sink = Self { process, dir, address };
        eventually("smtp-sink to listen", || {
            let ended = sink.process.try_wait().unwrap();
            assert!(ended.is_none(), "smtp-sink {options:?} at {address}: {ended:?}");
            TcpStream::connect(address).ok()
        });
        sink
    }

    fn spawn(program: &Path, options: &[&str], dir: &Path, address: SocketAddr) -> Child {
        let mut command = Command::new(program);
        if nix::unistd::geteuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        command.args(options).arg("-d").arg(dir.join("%H%M%S.")).arg(address.to_string()).arg("100");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starting smtp-sink")
    }

    /// What it wrote, without the empty line that it puts behind each message.
    pub(super) fn got(&self, count: usize) -> Vec<Vec<u8>> {
        eventually("messages at smtp-sink", || {
            let whole: Option<Vec<_>> =
                messages_in(self.dir.path()).iter().map(|m| m.strip_suffix(b"\n").map(<[u8]>::to_vec)).collect();
            whole.filter(|messages| messages.len() >= count)
        })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn smart_host(sink: &Sink) -> String {
    let domains = Site::PLAIN.replace("[domains]", "[domains]\nrelay-from = [\"127.0.0.0/8\"]");
    format!("{domains}\n[delivery]\nsmart-host = \"{}\"\n", sink.address)
}

#[test]
fn smtp_sink_is_our_smart_host() {
    let Some(sink) = Sink::start(&[]) else { return };
    let server = Site::new(&smart_host(&sink)).start();
    let letter = letter("to-sink");
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("sender@client.example", &["x@far.example", "y@far.example"], &letter).must_be(250);
    client.quit();
    let [arrived] = sink.got(1).try_into().expect("both recipients in one transaction");
    let top = added(&letter, &arrived);
    assert_eq!(top.iter().filter(|field| *field == "X-Rcpt-Args").count(), 2, "{top:?}");
    assert!(String::from_utf8_lossy(&arrived).contains("X-Mail-Args: <sender@client.example>"));
}

/// smtp-sink refuses RCPT with 450; the message must stay, and say why.
#[test]
fn what_smtp_sink_puts_off_stays_in_the_queue() {
    let Some(sink) = Sink::start(&["-r", "rcpt"]) else { return };
    let server = Site::new(&smart_host(&sink)).start();
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("sender@client.example", &["x@far.example"], &letter("put-off")).must_be(250);
    client.quit();
    eventually("the reason in the queue", || server.told(&["queue", "list"]).contains("x@far.example").then_some(()));
    let site = server.kill();
    let server = site.start();
    assert!(server.told(&["queue", "list"]).contains("x@far.example"), "gone with the restart");
}
