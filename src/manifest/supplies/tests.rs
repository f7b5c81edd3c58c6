//! What sinks are given, of whole manifests in a folder.

use super::super::build::{Built, build};
use super::*;
use crate::event::host::{DnsFault, Http, HttpFault, HttpRequest, HttpResponse, ManualClock, RecordKind};
use crate::event::{Edits, Env, Event, Fault, Hearing, Interest, Natives, Scene, Sink, Stage, Transaction};
use crate::kv::{MemoryKv, Quota};
use crate::mail::{Door, Envelope, Id, Origin, ReversePath, Timestamp};
use crate::manifest::Manifest;
use async_trait::async_trait;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use tempfile::TempDir;

/// The world: nothing in it.
struct Void;

#[async_trait]
impl Dns for Void {
    async fn lookup(&self, _: &str, _: RecordKind) -> Result<Vec<String>, DnsFault> {
        Err(DnsFault::NotFound)
    }
}

#[async_trait]
impl Http for Void {
    async fn fetch(&self, _: HttpRequest) -> Result<HttpResponse, HttpFault> {
        Err(HttpFault::Timeout)
    }
}

/// What the sinks were given, as text.
type Given = Arc<Mutex<Vec<String>>>;

/// Fails and says its token.
struct Blab(String);

impl Sink for Blab {
    fn interest(&self) -> Interest {
        Interest::in_events([Event::InMail])
    }

    fn hear<'a>(&'a self, _: Scene<'a>, _: &'a mut Edits) -> Hearing<'a> {
        Hearing::Now(Err(Fault::error(format!("401 for https://x/?key={}", self.0))))
    }
}

#[derive(Default, serde::Deserialize)]
struct Config {
    #[serde(default)]
    token: String,
    #[serde(default)]
    fail: bool,
    #[serde(default)]
    number: u32,
}

fn open(config: Config, env: &mut Env, given: &Given) -> Result<Blab, String> {
    if config.fail {
        return Err(format!("`{}` is refused", config.token));
    }
    let yes = |there: bool, what: &'static str| if there { what } else { "-" };
    let http = env.http.as_ref().map(|http| http.allowed().iter().map(ToString::to_string).collect::<Vec<_>>());
    let tables: Vec<_> = env.tables.iter().map(|(name, table)| format!("{name}={:?}", table.lookup("key"))).collect();
    given.lock().unwrap().push(format!(
        "{} {} {} {} {} {}",
        config.token,
        yes(env.dns.is_some(), "dns"),
        yes(env.metrics.is_some(), "metrics"),
        http.unwrap_or_default().join(","),
        tables.join(","),
        config.number
    ));
    Ok(Blab(config.token))
}

