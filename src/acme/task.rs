//! The task behind `[acme]`: it looks what is due by the wall clock, fetches one certificate at a time, and has it put in force.
//!
//! It looks when a snapshot comes into force, when an operator asks, when something falls due, and every minute in any case. Its
//! state is the files: the certificates, and what was tried. A try is noted before it is made, so that a server that does not
//! survive it does not make it again at once.

use super::client::Client;
use super::failure::Failure;
use super::order::{self, Issued};
use super::report::{Board, Line};
use super::shown::Shown;
use super::store::{self, Certificate, Store};
use super::tries::{self, Tries, Try};
use super::{account, schedule};
use crate::config::acme::{self as setting, Acme};
use crate::config::listener::{Ordered, ordered};
use crate::event::host::Clock;
use crate::mail::Timestamp;
use crate::snapshot::Current;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Looks at the clock in any case, for it may have been set.
const LOOK: Duration = Duration::from_secs(60);
/// One try, with all that the authority asks for.
const TRY: Duration = Duration::from_secs(600);

/// In one try it is begun anew so often, where that is what the authority means us to do.
const AGAIN: u32 = 5;

/// Puts in force what lies in the files.
#[async_trait]
pub trait Reload: Send + Sync {
    /// Reads everything again. It says in the log why that could not be.
    async fn reload(&self);
}

/// Who fetches.
pub struct Renewer {
    /// The settings, and word of new ones.
    pub current: Arc<Current>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What authorities are shown.
    pub shown: Shown,
    /// How it stands.
    pub board: Arc<Board>,
    /// How a certificate comes into force.
    pub reload: Arc<dyn Reload>,
}

/// One certificate, and what is known of it.
struct Job {
    names: Vec<String>,
    file: String,
    /// What decides whether a try may go well.
    settings: String,
    there: Option<Certificate>,
}

impl Renewer {
    /// Fetches what is due, until the server stops.
    pub async fn run(self, stopping: CancellationToken) {
        let folder = ordered::folder(&self.current.pin().settings.data_dir);
        let store = Store::at(folder);
        let mut tries = Tries::open(store.clone()).await;
        let mut generations = self.current.generations();
        loop {
            let look = tokio::select! {
                look = self.look(&store, &mut tries) => look,
                () = stopping.cancelled() => return,
            };
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.board.asked() => {}
                _ = generations.changed() => {}
                () = tokio::time::sleep(look) => {}
            }
        }
    }

    /// Fetches what is due now, and says when to look again.
    async fn look(&self, store: &Store, tries: &mut Tries) -> Duration {
        let snapshot = self.current.pin();
        let Some(acme) = &snapshot.settings.acme else {
            self.board.put(Vec::new());
            return LOOK;
        };
        let mut jobs = Vec::new();
        for ordered in setting::ordered(&snapshot.settings.listeners) {
            let job = Job::of(ordered, acme, store).await;
            if !jobs.iter().any(|known: &Job| known.file == job.file) {
                jobs.push(job);
            }
        }
        self.board.put(jobs.iter().map(|job| job.line(acme, tries)).collect());
        let wanted = self.board.take_wanted();
        let mut fetched = false;
        for job in &jobs {
            if wanted.contains(job.name()) || job.next(acme, tries) <= self.clock.now() {
                fetched |= self.attempt(acme, job, store, tries).await;
            }
        }
        if fetched {
            self.reload.reload().await;
        }
        let now = self.clock.now();
        let times = jobs.iter().map(|job| job.next(acme, tries).since(now));
        // What has been fetched by now has another time.
        if fetched { Duration::ZERO } else { times.min().unwrap_or(LOOK).min(LOOK) }
    }

    /// One try. Whether a certificate was fetched.
    async fn attempt(&self, acme: &Acme, job: &Job, store: &Store, tries: &mut Tries) -> bool {
        let (name, now) = (job.name(), self.clock.now());
        let failures = tries.last(name, &job.settings).map_or(0, |last| last.failures);
        let noted = |failures, error: Option<String>, next| {
            Some(Try { at: now, failures, error, next, settings: job.settings.clone() })
        };
        let cut_short = Some("the server ended while the authority was asked".to_owned());
        let next = schedule::after_failure(now, failures + 1, None);
        tries.note(name, noted(failures + 1, cut_short, next)).await;
        self.board.change(name, |line| (line.last_try, line.trying) = (Some(now), true));
        tracing::info!(name, names = job.names.join(" "), directory = acme.directory, "asking for a certificate");
        let client = Client::to(acme);
        let fetching = fetch(acme, job, failures, (&client, &self.shown), store);
        let fetched = tokio::time::timeout(TRY, fetching).await;
        let fetched = fetched.unwrap_or_else(|_| Err(Failure::new("the authority took too long")));
        let ended = self.clock.now();
        let failure = match fetched {
            Ok(certificate) => {
                tries.note(name, noted(0, None, ended.plus(schedule::REST))).await;
                let expires = schedule::end(&certificate.kept);
                tracing::info!(name, %expires, "a certificate was fetched");
                return true;
            }
            Err(failure) => client.note(failure, ended),
        };
        let next = schedule::after_failure(ended, failures + 1, failure.after);
        tries.note(name, noted(failures + 1, Some(failure.why.clone()), next)).await;
        self.board.change(name, |line| *line = job.line(acme, tries));
        let error = &failure.why;
        match job.there.as_ref().map(|there| schedule::end(&there.kept)).filter(|end| *end > ended) {
            Some(expires) => tracing::warn!(name, error, %next, %expires, "no new certificate; the old one stays"),
            None => tracing::error!(name, error, %next, "no certificate, and there is none that counts"),
        }
        false
    }
}

