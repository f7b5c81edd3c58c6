//! A BIND of the test's own: signed zones in a temporary directory, from a root whose key is made for the test.

use super::{free_port, peer, run};
use crate::wait::eventually;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// How often another port is tried.
const TRIES: usize = 5;

/// Begins every zone. Its name server is the only one.
const APEX: &str = "$TTL 60\n@ IN SOA ns.example. host.example. 1 3600 900 86400 60\n@ IN NS ns.example.\n";

/// Zones, made from the leaves to the root, so that each has the digests of the keys of those below it.
#[derive(Debug)]
pub(super) struct Zones {
    dir: TempDir,
    names: Vec<String>,
}

impl Zones {
    /// None yet; nothing if BIND is not there.
    pub(super) fn new() -> Option<Self> {
        for program in ["named", "dnssec-keygen", "dnssec-signzone"] {
            peer(program)?;
        }
        Some(Self { dir: tempfile::tempdir().unwrap(), names: Vec::new() })
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The file that is served of a zone.
    fn file(&self, zone: &str) -> PathBuf {
        self.path().join(format!("zone.{zone}"))
    }

    /// Adds a zone without signatures.
    pub(super) fn plain(&mut self, zone: &str, records: &str) {
        std::fs::write(self.file(zone), format!("{APEX}{records}")).unwrap();
        self.names.push(zone.to_owned());
    }

    /// Adds a zone and signs it with a key of its own.
    pub(super) fn signed(&mut self, zone: &str, records: &str) {
        self.signed_for(zone, records, &[]);
    }

    /// Adds a zone whose signatures counted until yesterday.
    pub(super) fn stale(&mut self, zone: &str, records: &str) {
        self.signed_for(zone, records, &["-s", "now-864000", "-e", "now-86400"]);
    }

    fn signed_for(&mut self, zone: &str, records: &str, times: &[&str]) {
        self.plain(zone, records);
        let program = |name: &str| {
            let mut command = Command::new(peer(name).unwrap());
            command.current_dir(self.path()).stdin(Stdio::null());
            command
        };
        run(program("dnssec-keygen").args(["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone]));
        // One key for everything (-z), digests of the keys of zones below (-g), one record to a line.
        let mut sign = program("dnssec-signzone");
        sign.args(["-S", "-z", "-g", "-P", "-O", "full", "-o", zone, "-f"]).arg(self.file(zone)).args(times);
        run(sign.arg(self.file(zone)));
    }

    /// Puts another record in the place of one that is signed, and leaves the signature.
    pub(super) fn tamper(&self, zone: &str, name: &str, kind: &str, data: &str) {
        let text = std::fs::read_to_string(self.file(zone)).unwrap();
        let mut found = 0;
        let lines = text.lines().map(|line| {
            let mut words = line.split_whitespace();
            if words.next() == Some(name) && words.nth(2) == Some(kind) {
                found += 1;
                return format!("{name} 60 IN {kind} {data}\n");
            }
            format!("{line}\n")
        });
        let lines: String = lines.collect();
        assert_eq!(found, 1, "{kind} of {name} in {text}");
        std::fs::write(self.file(zone), lines).unwrap();
    }

    /// The key of the root zone.
    pub(super) fn anchor(&self) -> String {
        let files = std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut keys = files.filter(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("K.+") && name.ends_with(".key")
        });
        std::fs::read_to_string(keys.next().expect("the key of the root")).unwrap()
    }

    /// Serves them.
    pub(super) fn serve(self) -> Bind {
        let mut log = String::new();
        for _ in 0..TRIES {
            match self.try_serve(free_port()) {
                Ok((process, address)) => return Bind { process, address, zones: self },
                Err(why) => log = why,
            }
        }
        panic!("named did not start:\n{log}");
    }

    fn try_serve(&self, port: u16) -> Result<(Child, SocketAddr), String> {
        let dir = self.path().display();
        let mut text = format!(
            "options {{ directory \"{dir}\"; pid-file none; session-keyfile none; lock-file none; recursion yes;\n\
             dnssec-validation no; minimal-responses yes; listen-on-v6 {{ none; }};\n\
             listen-on port {port} {{ 127.0.0.1; }}; }};\ncontrols {{ }};\n"
        );
        for zone in &self.names {
            let file = self.file(zone);
            writeln!(text, "zone \"{zone}\" {{ type primary; file \"{}\"; }};", file.display()).unwrap();
        }
        let (config, log) = (self.path().join("named.conf"), self.path().join("log"));
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(peer("named").unwrap());
        command.arg("-g").arg("-c").arg(&config).stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = command.stderr(std::fs::File::create(&log).unwrap()).spawn().expect("starting named");
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let ended = eventually("named to serve its zones", || {
            let ended = process.try_wait().unwrap().is_some();
            (ended || said().lines().any(|line| line.ends_with(" running"))).then_some(ended)
        });
        // It goes on without a socket that it could not bind.
        if ended || said().contains("address in use") || said().contains("not loaded") {
            let _ = process.kill();
            let _ = process.wait();
            return Err(said());
        }
        Ok((process, SocketAddr::from(([127, 0, 0, 1], port))))
    }
}

/// A running one.
#[derive(Debug)]
pub(super) struct Bind {
    process: Child,
    /// Where it answers.
    pub(super) address: SocketAddr,
    pub(super) zones: Zones,
}

impl Drop for Bind {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("named's log:\n{}", std::fs::read_to_string(self.zones.path().join("log")).unwrap_or_default());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
