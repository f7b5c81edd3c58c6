//! What no table can check by itself: mail that is accepted and then has nowhere to go, and the like.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::settings::Settings;

/// Notes what is wrong between tables. `table` is the whole file.
pub(super) fn across(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    everybody_exists(table, settings, found);
    no_way_out(table, settings, found);
}

fn everybody_exists(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    if settings.recipients.users.is_none() && !settings.domains.local.is_empty() && !has(table, "recipients", "users") {
        let told = found.warning(table.place("domains.local"), "every local part exists in the local domains");
        told.help("list those who do in `recipients.users`; others are then refused at RCPT");
    }
}

/// There are no MX look-ups yet, so mail for elsewhere needs a route or a smart host.
fn no_way_out(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    let delivery = &settings.delivery;
    if !delivery.smart_host.is_empty() {
        return;
    }
    let help = "add a `[[route]]` for it or set `delivery.smart-host`: MX records are not looked up by this version";
    for domain in settings.domains.relay_to.iter().filter(|d| delivery.routes.find(d).is_none()) {
        let place = table.place("domains.relay-to");
        found.warning(place, format!("mail for `{domain}` will be accepted, but has no route")).help(help);
    }
    if !settings.domains.relay_from.is_empty() && !delivery.routes.has_default() {
        let place = table.place("domains.relay-from");
        found.warning(place, "mail of these clients for other domains will be accepted, but has no route").help(help);
    }
}

fn has(table: &Table<'_>, section: &str, key: &str) -> bool {
    table.place(&format!("{section}.{key}")) != table.place(section)
}
