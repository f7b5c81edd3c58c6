//! `tls` of a listener: when sessions are encrypted, with which certificates, and what is asked of clients.
//!
//! The files are read here; what is in them is the business of `crate::tls`.

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
    /// `certificate` and `key`, then `certificates`: the first is shown to who asks for no name, or for one that none has.
    pub certificates: Vec<Pair>,
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

/// All pairs; nothing if any of them can't be read.
fn certificates(table: &mut Table<'_>, found: &mut Diagnostics, files: &mut PemFiles) -> Option<Vec<Pair>> {
    let mut all = vec![pair(table, found, files)];
    if let Some(node) = table.node("certificates") {
        let more = |node: &Node, found: &mut Diagnostics| Table::read(node, found, |t, f| pair(t, f, files));
        all.extend(list(node, found, more).into_iter().flatten());
    }
    all.into_iter().collect()
}

fn pair(table: &mut Table<'_>, found: &mut Diagnostics, files: &mut PemFiles) -> Option<Pair> {
    let certificate = table.require("certificate", found, |node, found| files.file(node, found));
    let key = table.require("key", found, |node, found| files.file(node, found));
    Some(Pair { certificate: certificate?, key: key? })
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
