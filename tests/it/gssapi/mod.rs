//! AUTH GSSAPI against a real Kerberos: a realm of the test's own, real tickets, the real binary.
//!
//! Without the programs of Kerberos the tests say so and do nothing, as those against foreign mail programs do.

mod client;
mod logins;
mod realm;
mod refusals;
mod settings;

use crate::server::{Server, Site};
use realm::Realm;

/// A listener that has GSSAPI, users `alice`, `bob` and the disabled `carol`.
const CONFIG: &str = r#"
[[listener]]
address = "127.0.0.1:0"
role = "submission"
auth = ["GSSAPI"]
[auth]
users = "accounts"
gssapi = { keytab = "smtp.keytab", realms = ["EXAMPLE.COM"] }
[domains]
local = ["example.com"]
[recipients]
users = ["alice", "bob"]
[limits]
free-space = "0 B"
"#;

/// A site in the realm, with the keys of `smtp/localhost`.
fn site(realm: &Realm, config: &str) -> Site {
    let site = Site::new(config).env(realm.environment());
    std::fs::copy(realm.path("smtp.keytab"), site.path("smtp.keytab")).unwrap();
    site
}

/// A user file whose users come in by other means than passwords: the fingerprints are of no certificate.
fn accounts() -> String {
    let print = "ab".repeat(32);
    format!("alice:{{CERT}}{print}\nbob:{{CERT}}{print}\ncarol:!\n")
}

fn server(realm: &Realm, config: &str) -> Server {
    let site = site(realm, config);
    site.write("accounts", &accounts());
    site.start()
}
