//! The whole of `mailsluice.toml`.
//!
//! Plain data: a reload compares two of them. Paths are resolved; domain lists hold keys ([`crate::mail::domain::key`]).

use super::acme::Acme;
use super::admin::Admin;
use super::auth::Auth;
use super::delivery::Delivery;
use super::diagnostic::Diagnostics;
use super::domains::Domains;
use super::dsn::Dsn;
use super::ledger::Ledger;
use super::limits::Limits;
use super::listener::{self, Listener, PemFiles};
use super::log::Log;
use super::pickup::Pickup;
use super::places::Places;
use super::queue::Queue;
use super::reader::Table;
use super::recipients::Recipients;
use super::reload::Reload;
use super::run::Run;
use super::smtp::Smtp;
use super::sources::SourceId;
use super::tls_reports::TlsReports;
use super::traffic::Traffic;
use super::tree::Node;
use super::{checks, machine, path, values};
use crate::mail::{Domain, domain::Host};
use std::path::{Path, PathBuf};

/// What was noted about settings that can be used.
pub type Warnings = Diagnostics;

/// The settings in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `hostname`: how the server names itself. Default: the machine's name.
    pub hostname: Domain,
    /// `data-dir`: where everything is written, absolute. Default: `var` beside the file.
    pub data_dir: PathBuf,
    /// `manifest`: the sinks. Default: `sinks.toml` beside the file, if there is one.
    pub manifest: Option<PathBuf>,
    /// `[[listener]]`, at least one.
    pub listeners: Vec<Listener>,
    /// `[acme]`: none without the table.
    pub acme: Option<Acme>,
    /// `[domains]`.
    pub domains: Domains,
    /// `[recipients]`.
    pub recipients: Recipients,
    /// `[auth]`.
    pub auth: Auth,
    /// `[delivery]`, `[[route]]` and `[[tls-policy]]`.
    pub delivery: Delivery,
    /// `[limits]`.
    pub limits: Limits,
    /// `[pickup]`.
    pub pickup: Pickup,
    /// `[smtp]`.
    pub smtp: Smtp,
    /// `[queue]`.
    pub queue: Queue,
    /// `[dsn]`.
    pub dsn: Dsn,
    /// `[[traffic]]`.
    pub traffic: Traffic,
    /// `[tls-reports]`: none without the table.
    pub tls_reports: Option<TlsReports>,
    /// `[reload]`.
    pub reload: Reload,
    /// `[admin]`.
    pub admin: Admin,
    /// `[run]`.
    pub run: Run,
    /// `[log]`.
    pub log: Log,
    /// `[ledger]`.
    pub ledger: Ledger,
    /// The files that all this was read from, or would be if they were there: to be watched.
    pub files: Vec<PathBuf>,
    /// Of the files that this was read from, those with hashes and secrets: to be watched, and never copied.
    pub credential_files: Vec<PathBuf>,
    /// Of the files that this was read from, those with certificates and keys: to be watched, and never copied.
    pub pem_files: Vec<PathBuf>,
}

impl Settings {
    /// Reads and checks a file. The error is printed as it is.
    pub fn load(path: &Path) -> Result<(Self, Warnings), Diagnostics> {
        let mut found = Diagnostics::default();
        let settings = Self::read(path, &mut found);
        settled(settings, found)
    }

    /// Checks a text as if it stood in the file `path`.
    pub fn parse(path: &Path, text: &str) -> Result<(Self, Warnings), Diagnostics> {
        let mut found = Diagnostics::default();
        let id = found.sources.add(path.display().to_string(), text);
        let settings = from_source(path, id, &mut found);
        settled(settings, found)
    }

    /// Reads and checks a file, noting what is wrong. There may be settings in spite of errors, so that more can
    /// be checked against them; they must not be used.
    pub fn read(path: &Path, found: &mut Diagnostics) -> Option<Self> {
        let id = found.open(path, None)?;
        from_source(path, id, found)
    }
}

fn settled(settings: Option<Settings>, found: Diagnostics) -> Result<(Settings, Warnings), Diagnostics> {
    match settings {
        Some(settings) if !found.has_errors() => Ok((settings, found)),
        _ => Err(found),
    }
}

fn from_source(path: &Path, id: SourceId, found: &mut Diagnostics) -> Option<Settings> {
    let root = super::parse(id, found)?;
    Table::read(&root, found, |table, found| settings(path, table, found))?
}

