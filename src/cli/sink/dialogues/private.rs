//! A private server for one dialogue: this program, on the loopback, on a port that the system chooses, with nothing but the
//! sinks of one folder. All that it writes is gone when it is over.

use crate::cli::dialogue::{Accepted, Driver, Heard, Setup, Trusted};
use crate::cli::status::fetch;
use crate::config::diagnostic::io_text;
use crate::mail::ForwardPath;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What a reply or a delivery may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server may take to end, if its log is wanted.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A folder that is removed with its owner.
pub(super) struct Workplace(PathBuf);

impl Workplace {
    /// A new one, which nobody else can look into.
    pub(super) fn new() -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mailsluice-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What can't be removed is left to the system, as everything in that folder is.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The server, and a connection to it.
pub(super) struct Private {
    place: Workplace,
    process: Child,
    stream: BufReader<TcpStream>,
    /// The greeting is awaited before anything is sent, unless the dialogue is about that.
    greeted: bool,
}

impl Private {
    /// Starts one with the sinks that `manifest` declares. What was compiled before is in `compiled`.
    pub(super) fn start(manifest: &Path, setup: &Setup, compiled: &Path) -> Result<Self, String> {
        let place = Workplace::new().map_err(|e| format!("cannot make a folder: {}", io_text(&e)))?;
        let process = spawn(place.path(), manifest, setup, compiled);
        let mut process = process.map_err(|e| format!("cannot start a server: {}", io_text(&e)))?;
        let connected = connect(&mut process);
        match connected {
            Ok(stream) => Ok(Self { place, process, stream: BufReader::new(stream), greeted: setup.early }),
            Err(why) => {
                end(&mut process);
                Err(format!("the server did not get ready: {why}\n{}", log(place.path())))
            }
        }
    }

    /// What the server and its sinks have logged by the time it has ended: before that, lines may still be on their way.
    pub(super) fn last_words(&mut self) -> String {
        // It does not wait for whoever has left.
        let _ = self.stream.get_mut().shutdown(Shutdown::Both);
        let pid = i32::try_from(self.process.id()).ok().map(Pid::from_raw);
        if pid.is_some_and(|pid| kill(pid, Signal::SIGTERM).is_ok()) {
            let until = Instant::now() + LAST_WORDS;
            while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        log(self.place.path())
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// What it holds is thrown away: it need not end well.
fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

fn log(place: &Path) -> String {
    fs::read_to_string(place.join("log")).unwrap_or_default()
}

fn spawn(place: &Path, manifest: &Path, setup: &Setup, compiled: &Path) -> io::Result<Child> {
    let data = place.join("var");
    fs::create_dir(&data)?;
    symlink(compiled, data.join("compiled"))?;
    fs::write(place.join("mailsluice.toml"), configuration(setup))?;
    fs::write(place.join("sinks.toml"), format!("include = [{}]\n", text(&manifest.to_string_lossy())))?;
    Command::new(std::env::current_exe()?)
        .args(["serve", "--strict", "--config"])
        .arg(place.join("mailsluice.toml"))
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(place.join("log"))?)
        .spawn()
}

fn configuration(setup: &Setup) -> String {
    let (limits, role) = (&setup.limits, if setup.lmtp { "lmtp" } else { "mx" });
    let own = setup.listener.join("\n");
    let role = if own.contains("role =") { String::new() } else { format!("role = \"{role}\"") };
    let proxies = |trusted| match trusted {
        Trusted::Nobody => "[]",
        Trusted::Others => "[\"192.0.2.0/24\"]",
        Trusted::Client => "[\"127.0.0.0/8\"]",
    };
    let list = |words: &[String]| Value::from(words.to_vec()).to_string();
    let delay = if setup.early { "greeting-delay = \"4m\"\n" } else { "" };
    format!(
        "hostname = \"mx.example.com\"\ndata-dir = \"var\"\nmanifest = \"sinks.toml\"\n\
        [[listener]]\naddress = \"127.0.0.1:0\"\n{role}\n{own}\nxclient-from = {}\nxforward-from = {}\n\
        [domains]\nlocal = {}\nrelay-to = {}\n[recipients]\nusers = {}\n\
        [delivery]\nlocal = {{ drop = \"drop\" }}\n[[route]]\ndomain = \"*\"\nto = {{ drop = \"drop\" }}\n\
        [smtp]\nvrfy = {}\nexpn = {}\nhelp = {}\n[reload]\nwatch = false\n\
        [limits]\nfree-space = \"0 B\"\nconnections = 10\nline = {}\nidle-commands = {}\nerrors = {}\nrecipients = {}\n\
        message-size = {}\nheader-size = {}\nhops = {}\n{delay}",
        proxies(setup.xclient),
        proxies(setup.xforward),
        list(&setup.local),
        list(&setup.relay_to),
        list(&setup.users),
        setup.vrfy,
        setup.expn,
        setup.help,
        limits.line,
        limits.idle_commands,
        limits.errors,
        limits.recipients,
        text(&format!("{} B", limits.message_size)),
        text(&format!("{} B", limits.header_size)),
        limits.hops,
    )
}

fn text(text: &str) -> String {
    Value::from(text).to_string()
}

/// Waits until the server accepts, and connects.
fn connect(process: &mut Child) -> Result<TcpStream, String> {
    let mut line = String::new();
    if let Some(stdout) = process.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(|e| io_text(&e))?;
    }
    let address = line.split_whitespace().nth(1).and_then(|word| word.parse::<SocketAddr>().ok());
    let address = address.ok_or("it ended")?;
    let connected = TcpStream::connect(address).and_then(|stream| {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    });
    connected.map_err(|e| io_text(&e))
}

impl Driver for Private {
    fn send(&mut self, octets: &[u8]) {
        if !self.greeted {
            self.greeted = self.stream.fill_buf().is_ok();
        }
        // A server that has closed does not hear the rest.
        let _ = self.stream.get_mut().write_all(octets);
    }

