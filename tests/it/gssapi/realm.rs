//! A Kerberos realm: database, keys and a KDC in a temporary directory, ended with the test. Nothing of the machine's is touched.

use crate::peers::{free_port, peer, run};
use crate::wait::eventually;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// How often another port is tried.
const TRIES: usize = 5;
/// Under what names clients call the server.
const SERVICE: &str = "smtp/localhost";

pub(super) struct Realm {
    dir: TempDir,
    kdc: Option<Child>,
}

impl Realm {
    /// EXAMPLE.COM with alice, bob, carol and dave, whose passwords are their names. Nothing if Kerberos is not there.
    pub(super) fn start() -> Option<Self> {
        for program in ["krb5kdc", "kdb5_util", "kadmin.local", "kinit"] {
            peer(program)?;
        }
        let mut realm = Self { dir: tempfile::tempdir().unwrap(), kdc: None };
        realm.configure(0);
        run(realm.command("kdb5_util").args(["create", "-s", "-P", "master"]));
        for name in ["alice", "bob", "carol", "dave"] {
            realm.administer(&format!("addprinc -pw {name} {name}"));
        }
        realm.administer(&format!("addprinc -randkey {SERVICE}"));
        realm.administer("addprinc -randkey host/localhost");
        realm.write_keys("smtp.keytab", SERVICE);
        realm.write_keys("host.keytab", "host/localhost");
        for _ in 0..TRIES {
            let port = free_port();
            realm.configure(port);
            if realm.serve(port) {
                return Some(realm);
            }
        }
        panic!("the KDC did not start:\n{}", std::fs::read_to_string(realm.path("kdc.log")).unwrap_or_default());
    }

    fn configure(&self, port: u16) {
        let dir = self.dir.path().display();
        let krb5 = format!(
            "[libdefaults]
 default_realm = EXAMPLE.COM
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 EXAMPLE.COM = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = EXAMPLE.COM
[logging]
 kdc = FILE:{dir}/kdc.log
"
        );
        let kdc = format!(
            "[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 EXAMPLE.COM = {{
  database_name = {dir}/principal
  key_stash_file = {dir}/stash
  acl_file = {dir}/acl
 }}
"
        );
        std::fs::write(self.path("krb5.conf"), krb5).unwrap();
        std::fs::write(self.path("kdc.conf"), kdc).unwrap();
    }

    /// Runs the KDC. False if it ends instead of listening.
    fn serve(&mut self, port: u16) -> bool {
        let mut kdc = self.command("krb5kdc").arg("-n").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let up = eventually("the KDC", || match kdc.try_wait().unwrap() {
            Some(_) => Some(false),
            None => TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(true),
        });
        self.kdc = Some(kdc);
        up
    }

    /// A path of the realm's own.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What programs have to know to be in the realm.
    pub(super) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("KRB5_CONFIG", self.path("krb5.conf")),
            ("KRB5_KDC_PROFILE", self.path("kdc.conf")),
            ("KRB5CCNAME", self.path("nobody.tickets")),
            // Which tickets were seen is otherwise kept for the whole machine.
            ("KRB5RCACHEDIR", self.dir.path().to_owned()),
        ]
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(peer(program).expect("looked for at the start"));
        command.envs(self.environment());
        command
    }

    /// One command of kadmin's.
    pub(super) fn administer(&self, query: &str) -> String {
        run(self.command("kadmin.local").args(["-r", "EXAMPLE.COM", "-q", query]))
    }

    /// Gives a service new keys and writes them.
    pub(super) fn write_keys(&self, file: &str, service: &str) {
        let path = self.path(file);
        self.administer(&format!("ktadd -k {} {service}", path.display()));
        assert!(path.exists(), "kadmin wrote no {file}");
    }

    /// Logs a user in, and returns where the tickets are.
    pub(super) fn tickets_of(&self, user: &str) -> PathBuf {
        let cache = self.path(&format!("{user}.tickets"));
        let mut command = self.command("kinit");
        // Its question is of no interest.
        command.arg("-c").arg(&cache).arg(user).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut kinit = command.spawn().expect("running kinit");
        writeln!(kinit.stdin.take().unwrap(), "{user}").unwrap();
        assert!(kinit.wait().unwrap().success(), "kinit for {user}");
        cache
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        if let Some(mut kdc) = self.kdc.take() {
            let _ = kdc.kill();
            let _ = kdc.wait();
        }
    }
}