fn settings(file: &Path, table: &mut Table<'_>, found: &mut Diagnostics) -> Option<Settings> {
    let base = path::folder(file);
    let hostname = hostname(table, found);
    let data_dir = data_dir(base, table, found);
    let mut files = vec![file.to_owned()];
    let manifest = manifest(base, table, found, &mut files);
    let mut pem_files = PemFiles::new(base, &data_dir, table.field("acme").is_some());
    let listeners = listener::read(table, found, &mut pem_files);
    let domains = table.section("domains", found, Domains::read);
    let recipients = table.section("recipients", found, |t, f| Recipients::read(t, f, base, &domains, &mut files));
    let mut credential_files = Vec::new();
    let auth = table.section("auth", found, |t, f| Auth::read(t, f, base, &mut credential_files));
    let places = Places::new(file, &data_dir, pem_files);
    let delivery = Delivery::read(table, found, &places);
    let acme = Acme::read(table, found, &places, &listeners, &mut credential_files);
    let (read, pem_files) = places.files();
    files.extend(read);
    let limits = table.section("limits", found, |t, f| Limits::read(t, f, &data_dir));
    let pickup = table.section("pickup", found, |t, f| Pickup::read(t, f, &data_dir));
    let smtp = table.section("smtp", found, Smtp::read);
    let queue = table.section("queue", found, Queue::read);
    let dsn = table.section("dsn", found, |t, f| Dsn::read(t, f, base, &mut files));
    let traffic = Traffic::read(table, found, &queue);
    let tls_reports = TlsReports::read(table, found, hostname.as_ref());
    let reload = table.section("reload", found, Reload::read);
    let admin = table.section("admin", found, |t, f| Admin::read(t, f, &data_dir));
    let run = table.section("run", found, Run::read);
    let log = table.section("log", found, Log::read);
    let ledger = table.section("ledger", found, Ledger::read);
    // Only now: without a name there are no settings, but everything has been looked at.
    let settings = Settings {
        hostname: hostname?,
        data_dir,
        manifest,
        listeners,
        acme,
        domains,
        recipients,
        auth,
        delivery,
        limits,
        pickup,
        smtp,
        queue,
        dsn,
        traffic,
        tls_reports,
        reload,
        admin,
        run,
        log,
        ledger,
        files,
        credential_files,
        pem_files: pem_files.paths(),
    };
    checks::across(table, &settings, found);
    Some(settings)
}

fn hostname(table: &mut Table<'_>, found: &mut Diagnostics) -> Option<Domain> {
    let help = "set `hostname` to the name under which other servers know this one, such as \"mx.example.com\"";
    let (text, span) = match table.node("hostname") {
        Some(node) => (values::string(node, found)?, Some(node.span)),
        None => (machine::hostname(), None),
    };
    let whose = if span.is_some() { "hostname" } else { "machine's own name" };
    let Some(name) = Domain::parse(&text).ok().filter(|d| matches!(d.host(), Host::Name(_))) else {
        found.error(span, format!("the {whose} `{text}` is not a valid domain name")).help(help);
        return None;
    };
    if !text.contains('.') {
        found.warning(span, format!("the {whose} `{text}` is not fully qualified")).help(help);
    }
    Some(name)
}

fn data_dir(base: &Path, table: &mut Table<'_>, found: &mut Diagnostics) -> PathBuf {
    let given = table.get("data-dir", found, |node, found| path::below(base, node, found));
    let dir = given.unwrap_or_else(|| base.join("var"));
    std::path::absolute(&dir).unwrap_or(dir)
}

/// The usual one need not be there; that it comes is a change to watch for.
fn manifest(base: &Path, table: &mut Table<'_>, found: &mut Diagnostics, files: &mut Vec<PathBuf>) -> Option<PathBuf> {
    if let Some(node) = table.node("manifest") {
        return path::below(base, node, found).filter(|path| exists(path, node, found));
    }
    let usual = base.join("sinks.toml");
    files.push(usual.clone());
    Some(usual).filter(|path| path.is_file())
}

fn exists(path: &Path, node: &Node, found: &mut Diagnostics) -> bool {
    let there = path.is_file();
    if !there {
        found
            .error(node.span, format!("there is no file `{}`", path.display()))
            .help("a relative path starts at the file that names it");
    }
    there
}

#[cfg(test)]
mod tests {
    use super::super::target::{Endpoint, Target};
    use super::*;
    use std::time::Duration;

    const SMALLEST: &str = "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n";

