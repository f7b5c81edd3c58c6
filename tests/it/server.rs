//! The real binary, on a site of its own: a temporary directory with the configuration that a test writes.
//!
//! ```text
//! let site = Site::new(Site::PLAIN);              // mailsluice.toml; more files with `write`
//! let server = site.start();                      // waits for `ready`
//! SmtpClient::greeted(server.address(0)).deliver("a@b.example", &["alice@example.com"], "Subject: x\r\n\r\ny\r\n");
//! server.arrived("example.com", "alice", 1);      // waits for the Maildir
//! let site = server.kill();                       // SIGKILL; `site.start()` is the restart
//! ```
//!
//! The configuration is checked by the server alone; nothing here knows its grammar. A server that is still there when the test is over
//! is killed, by its own pid, and its log is printed if the test failed.

use crate::wait::{PATIENCE, eventually};
use mailsluice::admin::{Client, ClientError, Request, Response, Status};
use mailsluice::intake::Account;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_mailsluice");

/// A directory with a configuration, and everything that servers on it have written.
pub(crate) struct Site {
    dir: TempDir,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Site {
    /// One listener, three users, mail into Maildirs.
    pub(crate) const PLAIN: &str = r#"
[[listener]]
address = "127.0.0.1:0"
[domains]
local = ["example.com"]
[recipients]
users = ["alice", "bob", "postmaster"]
[limits]
free-space = "0 B"
"#;

    /// A site with this `mailsluice.toml`; `hostname` and `data-dir` are put in front of it.
    pub(crate) fn new(config: &str) -> Self {
        let site = Self { dir: tempfile::tempdir().expect("a temporary directory"), environment: Vec::new() };
        site.configure(config);
        site
    }

    /// With these variables for every program that is started here.
    #[cfg(feature = "gssapi")]
    pub(crate) fn env(mut self, variables: Vec<(&'static str, PathBuf)>) -> Self {
        self.environment = variables;
        self
    }

    /// Replaces `mailsluice.toml`. A running server hears of it as of any change.
    pub(crate) fn configure(&self, config: &str) {
        self.write("mailsluice.toml", &format!("hostname = \"mx.example.com\"\ndata-dir = \"var\"\n{config}"));
    }

    /// Writes a file, with the directories that lead to it. It appears whole: readers never see half of it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        self.write_octets(name, text.as_bytes());
    }

    /// The same, for what is no text.
    pub(crate) fn write_octets(&self, name: &str, octets: &[u8]) {
        let path = self.path(name);
        let folder = path.parent().unwrap();
        std::fs::create_dir_all(folder).unwrap();
        let mut new = tempfile::NamedTempFile::new_in(folder).unwrap();
        new.write_all(octets).unwrap();
        new.persist(path).unwrap();
    }

    /// A path under the site.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the server writes.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path("var")
    }

    /// The control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.data_dir().join("admin.sock")
    }

    /// Runs a verb of the command line against this site, to its end.
    pub(crate) fn cli(&self, args: &[&str]) -> Output {
        self.cli_with(args, b"")
    }

    /// The same, with standard input.
    pub(crate) fn cli_with(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.as_mut().expect("starting mailsluice");
        // A verb that fails early does not read it.
        let _ = child.stdin.take().unwrap().write_all(input);
        let stderr = drain(child.stderr.take().unwrap());
        let mut stdout = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        Output { status: child.wait().unwrap(), stdout, stderr: stderr.join().unwrap() }
    }

    /// Runs a verb that must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn told(&self, args: &[&str]) -> String {
        let output = self.cli(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "mailsluice {args:?}: {}\n{errors}", output.status);
        String::from_utf8(output.stdout).expect("output that is not UTF-8")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).arg("--config").arg(self.path("mailsluice.toml")).current_dir(self.dir.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a server and waits until it accepts connections.
    pub(crate) fn start(self) -> Server {
        self.try_start()
            .unwrap_or_else(|(status, log)| panic!("the server ended ({status}) before it was ready:\n{log}"))
    }

    /// The same, where what it has to compile takes longer than [`PATIENCE`].
    pub(crate) fn start_within(self, patience: Duration) -> Server {
        self.ready_within(patience).unwrap_or_else(|(status, log)| panic!("the server ended ({status}):\n{log}"))
    }

    /// Starts a server; if it ends instead of getting ready, how, and what it had to say.
    pub(crate) fn try_start(self) -> Result<Server, (ExitStatus, String)> {
        self.ready_within(PATIENCE)
    }

    fn ready_within(self, patience: Duration) -> Result<Server, (ExitStatus, String)> {
        let mut command = self.command(&["serve"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("starting mailsluice");
        let log = Log::default();
        let reader = log.fill_from(process.stderr.take().unwrap());
        let lines = lines_of(process.stdout.take().unwrap());
        let mut server = Server { site: Some(self), process, addresses: Vec::new(), log, reader: Some(reader) };
        match lines.recv_timeout(patience) {
            Ok(line) => server.addresses = bound(&line),
            Err(_) => return Err((server.wait(), server.log())),
        }
        Ok(server)
    }
}

/// The addresses of `ready ADDR [ADDR…]`.
fn bound(line: &str) -> Vec<SocketAddr> {
    let addresses = line.strip_prefix("ready ").unwrap_or_else(|| panic!("expected `ready`, the server said: {line}"));
    let address = |word: &str| word.parse().unwrap_or_else(|_| panic!("not an address in `ready`: {word}"));
    addresses.split_whitespace().map(address).collect()
}

fn lines_of(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn drain(mut source: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        source.read_to_end(&mut octets).expect("reading standard error");
        octets
    })
}

/// What a server has logged so far.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn fill_from(&self, stderr: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let mut text = log.0.lock().unwrap();
                text.push_str(&String::from_utf8_lossy(&line));
                text.push('\n');
            }
        })
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// A running server. Its site's paths and command line are reached through it.
pub(crate) struct Server {
    site: Option<Site>,
    process: Child,
    addresses: Vec<SocketAddr>,
    log: Log,
    reader: Option<JoinHandle<()>>,
}

