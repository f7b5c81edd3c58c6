//! What no table can check by itself: mail that is accepted and then has nowhere to go, and the like.

use super::diagnostic::Diagnostics;
use super::listener::Listener;
use super::reader::Table;
use super::settings::Settings;
use super::target::Target;
use crate::mail::Role;
use crate::sasl::Mechanism;

/// Notes what is wrong between tables. `table` is the whole file.
pub(super) fn across(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    everybody_exists(table, settings, found);
    no_way_out(table, settings, found);
    picked_up_again(table, settings, found);
    nobody_logs_in(table, settings, found);
    no_keytab(table, settings, found);
    never_encrypted(table, settings, found);
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

/// Sinks may let users in, and what they hear is not known here.
fn nobody_logs_in(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    let auth = &settings.auth;
    let waits = |listener: &&Listener| listener.role == Role::Submission && listener.auth.mechanisms.is_none();
    let nobody =
        auth.accounts.is_none() && auth.introspection.is_none() && auth.gssapi.is_none() && settings.manifest.is_none();
    if nobody && settings.listeners.iter().any(|listener| waits(&listener)) {
        let told = found.warning(table.place("listener"), "nobody can log in at the submission listener");
        told.help("name a user file: `[auth]` with `users = \"users\"`; `mailsluice user add NAME` adds users to it");
    }
}

/// Tickets can't be taken without the service's keys.
fn no_keytab(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    let gssapi = |name: &String| Mechanism::named(name) == Some(Mechanism::Gssapi);
    let offers = |listener: &&Listener| listener.auth.mechanisms.iter().flatten().any(gssapi);
    if let Some(listener) = settings.listeners.iter().find(offers).filter(|_| !has(table, "auth", "gssapi")) {
        let text =
            format!("the listener `{}` offers GSSAPI, and nothing says where the service's keys are", listener.name);
        let told = found.error(table.place("listener"), text);
        told.help("add `gssapi = { keytab = \"smtp.keytab\", realms = [\"EXAMPLE.COM\"] }` to `[auth]`");
    }
}

/// What shows a password is offered under TLS only, and there is none.
fn never_encrypted(table: &Table<'_>, settings: &Settings, found: &mut Diagnostics) {
    for listener in settings.listeners.iter().filter(|l| l.tls.is_none() && !l.auth.clear_text_without_tls) {
        let names = listener.auth.mechanisms.iter().flatten();
        let never = |name: &&String| Mechanism::named(name).is_some_and(|m| m.is_clear() || m.needs_tls());
        let never: Vec<&str> = names.filter(never).map(String::as_str).collect();
        if !never.is_empty() {
            let text = format!("the listener `{}` has no TLS, and never offers {}", listener.name, never.join(", "));
            let told = found.warning(table.place("listener"), text);
            told.help("give it a certificate with `tls`, or leave the mechanisms out of `auth`");
        }
    }
}

fn has(table: &Table<'_>, section: &str, key: &str) -> bool {
    table.place(&format!("{section}.{key}")) != table.place(section)
}
