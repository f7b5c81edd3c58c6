//! A mail server of one's own: Mailsluice as a library, with a sink compiled in.
//!
//! `quota` lets each sender send so many messages a day. `examples/native-sink/README.md` shows it at work. The binary has
//! every verb of `mailsluice`, so that its manifest can be checked, and its server asked, with the sink it has.

use mailsluice::event::host::{Clock, KvOf};
use mailsluice::event::{Env, Fault, Heard, On, OnLater, Ruling, on};
use mailsluice::hears;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// `[sink.config]`, read by serde: what does not fit is told with its line.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotaConfig {
    messages_per_day: i64,
}

struct Quota {
    limit: i64,
    /// Durable, and the sink's own.
    kv: KvOf,
    clock: Arc<dyn Clock>,
}

impl Quota {
    fn open(config: QuotaConfig, env: &mut Env) -> Result<Self, String> {
        if config.messages_per_day < 1 {
            return Err("`messages_per_day` must be at least 1, or nobody could send".into());
        }
        Ok(Self { limit: config.messages_per_day, kv: env.kv.clone(), clock: env.clock.clone() })
    }

    fn key(&self, sender: &str) -> String {
        format!("{}/{}", self.clock.now().0 / 1000 / DAY, sender.to_ascii_lowercase())
    }

    fn used(&self, sender: &str) -> Result<i64, Fault> {
        let count = self.kv.get(&self.key(sender)).map_err(Fault::error)?;
        Ok(count.and_then(|c| std::str::from_utf8(&c).ok()?.parse().ok()).unwrap_or(0))
    }
}

/// At MAIL: answered at once, before anything else is received. Reports, whose sender is null, have no quota.
impl On<on::InMail> for Quota {
    fn on(&self, heard: &mut Heard<'_, on::InMail>) -> Result<Ruling<on::InMail>, Fault> {
        let Some(sender) = heard.sender().and_then(|s| s.mailbox()) else { return Ok(Ruling::next()) };
        if self.used(sender.as_str())? >= self.limit {
            return Ok(Ruling::defer(&format!("You have sent your {} messages for today", self.limit)));
        }
        Ok(Ruling::next())
    }
}

/// At submission: the message will be accepted, so it counts. An `OnLater` may await what it likes.
#[async_trait::async_trait]
impl OnLater<on::TransportSubmit> for Quota {
    async fn on_later(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        if let Some(sender) = heard.sender().and_then(|s| s.mailbox()) {
            let ttl = Some(Duration::from_secs(2 * DAY));
            let used = self.kv.increment(&self.key(sender.as_str()), 1, ttl).map_err(Fault::error)?;
            heard.append_header("X-Quota", &format!("{used} of {}", self.limit));
        }
        Ok(Ruling::next())
    }
}

hears!(Quota { InMail: now, TransportSubmit: later });

fn main() -> ExitCode {
    mailsluice::cli::main(mailsluice::cli::Builder::new().native("quota", Quota::open))
}
