//! `[tls-reports]`: reports to destinations on the TLS of what we sent them (RFC 8460).

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::values;
use crate::mail::{Domain, Mailbox};

/// Who reports. Without the table nothing is counted, and nobody gets a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsReports {
    /// `contact`: the address that reports come from, and that may be written to about them.
    pub contact: Mailbox,
    /// `organization`: who we are. Default: the hostname.
    pub organization: String,
}

impl TlsReports {
    /// Reads the table; none if it is not there.
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, hostname: Option<&Domain>) -> Option<Self> {
        let node = table.node("tls-reports")?;
        Table::read(node, found, |table, found| {
            let contact = table.require("contact", found, |node, found| {
                let text = values::string(node, found)?;
                let contact = Mailbox::parse(&text).ok();
                if contact.is_none() {
                    let told = found.error(node.span, format!("`{text}` is not an address"));
                    told.help("write one that somebody reads, such as \"postmaster@example.com\"");
                }
                contact
            });
            let organization = table.get("organization", found, values::string);
            let organization = organization.or_else(|| hostname.map(|name| name.as_str().to_owned()));
            Some(Self { contact: contact?, organization: organization? })
        })?
    }
}
