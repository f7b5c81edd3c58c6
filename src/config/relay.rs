//! A server by SMTP that is named, and how it is to be trusted: `{ smtp = "host:587", tls = "verified", user = "…", password = … }`.

use super::diagnostic::Diagnostics;
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
    /// `tls`: none, opportunistic, required or verified. Default: verified if there is a password or `smtps`, else opportunistic.
    pub tls: TlsPolicy,
    /// `names`: what its certificate may say, in place of the host's name.
    pub names: Vec<String>,
    /// `ca`: who may vouch for it, in place of the system's authorities.
    pub ca: Option<Authorities>,
    /// `user` and `password`, or `token`.
    pub login: Option<RelayLogin>,
}

/// Who we are to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayLogin {
    /// `user`.
    pub user: String,
    /// `password`, or what stands in its place for the mechanism.
    pub password: Secret,
    /// `mechanism`: the one to use. Default: the strongest that is offered and goes with a password.
    pub mechanism: Option<String>,
}

/// The mechanisms that can be asked for.
const MECHANISMS: [&str; 6] = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"];

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
    let login = login(table, places, found);
    let bare = !implicit && tls_at.is_none() && login.is_none() && names.is_empty() && ca.is_none();
    if bare {
        return None;
    }
    let usual = if login.is_some() || implicit { TlsPolicy::Verified } else { TlsPolicy::Opportunistic };
    let tls = tls.unwrap_or(usual);
    if let Some(node) = tls_at {
        check(tls, implicit, login.is_some(), node, found);
    }
    if tls != TlsPolicy::Verified && !(names.is_empty() && ca.is_none()) {
        let told = found.warning(table.span(), "`names` and `ca` mean nothing here: no certificate is verified");
        told.help("add tls = \"verified\"");
    }
    Some(Relay { endpoint, implicit, tls, names, ca, login })
}

fn check(tls: TlsPolicy, implicit: bool, login: bool, node: &Node, found: &mut Diagnostics) {
    match tls {
        TlsPolicy::Dane => {
            let told = found.error(node.span, "DANE is for the hosts that MX records name");
            told.help("write \"verified\" for a server that is named");
        }
        TlsPolicy::None if implicit => {
            found.error(node.span, "`smtps` is TLS").help("write `smtp` for a server without it");
        }
        TlsPolicy::None | TlsPolicy::Opportunistic if login => {
            let told =
                found.warning(node.span, "whoever is on the way can make this server wait for TLS that never comes");
            told.help("a password is never sent in plaintext; write \"verified\", or \"required\"");
        }
        _ => {}
    }
}

fn login(table: &mut Table<'_>, places: &Places<'_>, found: &mut Diagnostics) -> Option<RelayLogin> {
    let (user_at, password_at) = (table.node("user"), table.node("password"));
    let user = table.get("user", found, values::string);
    let password = table.get("password", found, |node, found| secret(node, places, found));
    let mechanism = table.get("mechanism", found, mechanism);
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