impl std::ops::Deref for Server {
    type Target = Site;
    fn deref(&self) -> &Site {
        self.site.as_ref().expect("a server has its site until it ends")
    }
}

impl Server {
    /// The bound address of a listener, counted as in the configuration.
    pub(crate) fn address(&self, listener: usize) -> SocketAddr {
        self.addresses[listener]
    }

    /// How many listeners were bound.
    pub(crate) fn listeners(&self) -> usize {
        self.addresses.len()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log has this text in it.
    pub(crate) fn logged(&self, text: &str) {
        eventually(&format!("`{text}` in the log"), || self.log().contains(text).then_some(()));
    }

    /// The same, but what the log had up to this length does not count.
    pub(crate) fn logged_since(&self, length: usize, text: &str) {
        eventually(&format!("`{text}` in the log"), || self.log()[length..].contains(text).then_some(()));
    }

    /// Waits until a user has so many messages, and returns them all, oldest delivery first.
    pub(crate) fn arrived(&self, domain: &str, user: &str, count: usize) -> Vec<Vec<u8>> {
        arrived(&self.data_dir(), domain, user, count)
    }

    /// How it does, also where its configuration can't be read any more.
    pub(crate) fn status(&self) -> Status {
        let mut status = None;
        let keep = |response| {
            if let Response::Status(told) = response {
                status = Some(*told);
            }
            Ok::<_, ClientError>(())
        };
        Client::connect(&self.socket()).and_then(|mut c| c.ask(&Request::Status, keep)).expect("the control socket");
        status.expect("a status")
    }

    /// The account of a message or a refused transaction, by its id.
    pub(crate) fn account(&self, id: &str) -> Account {
        serde_json::from_str(&self.told(&["why", id, "--json"])).expect("JSON")
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends SIGHUP: reload.
    pub(crate) fn reload(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// Ends it with SIGTERM, as an operator would; it must say that all went well. The site is left for a restart.
    pub(crate) fn stop(self) -> Site {
        self.terminate();
        self.stopped()
    }

    /// Sends SIGTERM, and leaves the end to be waited for.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Waits for its end after [`Self::terminate`].
    pub(crate) fn stopped(mut self) -> Site {
        let status = self.wait();
        assert!(status.success(), "after SIGTERM: {status}\n{}", self.log());
        self.site.take().expect("ended once")
    }

    /// Ends it with SIGKILL, as a crash would.
    pub(crate) fn kill(mut self) -> Site {
        self.process.kill().expect("killing the server");
        self.wait();
        self.site.take().expect("ended once")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).expect("a pid"));
        kill(pid, signal).unwrap_or_else(|e| panic!("{signal} to the server: {e}\n{}", self.log()));
    }

    fn wait(&mut self) -> ExitStatus {
        let status = eventually("the end of the server", || self.process.try_wait().expect("waiting for the server"));
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader of the log");
        }
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// The files of a directory in the order of their names; none if it is not there.
pub(crate) fn messages_in(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Waits until a user's Maildir has so many messages, and returns them all, oldest delivery first.
pub(crate) fn arrived(data_dir: &Path, domain: &str, user: &str, count: usize) -> Vec<Vec<u8>> {
    let folder = data_dir.join("mail").join(domain).join(user).join("new");
    eventually(&format!("{count} messages in {}", folder.display()), || {
        let messages = messages_in(&folder);
        (messages.len() >= count).then_some(messages)
    })
}
