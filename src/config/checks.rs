//! What no table can check by itself: mail that is accepted and then has nowhere to go, and the like.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::settings::Settings;
use super::target::Target;

/// Notes what is wrong between tables. `table` is the whole file.
pub(super) fn across(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    everybody_exists(table, settings, found);
    no_way_out(table, settings, found);
    picked_up_again(table, settings, found);
}

fn everybody_exists(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    if settings.recipients.users.is_none() && !settings.domains.local.is_empty() && !has(table, "recipients", "users") {
        let told = found.warning(table.place("domains.local"), "every local part exists in the local domains");
        told.help("list those who do in `recipients.users`; others are then refused at RCPT");
    }
}

/// The MX records of a domain that we relay to usually name this server, and then there is no way on.
fn no_way_out(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    let delivery = &settings.delivery;
    if !delivery.smart_host.is_empty() {
        return;
    }
    let help = "add a `[[route]]` for it: without one its MX records are asked, and those usually name this server";
    for domain in settings.domains.relay_to.iter().filter(|d| delivery.routes.find(d).is_none()) {
        let place = table.place("domains.relay-to");
        found.warning(place, format!("mail for `{domain}` will be accepted, but has no route")).help(help);
    }
}

/// What is dropped where mail is picked up would be sent again and again.
fn picked_up_again(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    let Some(directory) = &settings.pickup.directory else { return };
    let targets = std::iter::once(&settings.delivery.local).chain(settings.delivery.routes.targets());
    if targets.into_iter().any(|target| matches!(target, Target::Drop(drop) if drop == directory)) {
        let told = found.error(table.place("pickup.directory"), "mail that is dropped there would go in circles");
        told.help("use another directory than that of a `drop` target");
    }
}

fn has(table: &Table<'_>, section: &str, key: &str) -> bool {
    table.place(&format!("{section}.{key}")) != table.place(section)
}
