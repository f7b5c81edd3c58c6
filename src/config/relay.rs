//! A server by SMTP that is named, and how it is to be trusted: `{ smtp = "host:587", tls = "verified", user = "…", password = … }`.

use super::diagnostic::Diagnostics;
use super::listener::tls::Pair;
use super::outbound::{self, Authorities};
use super::places::Places;
use super::reader::Table;
use super::secret::Secret;
use super::target::Endpoint;
use super::tree::Node;
use super::values;
use crate::smtp::client::TlsPolicy;

/// The longest secret, in octets.
const SECRET_MAX: usize = 64 * 1024;

/// A server by SMTP, a smart host for instance, with more said of it than where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Where it is.
    pub endpoint: Endpoint,
    /// `smtps`: TLS is there from the first octet.
    pub implicit: bool,
    /// `tls`: none, opportunistic, required or verified. Default: verified if there is a password, a certificate or `smtps`, else
    /// opportunistic.
    pub tls: TlsPolicy,
    /// `names`: what its certificate may say, in place of the host's name.
    pub names: Vec<String>,
    /// `ca`: who may vouch for it, in place of the system's authorities.
    pub ca: Option<Authorities>,
    /// `user` and `password`, or `mechanism = "EXTERNAL"`.
    pub login: Option<RelayLogin>,
    /// `certificate` and `key`: shown to the server if it asks for one.
    pub identity: Option<Pair>,
}

/// Who we are to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayLogin {
    /// `user`. With EXTERNAL it may be empty: the certificate says it.
    pub user: String,
    /// `password`, or what stands in its place for the mechanism.
    pub password: Secret,
    /// `mechanism`: the one to use. Default: the strongest that is offered and goes with a password.
    pub mechanism: Option<String>,
}

/// The mechanisms that can be asked for.
const MECHANISMS: [&str; 7] =
    ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2", EXTERNAL];
const EXTERNAL: &str = "EXTERNAL";

/// Reads what stands beside `smtp` or `smtps`. None if nothing does: then the endpoint is all.
pub(super) fn read(
    endpoint: Endpoint,
    implicit: bool,
    table: &mut Table<'_>,
    places: &Places<'_>,
    found: &mut Diagnostics,
) -> Option<Relay> {
    let tls_at = table.node("tls");
    let tls = table.get("tls", found, outbound::policy);
    let names = table.list("names", found, outbound::name).unwrap_or_default();
    let ca = table.get("ca", found, |node, found| outbound::authorities(node, places, found));
    let certified = table.node("certificate").is_some();
    let identity = identity(table, places, found);
    let login = login(table, places, certified, found);
    let known = login.is_some() || identity.is_some();
    let bare = !implicit && tls_at.is_none() && !known && names.is_empty() && ca.is_none();
    if bare {
        return None;
    }
    let usual = if known || implicit { TlsPolicy::Verified } else { TlsPolicy::Opportunistic };
    let tls = tls.unwrap_or(usual);
    if let Some(node) = tls_at {
        check(tls, implicit, (login.is_some(), identity.is_some()), node, found);
    }
    if tls != TlsPolicy::Verified && !(names.is_empty() && ca.is_none()) {
        let told = found.warning(table.span(), "`names` and `ca` mean nothing here: no certificate is verified");
        told.help("add tls = \"verified\"");
    }
    Some(Relay { endpoint, implicit, tls, names, ca, login, identity })
}

fn check(tls: TlsPolicy, implicit: bool, (login, identity): (bool, bool), node: &Node, found: &mut Diagnostics) {
    match tls {
        TlsPolicy::Dane => {
            let told = found.error(node.span, "DANE is for the hosts that MX records name");
            told.help("write \"verified\" for a server that is named");
        }
        TlsPolicy::None if implicit => {
            found.error(node.span, "`smtps` is TLS").help("write `smtp` for a server without it");
        }
        TlsPolicy::None if identity => {
            let told = found.error(node.span, "without TLS no certificate is shown");
            told.help("write \"verified\", or \"required\", or leave `certificate` and `key` out");
        }
        TlsPolicy::None | TlsPolicy::Opportunistic if login => {
            let told =
                found.warning(node.span, "whoever is on the way can make this server wait for TLS that never comes");
            told.help("a password is never sent in plaintext; write \"verified\", or \"required\"");
        }
        _ => {}
    }
}