struct Site {
    dir: TempDir,
    workshop: Workshop,
    given: Given,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let given = Given::default();
        let natives = Natives::default().with("blab", {
            let given = given.clone();
            move |config: Config, env: &mut Env| open(config, env, &given)
        });
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let kv = Arc::new(MemoryKv::new(clock.clone(), Quota::default()));
        let mut workshop = Workshop::new(natives, kv, clock);
        workshop.dns = Some(Arc::new(Void));
        workshop.http = Some(Arc::new(Void));
        Self { dir, workshop, given }
    }

    fn file(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    /// Builds a sink of these lines of its table. What was found comes without the folder's path.
    fn build(&self, lines: &str) -> (Built, String) {
        let manifest = self.dir.path().join("sinks.toml");
        fs::write(&manifest, format!("[[sink]]\nname = 'blab'\nnative = 'blab'\n{lines}\n")).unwrap();
        let mut found = Diagnostics::default();
        let read = Manifest::read(&manifest, &mut found);
        let built = read.map(|manifest| build(&manifest, &self.workshop, &[], &mut found)).unwrap_or_default();
        (built, found.to_string().replace(&format!("{}/", self.dir.path().display()), ""))
    }

    /// What the sink was given; nothing may be wrong.
    fn given(&self, lines: &str) -> String {
        let (_, found) = self.build(lines);
        assert_eq!(found, "");
        self.given.lock().unwrap().pop().unwrap()
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

#[test]
fn a_sink_has_what_is_granted_and_no_more() {
    let site = Site::new();
    site.file("lists/vips.txt", "key  a value\n");
    assert_eq!(site.given(""), " - -   0");
    assert_eq!(
        site.given("tables = { vips = 'lists/vips.txt' }\nallow = { dns = true, metrics = true, http = ['HTTPS://A.example:443'] }"),
        " dns metrics https://a.example vips=Some(\"a value\") 0"
    );
}

#[test]
fn what_this_program_has_not_is_not_granted() {
    let mut site = Site::new();
    (site.workshop.dns, site.workshop.http) = (None, None);
    let (built, found) = site.build("allow = { dns = true, http = ['https://a'] }");
    assert!(built.sinks.is_empty() && site.given.lock().unwrap().is_empty());
    for name in ["dns", "http"] {
        assert!(found.contains(&format!("`allow.{name}` can't be granted")), "{found}");
    }
    assert_eq!(site.given("allow = { metrics = true }"), " - metrics   0");
}

#[test]
fn a_secret_is_the_text_of_its_file_without_the_line_end() {
    let site = Site::new();
    for (text, token) in [("hush", "hush"), ("hush\n", "hush"), ("hush\r\n", "hush"), ("hu sh \n\n", "hu sh \n")] {
        site.file("secrets/webhook", text);
        assert_eq!(site.given("config = { token = { secret = 'webhook' } }"), format!("{token} - -   0"));
    }
    let (built, _) = site.build("config = { token = { secret = 'webhook' } }");
    assert!(built.files.unchanged());
    site.file("secrets/webhook", "other");
    assert!(!built.files.unchanged(), "a secret is watched");
}

#[test]
fn a_credential_of_the_service_manager_goes_first_and_is_not_kept() {
    let mut site = Site::new();
    site.file("secrets/webhook", "beside");
    site.file("credentials/webhook", "handed over");
    site.workshop.credentials = Some(site.path().join("credentials"));
    assert_eq!(site.given("config = { token = { secret = 'webhook' } }"), "handed over - -   0");
    let (built, _) = site.build("config = { token = { secret = 'webhook' } }");
    let credential = site.path().join("credentials/webhook");
    assert!(built.files.seen().contains_key(&credential), "it is watched");
    assert!(built.files.to_keep().all(|(path, _)| *path != credential), "it is not kept");
    site.workshop.credentials = Some(site.path().join("none"));
    assert_eq!(site.given("config = { token = { secret = 'webhook' } }"), "beside - -   0");
}

#[test]
fn what_can_not_be_a_secret_is_told_at_its_place() {
    let site = Site::new();
    let config = "config = { token = { secret = 'webhook' } }";
    for (text, told) in [
        (None, "the secret `webhook` can't be read: cannot read `secrets/webhook`"),
        (Some(&b""[..]), "it is empty"),
        (Some(b"\n"), "it is empty"),
        (Some(b"\xff"), "it is not UTF-8"),
        (Some(&[b'x'; 65_537]), "it has 65537 octets, and 65536 are allowed"),
    ] {
        let _ = text.map(|text| site.file("secrets/webhook", text));
        let (built, found) = site.build(config);
        assert!(built.sinks.is_empty() && site.given.lock().unwrap().is_empty(), "{found}");
        assert!(found.contains(told) && found.contains("sinks.toml:4:31"), "{found}");
    }
    for name in ["'../webhook'", "'.webhook'", "''", "'a/b'", "5"] {
        let (_, found) = site.build(&format!("config = {{ token = {{ secret = {name} }} }}"));
        assert!(found.contains("can't be the name of a secret"), "{found}");
    }
}

#[test]
fn a_secret_that_others_can_read_is_a_warning() {
    let site = Site::new();
    site.file("secrets/webhook", "hush");
    fs::set_permissions(site.path().join("secrets/webhook"), Permissions::from_mode(0o644)).unwrap();
    let (built, found) = site.build("config = { token = { secret = 'webhook' } }");
    assert_eq!(built.sinks.len(), 1);
    assert!(
        found.contains("warning: anybody on this machine can read") && found.contains("chmod o= secrets"),
        "{found}"
    );
}

#[tokio::test]
async fn no_error_tells_a_secret() {
    let site = Site::new();
    site.file("secrets/webhook", "hu\"sh");
    for lines in
        ["config = { fail = true, token = { secret = 'webhook' } }", "config = { number = { secret = 'webhook' } }"]
    {
        let (_, found) = site.build(lines);
        assert!(found.contains("error") && found.contains("***") && !found.contains("sh\"`"), "{found}");
        assert!(!found.contains("hu"), "{found}");
    }
    let (built, _) = site.build("config = { token = { secret = 'webhook' } }");
    assert!(!format!("{built:?}").contains("hu"), "{built:?}");
    let mut transaction = Transaction::new(Id(1), Timestamp(0), Envelope::new(ReversePath::Null), Default::default());
    let origin = Origin::door(Door::Smtp);
    let mut stage = Stage::new(&origin);
    stage.transaction = Some(&mut transaction);
    built.dispatcher.raise(Event::InMail, &mut stage).await;
    let ledger = serde_json::to_string(&transaction.ledger).unwrap();
    assert!(ledger.contains("401 for https://x/?key=***") && !ledger.contains("hu"), "{ledger}");
}

#[test]
fn only_so_much_configuration() {
    let site = Site::new();
    let lines = |octets: usize| format!("config = {{ token = '{}' }}", "x".repeat(octets));
    assert!(site.build(&lines((1 << 20) - 5)).1.is_empty());
    let (built, found) = site.build(&lines((1 << 20) - 4));
    assert!(built.sinks.is_empty() && found.contains("the configuration of sink `blab` is too large"));
}
