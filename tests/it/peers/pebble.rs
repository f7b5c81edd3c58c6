//! A Pebble of the test's own: an authority that speaks ACME, with a DNS in which every name is this machine.

use super::{own_addresses, peer, python};
use crate::wait::eventually;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Addresses that belong together: all are of one IP, which every name has.
pub(super) struct Places {
    directory: SocketAddr,
    management: SocketAddr,
    dns: SocketAddr,
    /// Where the DNS can be told other names.
    names: SocketAddr,
    /// For our side of HTTP-01.
    pub(super) http: SocketAddr,
    /// For our side of TLS-ALPN-01.
    pub(super) tls: SocketAddr,
    /// Where nobody listens.
    pub(super) nobody: SocketAddr,
    dir: TempDir,
}

/// What it is like.
#[derive(Clone, Copy, Default)]
pub(super) struct Manners {
    /// Of a hundred good nonces it takes so many for bad ones.
    pub(super) nonces: u8,
    /// It knows its customers, by [`KEY_ID`] and [`KEY`].
    pub(super) binding: bool,
    /// It looks for the answers where nobody is.
    pub(super) blind: bool,
}

pub(super) const KEY_ID: &str = "kid-1";
pub(super) const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// The running programs.
pub(super) struct Pebble {
    processes: Vec<Child>,
    log: PathBuf,
    management: SocketAddr,
}

impl Places {
    /// Nothing if there is no Pebble.
    pub(super) fn new() -> Option<Self> {
        peer("pebble")?;
        peer("pebble-challtestsrv")?;
        let [directory, management, dns, names, http, tls, nobody] = own_addresses();
        let dir = tempfile::tempdir().unwrap();
        let (key, ip) = (KeyPair::generate().unwrap(), directory.ip().to_string());
        let certificate = CertificateParams::new(vec![ip]).unwrap().self_signed(&key).unwrap();
        std::fs::write(dir.path().join("c.pem"), certificate.pem()).unwrap();
        std::fs::write(dir.path().join("k.pem"), key.serialize_pem()).unwrap();
        Some(Self { directory, management, dns, names, http, tls, nobody, dir })
    }

    /// The URL of the directory.
    pub(super) fn directory(&self) -> String {
        format!("https://{}/dir", self.directory)
    }

    /// The certificate of its server, as PEM.
    pub(super) fn ca(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("c.pem")).unwrap()
    }

    /// Starts it, and its DNS.
    pub(super) fn start(&self, manners: Manners) -> Pebble {
        let port = |place: SocketAddr| if manners.blind { self.nobody.port() } else { place.port() };
        let mut config = serde_json::json!({
            "listenAddress": self.directory.to_string(),
            "managementListenAddress": self.management.to_string(),
            "certificate": self.dir.path().join("c.pem"),
            "privateKey": self.dir.path().join("k.pem"),
            "httpPort": port(self.http),
            "tlsPort": port(self.tls),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": manners.binding,
        });
        if manners.binding {
            config["externalAccountMACKeys"] = serde_json::json!({ KEY_ID: KEY });
        }
        let file = self.dir.path().join("pebble.json");
        std::fs::write(&file, serde_json::json!({ "pebble": config }).to_string()).unwrap();
        let (log, ip) = (self.dir.path().join("log"), self.dns.ip().to_string());
        let dns = self.dns.to_string();
        let mut pebble = Pebble { processes: Vec::new(), log, management: self.management };
        let off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""];
        let mut names = Command::new(peer("pebble-challtestsrv").unwrap());
        pebble.spawn(names.args(off).args([
            "-dns01",
            &dns,
            "-defaultIPv4",
            &ip,
            "-management",
            &self.names.to_string(),
        ]));
        let mut authority = Command::new(peer("pebble").unwrap());
        authority.arg("-config").arg(&file).args(["-dnsserver", &dns]);
        authority.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", manners.nonces.to_string());
        pebble.spawn(&mut authority);
        for place in [self.directory, self.management, self.dns, self.names] {
            eventually(&format!("Pebble at {place}"), || TcpStream::connect(place).ok());
        }
        pebble
    }
}

impl Pebble {
    fn spawn(&mut self, command: &mut Command) {
        let log = || std::fs::OpenOptions::new().append(true).create(true).open(&self.log).unwrap();
        let (out, err) = (log(), log());
        self.processes.push(command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap());
    }

    /// Its authority's certificate, as PEM. Each time that it starts it has another one.
    pub(super) fn root(&self) -> String {
        let script = "import json, ssl, sys, urllib.request\n\
                      context = ssl._create_unverified_context()\n\
                      print(json.dumps(urllib.request.urlopen(sys.argv[1], context=context).read().decode()))";
        let url = format!("https://{}/roots/0", self.management);
        let root = python(&peer("python3").expect("python3"), script, &[&url], b"");
        let root = root.as_str().unwrap().to_owned();
        assert!(CertificateDer::from_pem_slice(root.as_bytes()).is_ok(), "{root}");
        root
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            eprintln!("Pebble's log:\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
