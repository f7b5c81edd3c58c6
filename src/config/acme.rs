//! `[acme]`: the authority from which the server fetches certificates by itself (RFC 8555), and how it shows whose names they are.
//!
//! Which certificates those are is said where they are shown, by `acme` in the `tls` of a listener.

use super::diagnostic::Diagnostics;
use super::listener::{self, Listener, tls::Mode};
use super::outbound::{self, Authorities};
use super::places::Places;
use super::reader::{Table, one_or_list};
use super::secret::Secret;
use super::tree::Node;
use super::{secret_file, url, values};
use crate::mail::Mailbox;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The port at which an authority looks for a certificate with its challenge (RFC 8737 3).
const HTTPS: u16 = 443;

/// The authority, and what it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Acme {
    /// `directory`: the URL at which the authority says where everything is.
    pub directory: String,
    /// `contact`: whom the authority may write to, as `mailto:` URLs. Default: nobody.
    pub contact: Vec<String>,
    /// `ca-file`: who vouches for the authority's own server. Default: the system's authorities.
    pub ca: Option<Authorities>,
    /// `challenges`: in the order in which they are tried. Default: those for which there is an address.
    pub challenges: Vec<Challenge>,
    /// `http-listen`: where HTTP-01 is answered.
    pub http_listen: Vec<SocketAddr>,
    /// `tls-alpn-listen`: where TLS-ALPN-01 is answered beside the listeners whose handshake comes first.
    pub tls_alpn_listen: Vec<SocketAddr>,
    /// `account-binding`: whose customer we are (RFC 8555 7.3.4). Default: nobody's.
    pub binding: Option<Binding>,
    /// `renew-before`: how long before its end a certificate is renewed. Default: for the last third of its life.
    pub renew_before: Option<Duration>,
}

/// How names are shown to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// `"http-01"` (RFC 8555 8.3).
    Http01,
    /// `"tls-alpn-01"` (RFC 8737).
    TlsAlpn01,
}

/// An account that the authority knows from elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// `key-id`
    pub key_id: String,
    /// `key`: in base64url, as authorities hand it out.
    pub key: Secret,
}

const CHALLENGES: &[(&str, Challenge)] = &[("http-01", Challenge::Http01), ("tls-alpn-01", Challenge::TlsAlpn01)];

impl Acme {
    /// Reads the table; none if it is not there. Files with secrets are added to `files`.
    pub(super) fn read(
        table: &mut Table<'_>,
        found: &mut Diagnostics,
        places: &Places<'_>,
        listeners: &[Listener],
        files: &mut Vec<PathBuf>,
    ) -> Option<Self> {
        let field = table.field("acme")?;
        if !cfg!(feature = "acme") {
            let told = found.error(field.key_span, "`acme` is not supported: this server was built without it");
            told.help("build it with the feature `acme`, or name files in `certificate` and `key`");
            return None;
        }
        let acme = Table::read(&field.node, found, |t, f| Self::keys(t, f, places, listeners, files))?;
        if ordered(listeners).next().is_none() {
            let told = found.warning(field.key_span, "no listener shows a certificate that is fetched by ACME");
            told.help("name the host in a listener: `tls = { mode = \"starttls\", acme = [\"mx.example.com\"] }`");
        }
        acme
    }

    fn keys(
        table: &mut Table<'_>,
        found: &mut Diagnostics,
        places: &Places<'_>,
        listeners: &[Listener],
        files: &mut Vec<PathBuf>,
    ) -> Option<Self> {
        let directory = table.require("directory", found, directory);
        if table.require("accept-terms", found, values::boolean) == Some(false) {
            let told = found.error(table.place("accept-terms"), "without its terms the authority issues nothing");
            told.help("read them, and set `accept-terms = true`; the directory says where they are");
        }
        let contact = table.get("contact", found, |n, f| one_or_list(n, f, contact)).unwrap_or_default();
        let ca = table.get("ca-file", found, |node, found| outbound::authorities(node, places, found));
        let mut addresses = |key| addresses(table, key, found, listeners);
        let (http_listen, tls_alpn_listen) = (addresses("http-listen"), addresses("tls-alpn-listen"));
        twice(table, &http_listen, &tls_alpn_listen, found);
        let possible = Possible { http: !http_listen.is_empty(), alpn: !tls_alpn_listen.is_empty() };
        let challenges = challenges(table, possible, listeners, found);
        let binding = table.node("account-binding");
        let binding = binding.and_then(|n| Table::read(n, found, |t, f| binding_keys(t, f, places, files)).flatten());
        let renew_before = table.get("renew-before", found, values::duration_above_zero);
        Some(Self {
            directory: directory?,
            contact,
            ca,
            challenges,
            http_listen,
            tls_alpn_listen,
            binding,
            renew_before,
        })
    }
}

/// The certificates that listeners show and the server fetches; one that many show is there many times.
pub fn ordered(listeners: &[Listener]) -> impl Iterator<Item = &listener::Ordered> {
    let tls = listeners.iter().filter_map(|listener| listener.tls.as_ref());
    tls.flat_map(|tls| &tls.certificates).filter_map(|certificate| certificate.ordered())
}

