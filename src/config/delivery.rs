//! `[delivery]` and `[[route]]`: where accepted mail goes.

use super::diagnostic::Diagnostics;
use super::reader::{Table, one_or_list};
use super::route::Routes;
use super::target::{self, Endpoint, Target};
use std::path::Path;

/// The ways out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `local`: for recipients in local domains. Default: `{ maildir = "mail/{domain}/{local}" }`.
    pub local: Target,
    /// `smart-host`: a host and port or several, tried in this order, for what has no route. Default: none.
    pub smart_host: Vec<Endpoint>,
    /// `[[route]]`: by domain; also for local domains, and for those in `relay-to`.
    pub routes: Routes,
}

impl Delivery {
    /// Reads the two from the top of the file. Written paths are under `data_dir`.
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, data_dir: &Path) -> Self {
        let (local, smart_host) = table.section("delivery", found, |table, found| {
            let kinds = &["maildir", "lmtp", "drop"];
            let local = table.get("local", found, |n, f| target::read(n, kinds, data_dir, f));
            (local, table.get("smart-host", found, |n, f| one_or_list(n, f, target::endpoint)))
        });
        let pattern = "mail/{domain}/{local}".to_owned();
        Self {
            local: local.unwrap_or_else(|| Target::Maildir { root: data_dir.to_owned(), pattern }),
            smart_host: smart_host.unwrap_or_default(),
            routes: Routes::read(table, found, data_dir),
        }
    }
}