    fn parse(text: &str) -> (Settings, Warnings) {
        Settings::parse(Path::new("/etc/mailsluice/mailsluice.toml"), text).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn a_listener_is_all_that_is_needed() {
        let (settings, _) = parse(SMALLEST);
        assert_eq!(settings.data_dir, Path::new("/etc/mailsluice/var"));
        assert_eq!(settings.manifest, None);
        assert_eq!(settings.listeners[0].name, "127.0.0.1:0");
        assert_eq!(settings.admin.socket, Path::new("/etc/mailsluice/var/admin.sock"));
        assert_eq!(settings.limits.message_size, 10 << 20);
        assert_eq!(settings.limits.message_size_max, 10 << 20);
        assert_eq!(settings.queue.retry.len(), 6);
        assert_eq!(settings.queue.expire, Duration::from_secs(5 * 86_400));
        assert_eq!((settings.log.format, settings.log.level.as_str()), (super::super::log::Format::Plain, "info"));
        assert!(settings.recipients.plus_addressing && settings.reload.watch && !settings.smtp.vrfy);
    }

    #[test]
    fn everything_that_can_be_set() {
        let text = "data-dir = '/srv/mail'\n".to_owned()
            + SMALLEST
            + "role = 'lmtp'\nname = 'inside'\nproxy-protocol = false\nxclient-from = []\n\
            [domains]\nlocal = ['BÜCHER.example']\nrelay-to = ['uni.example']\nrelay-from = ['127.0.0.0/8', '::1']\n\
            [recipients]\nusers = ['alice', 'bob@xn--bcher-kva.example']\nplus-addressing = false\n\
            [delivery]\nlocal = { drop = 'drop' }\nsmart-host = ['[::1]:2525', 'Relay.example:25']\n\
            [[route]]\ndomain = 'uni.example'\nto = { maildir = '/var/mail/{local}' }\n\
            [limits]\nmessage-size = '1 KiB'\nmessage-size-max = '1 MiB'\nrecipients = 5\nidle = '250 ms'\n\
            [queue]\nretry = ['1s']\nexpire = '1m'\nwarn-after = '30s'\n[reload]\nwatch = false\n\
            [admin]\nsocket = '/run/x.sock'\n[log]\nformat = 'json'\nlevel = 'debug'\n[ledger]\nkeep = '1h'\nsize = '1 MiB'\n";
        let (settings, warnings) = parse(&text);
        assert_eq!(settings.domains.local, ["xn--bcher-kva.example"]);
        assert_eq!(settings.domains.relay_from.len(), 2);
        assert_eq!(settings.recipients.users.as_ref().map(Vec::len), Some(2));
        assert_eq!(settings.delivery.local, Target::Drop("/srv/mail/drop".into()));
        let smart_host = |host: &str, port| Target::Smtp(Endpoint { host: host.to_owned(), port });
        assert_eq!(settings.delivery.smart_host, [smart_host("::1", 2525), smart_host("relay.example", 25)]);
        let maildir = Target::Maildir { root: "/".into(), pattern: "var/mail/{local}".to_owned() };
        assert_eq!(settings.delivery.routes.find("uni.example"), Some(&[maildir][..]));
        assert_eq!((settings.limits.recipients, settings.limits.idle), (5, Duration::from_millis(250)));
        assert_eq!(settings.admin.socket, Path::new("/run/x.sock"));
        assert!(!warnings.has_errors());
    }

    #[test]
    fn an_lmtp_server_may_be_at_a_socket() {
        for (text, target) in [
            ("unix:/run/lmtp.sock", Target::LmtpSocket("/run/lmtp.sock".into())),
            ("unix:lmtp.sock", Target::LmtpSocket("/etc/mailsluice/var/lmtp.sock".into())),
            ("[::1]:24", Target::Lmtp(Endpoint { host: "::1".into(), port: 24 })),
        ] {
            let (settings, _) = parse(&format!("{SMALLEST}[delivery]\nlocal = {{ lmtp = '{text}' }}\n"));
            assert_eq!(settings.delivery.local, target, "{text}");
        }
        let long = format!("{SMALLEST}[delivery]\nlocal = {{ lmtp = 'unix:/{}' }}\n", "x".repeat(107));
        assert!(Settings::parse(Path::new("/etc/mailsluice.toml"), &long).is_err());
    }

    #[test]
    fn what_is_said_counts_for_a_reload_and_how_does_not() {
        let before = parse(SMALLEST).0;
        assert_eq!(before, parse(&format!("# moved\n\n{SMALLEST}[limits]\nidle = '5m'\n")).0);
        assert_ne!(before, parse(&format!("{SMALLEST}[limits]\nidle = '6m'\n")).0);
    }
}