fn directory(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    if !url::is_private(&text) {
        let told = found.error(node.span, format!("`{text}` is no URL of a directory"));
        told.help("write the `https://` URL that the authority names; `http://` is for 127.0.0.1 and localhost");
        return None;
    }
    Some(text)
}

fn contact(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    let address = text.strip_prefix("mailto:").unwrap_or(&text);
    if Mailbox::parse(address).is_err() || !address.is_ascii() {
        let told = found.error(node.span, format!("`{text}` is not an address"));
        told.help("write one that somebody reads, such as \"postmaster@example.com\"");
        return None;
    }
    Some(format!("mailto:{address}"))
}

fn binding_keys(
    table: &mut Table<'_>,
    found: &mut Diagnostics,
    places: &Places<'_>,
    files: &mut Vec<PathBuf>,
) -> Option<Binding> {
    let key_id = table.require("key-id", found, values::string);
    let key = table.require("key", found, |n, f| secret_file::secret(n, f, places.base, files));
    if key.as_ref().is_some_and(|key| URL_SAFE_NO_PAD.decode(key.expose().trim_end_matches('=')).is_err()) {
        let told = found.error(table.place("key"), "the secret is no key in base64url");
        told.help("copy it as the authority shows it: letters, digits, `-` and `_`");
        return None;
    }
    Some(Binding { key_id: key_id?, key: key? })
}

fn addresses(
    table: &mut Table<'_>,
    key: &'static str,
    found: &mut Diagnostics,
    listeners: &[Listener],
) -> Vec<SocketAddr> {
    let one = |node: &Node, found: &mut Diagnostics| {
        let address = listener::address(node, found)?;
        if listeners.iter().any(|listener| listener::collide(listener.address, address)) {
            let told = found.error(node.span, format!("`{address}` is taken by a listener"));
            told.help(
                "a listener with `mode = \"implicit\"` answers TLS-ALPN-01 by itself; HTTP-01 needs a port of its own",
            );
        }
        Some(address)
    };
    table.get(key, found, |node, found| one_or_list(node, found, one)).unwrap_or_default()
}

fn twice(table: &Table<'_>, http: &[SocketAddr], alpn: &[SocketAddr], found: &mut Diagnostics) {
    let all: Vec<SocketAddr> = http.iter().chain(alpn).copied().collect();
    let pairs = all.iter().enumerate().flat_map(|(n, one)| all.iter().skip(n + 1).map(move |other| (one, other)));
    for (one, other) in pairs.filter(|(one, other)| listener::collide(**one, **other)) {
        let place = table.place(if alpn.contains(other) { "tls-alpn-listen" } else { "http-listen" });
        found.error(place, format!("`{other}` can't be bound beside `{one}`")).help("leave one of the two out");
    }
}

/// Which challenges have an address of their own.
#[derive(Clone, Copy)]
struct Possible {
    http: bool,
    alpn: bool,
}

/// Those that are named, if they can be; or those that can be.
fn challenges(table: &mut Table<'_>, own: Possible, listeners: &[Listener], found: &mut Diagnostics) -> Vec<Challenge> {
    let mut implicit = listeners.iter().filter(|l| l.tls.as_ref().is_some_and(|tls| tls.mode == Mode::Implicit));
    let at_https = implicit.clone().any(|listener| listener.address.port() == HTTPS);
    if let Some(node) = table.node("challenges") {
        // Another port than 443 may be reached by way of it.
        let alpn = own.alpn || implicit.next().is_some();
        return named(node, Possible { http: own.http, alpn }, found);
    }
    let usual = [(Challenge::Http01, own.http), (Challenge::TlsAlpn01, own.alpn || at_https)];
    let usual: Vec<Challenge> = usual.into_iter().filter(|(_, can)| *can).map(|(challenge, _)| challenge).collect();
    if usual.is_empty() {
        let told = found.error(table.span(), "there is no way to show the authority that the names are this server's");
        told.help(
            "set `http-listen = [\"0.0.0.0:80\", \"[::]:80\"]` for HTTP-01, or `tls-alpn-listen` with port 443 for TLS-ALPN-01",
        );
    }
    usual
}

fn named(node: &Node, possible: Possible, found: &mut Diagnostics) -> Vec<Challenge> {
    let one = |node: &Node, found: &mut Diagnostics| {
        if let Some("dns-01") = node.as_str() {
            let told = found.error(node.span, "this server can't answer DNS-01");
            told.help("use \"http-01\" or \"tls-alpn-01\", or name files that another program renews");
            return None;
        }
        let challenge = values::choice(CHALLENGES)(node, found)?;
        let (can, help) = match challenge {
            Challenge::Http01 => (possible.http, "set `http-listen`, such as [\"0.0.0.0:80\", \"[::]:80\"]"),
            Challenge::TlsAlpn01 => (possible.alpn, "set `tls-alpn-listen`, or give a listener `mode = \"implicit\"`"),
        };
        if !can {
            found.error(node.span, "there is no address at which this could be answered").help(help);
        }
        Some(challenge)
    };
    let challenges = one_or_list(node, found, one).unwrap_or_default();
    if challenges.is_empty() && node.as_array().is_some_and(|list| list.is_empty()) {
        found.error(node.span, "no challenge is named").help("leave `challenges` out for all that are possible");
    }
    challenges
}

