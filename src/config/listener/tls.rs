//! `tls` of a listener: when sessions are encrypted, with which certificates, and what is asked of clients.
//!
//! The files are read here; what is in them is the business of `crate::tls`.

use super::ordered::{self, Ordered};
use super::pem_file::{PemFile, PemFiles};
use crate::config::diagnostic::Diagnostics;
use crate::config::reader::{Table, list};
use crate::config::sources::Span;
use crate::config::tree::Node;
use crate::config::values;
use crate::mail::Role;

/// The TLS of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// `mode`: when the handshake comes.
    pub mode: Mode,
    /// `certificate` and `key` or `acme`, then `certificates`: the first is shown to who asks for no name, or for one that none has.
    pub certificates: Vec<Certificate>,
    /// `required`: no MAIL before TLS. Default: true for the role `submission`. Always true where the handshake comes first.
    pub required: bool,
    /// `client-certificates`: default `"none"`.
    pub clients: Clients,
    /// `client-ca`: the authorities that vouch for clients.
    pub client_ca: Option<PemFile>,
    /// `min-version`: default `"1.2"`.
    pub min_version: MinVersion,
}

/// When the handshake comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// After STARTTLS (RFC 3207).
    StartTls,
    /// Before anything else (RFC 8314 3).
    Implicit,
}

/// Whether clients are asked for certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// They are not.
    #[default]
    None,
    /// They are; one that shows none, or one that nobody vouches for, is served all the same.
    Optional,
    /// They must show one that an authority of `client-ca` vouches for.
    Required,
}

/// The oldest version that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinVersion {
    /// RFC 5246.
    #[default]
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// From files.
    Files(Pair),
    /// The server fetches it.
    Acme(Ordered),
}

impl Certificate {
    /// What is to be fetched, if it is that.
    pub fn ordered(&self) -> Option<&Ordered> {
        match self {
            Self::Acme(ordered) => Some(ordered),
            Self::Files(_) => None,
        }
    }
}

/// A certificate with those that lead to its authority, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// `certificate`: the server's own first.
    pub certificate: PemFile,
    /// `key`.
    pub key: PemFile,
}

const MODES: &[(&str, Mode)] = &[("starttls", Mode::StartTls), ("implicit", Mode::Implicit)];
const CLIENTS: &[(&str, Clients)] =
    &[("none", Clients::None), ("optional", Clients::Optional), ("required", Clients::Required)];
const VERSIONS: &[(&str, MinVersion)] = &[("1.2", MinVersion::Tls12), ("1.3", MinVersion::Tls13)];

impl Tls {
    /// Reads the table. Without a certificate that can be read there is no TLS, and an error.
    pub(super) fn read(
        table: &mut Table<'_>,
        found: &mut Diagnostics,
        role: Role,
        files: &mut PemFiles,
    ) -> Option<Self> {
        let mode = table.require("mode", found, values::choice(MODES));
        let certificates = certificates(table, found, files);
        let required = table.get("required", found, values::boolean);
        if let (Some(Mode::Implicit), Some(false)) = (mode, required) {
            let told =
                found.error(table.place("required"), "with `mode = \"implicit\"` there is no session without TLS");
            told.help("leave `required` out");
        }
        let clients = table.get("client-certificates", found, values::choice(CLIENTS)).unwrap_or_default();
        let ca_named = table.node("client-ca").is_some();
        let client_ca = table.get("client-ca", found, |node, found| files.file(node, found));
        check_clients(table, clients, ca_named, found);
        let min_version = table.get("min-version", found, min_version).unwrap_or_default();
        Some(Self {
            mode: mode?,
            certificates: certificates?,
            required: required.unwrap_or(mode == Some(Mode::Implicit) || role == Role::Submission),
            clients,
            client_ca,
            min_version,
        })
    }
}

/// All of them; nothing if any can't be read.
fn certificates(table: &mut Table<'_>, found: &mut Diagnostics, files: &mut PemFiles) -> Option<Vec<Certificate>> {
    let mut all = Vec::new();
    let own = ["certificate", "key", "acme"].map(|key| table.node(key).is_some());
    let more = table.node("certificates");
    if more.is_none() || own.contains(&true) {
        all.push(certificate(table, found, files));
    }
    if let Some(node) = more {
        if node.as_array().is_some_and(<[_]>::is_empty) && all.is_empty() {
            found.error(node.span, "there is no certificate to show").help("name one, or leave `tls` out");
            return None;
        }
        let more = |node: &Node, found: &mut Diagnostics| Table::read(node, found, |t, f| certificate(t, f, files));
        all.extend(list(node, found, more).into_iter().flatten());
    }
    all.into_iter().collect()
}

/// One: `acme`, or `certificate` and `key`.
fn certificate(table: &mut Table<'_>, found: &mut Diagnostics, files: &mut PemFiles) -> Option<Certificate> {
    if let Some(node) = table.node("acme") {
        let ordered = ordered::read(node, found, files);
        for key in ["certificate", "key"] {
            if let Some(field) = table.field(key) {
                let told = found.error(field.key_span, format!("`{key}` has no place beside `acme`"));
                told.help("the server keeps what it fetches by itself; more certificates go to `certificates`");
            }
        }
        return ordered.map(Certificate::Acme);
    }
    let certificate = table.require("certificate", found, |node, found| files.file(node, found));
    let key = table.require("key", found, |node, found| files.file(node, found));
    Some(Certificate::Files(Pair { certificate: certificate?, key: key? }))
}

fn check_clients(table: &Table<'_>, clients: Clients, ca_named: bool, found: &mut Diagnostics) {
    let at = |key: &str| -> Option<Span> { table.place(key) };
    match (clients, ca_named) {
        (Clients::Required, false) => {
            let told = found.error(at("client-certificates"), "nobody could vouch for a client's certificate");
            told.help("set `client-ca` to a file with the certificates of the authorities that clients' are from");
        }
        (Clients::None, true) => {
            let told = found.error(at("client-ca"), "clients are not asked for certificates");
            told.help("set `client-certificates` to \"optional\" or \"required\", or leave `client-ca` out");
        }
        _ => {}
    }
}

fn min_version(node: &Node, found: &mut Diagnostics) -> Option<MinVersion> {
    if let Some(old @ ("1.0" | "1.1")) = node.as_str() {
        let told = found.error(node.span, format!("TLS {old} is not spoken"));
        told.help("RFC 8996 forbids it: use \"1.2\" or \"1.3\". Clients that have nothing newer can send without TLS");
        return None;
    }
    values::choice(VERSIONS)(node, found)
}