    fn hear(&mut self) -> Heard {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => Heard::Closed,
            Ok(_) => {
                self.greeted = true;
                Heard::Line(line.trim_end_matches(['\r', '\n']).to_owned())
            }
            Err(error) => Heard::Broken(io_text(&error)),
        }
    }

    fn leave(&mut self) {
        // The server may have gone first.
        let _ = self.stream.get_mut().shutdown(Shutdown::Write);
    }

    fn accepted(&mut self) -> Result<Option<Vec<Accepted>>, String> {
        self.wait_for_deliveries()?;
        let folder = self.place.path().join("var/drop");
        let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
            Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
            // Nothing was delivered.
            Err(_) => Vec::new(),
        };
        files.retain(|path| path.extension().is_some_and(|e| e == "eml"));
        // By their ids, which is the order in which their transactions began.
        files.sort();
        let read = |path: &PathBuf| fs::read(path).map(|octets| dropped(&octets)).map_err(|e| io_text(&e));
        files.iter().map(read).collect::<Result<_, _>>().map(Some)
    }
}

impl Private {
    /// Until nothing is in the queue but what is held.
    fn wait_for_deliveries(&self) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = fetch(&self.place.path().join("mailsluice.toml"));
            let queue = status.map_err(|_| "the server does not say how it does".to_owned())?.queue;
            if queue.messages == queue.held {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("{} of {} messages were not delivered", queue.messages, queue.held));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A file of a drop directory: envelope lines, then the message, whose trace field is not what was sent.
fn dropped(octets: &[u8]) -> Accepted {
    let mut accepted = Accepted::default();
    let mut rest = octets;
    while let Some((line, after)) = split_line(rest) {
        let line = String::from_utf8_lossy(line);
        let Some((_, address)) = line.trim_end().split_once(": ").filter(|(name, _)| is_envelope(name)) else { break };
        accepted.envelope.push(angled(address));
        rest = after;
    }
    accepted.octets = without_trace(rest);
    accepted
}

fn is_envelope(name: &str) -> bool {
    name == "X-Sender" || name == "X-Receiver"
}

fn angled(address: &str) -> String {
    if address == "<>" {
        return address.to_owned();
    }
    ForwardPath::parse(address).map_or_else(|_| format!("<{address}>"), |path| path.to_string())
}

/// Without the first `Received` field of the header, which is the server's own.
fn without_trace(octets: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(octets.len()), octets);
    let (mut cutting, mut done) = (false, false);
    while let Some((line, after)) = split_line(rest) {
        cutting =
            if cutting { line.starts_with(b" ") || line.starts_with(b"\t") } else { line.starts_with(b"Received:") };
        if !cutting && done {
            break;
        }
        done |= cutting;
        if !cutting {
            if line == b"\r\n" {
                break;
            }
            out.extend_from_slice(line);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// The first line with its end, and what follows it.
fn split_line(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', octets).map_or(octets.len(), |at| at + 1);
    octets.split_at_checked(end).filter(|(line, _)| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_message_is_what_was_sent() {
        let file = "X-Sender: <>\r\nX-Receiver: a@b.example\r\nX-Own: 1\r\nReceived: by x\r\n\tfor y\r\nReceived: z\r\n\r\nReceived:\r\n";
        let accepted = dropped(file.as_bytes());
        assert_eq!(accepted.envelope, ["<>", "<a@b.example>"]);
        assert_eq!(String::from_utf8(accepted.octets).unwrap(), "X-Own: 1\r\nReceived: z\r\n\r\nReceived:\r\n");
        assert_eq!(without_trace(b"\r\nReceived: x\r\n"), b"\r\nReceived: x\r\n");
    }

    #[test]
    fn the_configuration_passes() {
        let setup = Setup { relay_to: vec!["a.example".to_owned()], early: true, lmtp: true, ..Setup::default() };
        let place = Workplace::new().unwrap();
        let file = place.path().join("m.toml");
        fs::write(&file, configuration(&setup)).unwrap();
        fs::write(place.path().join("sinks.toml"), "").unwrap();
        let mut found = crate::config::Diagnostics::default();
        crate::config::Settings::read(&file, &mut found);
        assert!(!found.has_errors(), "{found}");
    }
}