#[cfg(all(test, feature = "acme"))]
mod tests {
    use super::*;
    use crate::config::Settings;
    use std::path::Path;

    fn parse(dir: &Path, acme: &str, listener: &str) -> Result<Settings, String> {
        let acme = format!("[acme]\ndirectory = 'https://ca.example/dir'\naccept-terms = true\n{acme}\n");
        let listener = format!("[[listener]]\naddress = '127.0.0.1:0'\n{listener}\n");
        let text = format!("hostname = 'mx.example.com'\n{acme}{listener}");
        Settings::parse(&dir.join("m.toml"), &text).map(|(settings, _)| settings).map_err(|found| found.to_string())
    }

    const STARTTLS: &str = "tls = { mode = 'starttls', acme = ['MX.example.com', 'bücher.example', 'mx.example.com'] }";
    const HTTP: &str = "http-listen = '127.0.0.1:8080'";

    #[test]
    fn names_are_read_and_what_is_kept_is_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let settings = parse(dir.path(), &format!("{HTTP}\ncontact = 'mailto:me@example.com'"), STARTTLS).unwrap();
        let acme = settings.acme.as_ref().unwrap();
        assert_eq!(
            (acme.contact.as_slice(), acme.challenges.as_slice()),
            (&["mailto:me@example.com".to_owned()][..], &[Challenge::Http01][..])
        );
        let path = dir.path().join("var/acme/mx.example.com.pem");
        let one = |settings: &Settings| ordered(&settings.listeners).next().cloned().unwrap();
        let first = one(&settings);
        assert_eq!((first.names.join(" "), &first.path), ("mx.example.com xn--bcher-kva.example".to_owned(), &path));
        assert!(first.file.is_none() && settings.pem_files.contains(&path), "its coming is watched for");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        let after = parse(dir.path(), HTTP, STARTTLS).unwrap();
        assert_eq!(one(&after).file.unwrap().octets[..], *b"x");
        assert_ne!(settings.listeners, after.listeners, "that is a change");
    }

    #[test]
    fn what_can_be_answered_is_what_there_is_an_address_for() {
        let dir = tempfile::tempdir().unwrap();
        let implicit = |port: u16| {
            let tls = "tls = { mode = 'implicit', acme = 'mx.example.com' }";
            format!("{STARTTLS}\n[[listener]]\naddress = '127.0.0.2:{port}'\n{tls}")
                .replace("'MX.example.com', 'bücher.example', ", "")
        };
        let challenges =
            |acme: &str, listener: &str| parse(dir.path(), acme, listener).map(|s| s.acme.unwrap().challenges);
        let (http, alpn) = (Challenge::Http01, Challenge::TlsAlpn01);
        assert_eq!(challenges("tls-alpn-listen = ['127.0.0.1:443']", STARTTLS).unwrap(), [alpn]);
        assert_eq!(challenges(HTTP, &implicit(443)).unwrap(), [http, alpn]);
        assert_eq!(challenges(HTTP, &implicit(465)).unwrap(), [http]);
        assert_eq!(challenges("challenges = 'tls-alpn-01'", &implicit(465)).unwrap(), [alpn]);
        for (acme, listener, why) in [
            ("", STARTTLS, "there is no way to show"),
            ("", &implicit(465)[..], "there is no way to show"),
            ("challenges = 'http-01'", &implicit(443), "could be answered"),
            ("challenges = 'tls-alpn-01'", STARTTLS, "could be answered"),
            ("challenges = []", STARTTLS, "no challenge is named"),
            ("http-listen = ['127.0.0.1:80', '0.0.0.0:80']", STARTTLS, "can't be bound beside"),
            ("http-listen = '127.0.0.2:465'", &implicit(465), "taken by a listener"),
        ] {
            let told = challenges(acme, listener).expect_err(acme);
            assert!(told.contains(why), "{acme}: {told}");
        }
    }

    #[test]
    fn the_key_of_a_customer_is_looked_at_and_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("secrets")).unwrap();
        let binding = format!("{HTTP}\naccount-binding = {{ key-id = 'k', key = {{ secret = 'eab' }} }}");
        let with = |text: &str| {
            std::fs::write(dir.path().join("secrets/eab"), text).unwrap();
            parse(dir.path(), &binding, STARTTLS)
        };
        assert_eq!(with("zWND_Z-M\n").unwrap().acme.unwrap().binding.unwrap().key.expose(), "zWND_Z-M");
        let told = with("hunter+2").unwrap_err();
        assert!(told.contains("no key in base64url") && !told.contains("hunter"), "{told}");
    }
}