/// Our certificate for this server.
fn identity(table: &mut Table<'_>, places: &Places<'_>, found: &mut Diagnostics) -> Option<Pair> {
    let at = (table.node("certificate"), table.node("key"));
    let certificate = table.get("certificate", found, |node, found| places.pem_file(node, found));
    let key = table.get("key", found, |node, found| places.pem_file(node, found));
    match at {
        (Some(node), None) => {
            found.error(node.span, "there is a certificate and no key").help("add key = \"client.key\"");
        }
        (None, Some(node)) => {
            found.error(node.span, "there is a key and no certificate").help("add certificate = \"client.pem\"");
        }
        _ => {}
    }
    Some(Pair { certificate: certificate?, key: key? })
}

/// Who we are; `certified` says that there is to be a certificate of ours.
fn login(table: &mut Table<'_>, places: &Places<'_>, certified: bool, found: &mut Diagnostics) -> Option<RelayLogin> {
    let (user_at, password_at) = (table.node("user"), table.node("password"));
    let user = table.get("user", found, values::string);
    let password = table.get("password", found, |node, found| secret(node, places, found));
    let mechanism_at = table.node("mechanism");
    let mechanism = table.get("mechanism", found, mechanism);
    if mechanism.as_deref() == Some(EXTERNAL) {
        let at = mechanism_at.map(|node| node.span);
        if !certified {
            let told = found.error(at, "EXTERNAL is a login by certificate, and there is none");
            told.help("add certificate = \"client.pem\" and key = \"client.key\"");
        }
        if let Some(node) = password_at {
            let told = found.error(node.span, "EXTERNAL has no password: the certificate says who we are");
            told.help("leave `password` out, or `mechanism`");
        }
        return Some(RelayLogin { user: user.unwrap_or_default(), password: Secret::new(""), mechanism });
    }
    match (user_at, password_at) {
        (Some(node), None) => {
            found.error(node.span, "there is a user and no password").help("add password = { secret = \"name\" }");
        }
        (None, Some(node)) => {
            found.error(node.span, "there is a password and no user").help("add user = \"name\"");
        }
        _ => {}
    }
    Some(RelayLogin { user: user?, password: password?, mechanism })
}

fn mechanism(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?.to_ascii_uppercase();
    if MECHANISMS.contains(&text.as_str()) {
        return Some(text);
    }
    let told = found.error(node.span, format!("`{text}` is no mechanism that can be used"));
    told.help(format!("write one of {}, or leave it out", MECHANISMS.join(", ")));
    None
}

/// A text, or `{ secret = "name" }`: the file of that name among the service manager's credentials, or in `secrets` beside the
/// configuration. A line end at its end does not belong to it.
fn secret(node: &Node, places: &Places<'_>, found: &mut Diagnostics) -> Option<Secret> {
    let Some(fields) = node.as_table() else { return values::string(node, found).map(Secret::new) };
    let named = fields.get("secret").filter(|_| fields.len() == 1).and_then(|field| field.node.as_str());
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let Some(name) = named.filter(|n| (1..=64).contains(&n.len()) && !n.starts_with('.') && n.bytes().all(plain))
    else {
        found.error(node.span, "this names no secret").help("write { secret = \"name\" }: the file secrets/name");
        return None;
    };
    let credential = places.credentials.as_ref().map(|folder| folder.join(name)).filter(|path| path.exists());
    let file = credential.unwrap_or_else(|| places.base.join("secrets").join(name));
    places.note(file.clone());
    match std::fs::read_to_string(&file) {
        Ok(text) if text.len() <= SECRET_MAX && !text.trim().is_empty() => {
            let line = text.strip_suffix('\n').unwrap_or(&text);
            Some(Secret::new(line.strip_suffix('\r').unwrap_or(line)))
        }
        outcome => {
            let why = outcome
                .map_or_else(|error| super::diagnostic::io_text(&error), |_| "it is empty, or too long".to_owned());
            let told = found.error(node.span, format!("the secret `{name}` can't be read: {why}"));
            told.help(format!("put it into `{}`, which only the user that runs the server may read", file.display()));
            None
        }
    }
}
