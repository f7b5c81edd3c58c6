//! `[delivery]`, `[[route]]` and `[[tls-policy]]`: where accepted mail goes.

use super::diagnostic::Diagnostics;
use super::outbound::Outbound;
use super::places::Places;
use super::reader::{Table, one_or_list};
use super::relay::Relay;
use super::route::Routes;
use super::target::{self, Target};

/// The ways out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `local`: for recipients in local domains. Default: `{ maildir = "mail/{domain}/{local}" }`.
    pub local: Target,
    /// `smart-host`: a host and port or several, tried in this order, for what has no route. Default: none.
    pub smart_host: Vec<Target>,
    /// `[[route]]`: by domain; also for local domains, and for those in `relay-to`.
    pub routes: Routes,
    /// `tls`, `dane`, `mta-sts` and `[[tls-policy]]`: how secure the way to what MX records name has to be.
    pub outbound: Outbound,
}

impl Delivery {
    /// The servers that are named, each with more said of it than where it is.
    pub fn relays(&self) -> impl Iterator<Item = &Relay> {
        let targets = self.smart_host.iter().chain(self.routes.targets());
        targets.filter_map(|target| if let Target::Relay(relay) = target { Some(&**relay) } else { None })
    }

    /// Reads the three from the top of the file.
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, places: &Places<'_>) -> Self {
        let mut outbound = Outbound::default();
        let (local, smart_host) = table.section("delivery", found, |table, found| {
            let kinds = &["maildir", "lmtp", "drop"];
            let local = table.get("local", found, |n, f| target::read(n, kinds, places, f));
            outbound.keys(table, found);
            let smart_host = |n, f: &mut Diagnostics| one_or_list(n, f, |n, f| target::smart_host(n, places, f));
            (local, table.get("smart-host", found, smart_host))
        });
        outbound.tables(table, found, places);
        let pattern = "mail/{domain}/{local}".to_owned();
        Self {
            local: local.unwrap_or_else(|| Target::Maildir { root: places.data_dir.to_owned(), pattern }),
            smart_host: smart_host.unwrap_or_default(),
            routes: Routes::read(table, found, places),
            outbound,
        }
    }
}