impl Job {
    async fn of(ordered: &Ordered, acme: &Acme, store: &Store) -> Self {
        let names = ordered.names.clone();
        let file = format!("{}.pem", ordered.name());
        let there = store.certificate(&file).await;
        Self { settings: tries::settings(acme, &names), names, file, there }
    }

    /// The name that it is called after.
    fn name(&self) -> &str {
        self.names.first().map(String::as_str).unwrap_or_default()
    }

    /// When to ask for it next.
    fn next(&self, acme: &Acme, tries: &Tries) -> Timestamp {
        let last = tries.last(self.name(), &self.settings);
        let not_before = last.map(|last| last.next).unwrap_or_default();
        let other = |there: &&Certificate| there.directory.as_ref().is_none_or(|from| *from == acme.directory);
        let fits = self.there.as_ref().filter(|there| there.covers(&self.names)).filter(other);
        let due = fits.map(|there| schedule::renewal(&there.kept, acme.renew_before)).unwrap_or_default();
        due.max(not_before)
    }

    fn line(&self, acme: &Acme, tries: &Tries) -> Line {
        let last = tries.last(self.name(), &self.settings);
        Line {
            name: self.name().to_owned(),
            names: self.names.clone(),
            expires: self.there.as_ref().map(|there| schedule::end(&there.kept)),
            last_try: last.map(|last| last.at),
            error: last.and_then(|last| last.error.clone()),
            next_try: Some(self.next(acme, tries)),
            trying: false,
        }
    }
}

/// Has a certificate issued, and puts it in its place. After each failure another challenge comes first.
async fn fetch(
    acme: &Acme,
    job: &Job,
    failures: u32,
    (client, shown): (&Client, &Shown),
    store: &Store,
) -> Result<Certificate, Failure> {
    let mut challenges = acme.challenges.clone();
    let first = usize::try_from(failures).unwrap_or(0).checked_rem(challenges.len()).unwrap_or(0);
    challenges.rotate_left(first);
    let mut again = AGAIN;
    let Issued { key, chain } = loop {
        match issue(acme, job, &challenges, (client, shown), store).await {
            Ok(issued) => break issued,
            Err(failure) if again > 0 && failure.no_account => account::forget(acme, store).await?,
            Err(failure) if again > 0 && failure.stale => {}
            Err(failure) => return Err(failure),
        }
        again -= 1;
    };
    let text = store::text(&acme.directory, &key, &chain);
    let certificate = Certificate::of(&store.path(&job.file), &text)
        .map_err(|why| Failure::new(format!("what the authority has issued can't be used: {why}")))?;
    if !certificate.covers(&job.names) {
        return Err(Failure::new("what the authority has issued lacks names that were asked for"));
    }
    store.write(&job.file, text.into_bytes()).await?;
    Ok(certificate)
}

async fn issue(
    acme: &Acme,
    job: &Job,
    challenges: &[setting::Challenge],
    (client, shown): (&Client, &Shown),
    store: &Store,
) -> Result<Issued, Failure> {
    let account = account::open(acme, client, store).await?;
    order::fulfil(&account, &job.names, challenges, shown).await
}
