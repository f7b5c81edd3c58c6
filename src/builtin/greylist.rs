//! `greylist`: a first delivery from a network, by a sender to a recipient, is put off; who comes back is let in.
//!
//! What is seen is kept in the sink's share of the key-value store, so it outlives restarts. A store that fails is a
//! fault and never a pass: the binding's policy decides. One that is full, which a flood of forged senders can bring
//! about, keeps new deliveries waiting until there is room again, and harms nobody who is known.
//!
//! Not put off: authenticated clients, mail without a client address, the null path (reports and call-backs), and
//! recipients of other standings than `standing` names.

use super::network::Mask;
use super::value;
use crate::event::host::{Clock, KvFault, KvOf};
use crate::event::{Env, Fault, Heard, On, Ruling, on};
use crate::mail::{Standing, Timestamp};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// `[sink.config]` of `greylist`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Config {
    /// A try sooner than this after the first is put off again.
    #[serde(deserialize_with = "value::duration")]
    delay: Duration,
    /// The retry must come within this time of the first try.
    #[serde(deserialize_with = "value::duration")]
    window: Duration,
    /// Who was let in is remembered for this long after the last time.
    #[serde(deserialize_with = "value::duration")]
    keep: Duration,
    /// After so many retries that were let in, the whole network is. 0: never.
    auto_allow: u32,
    /// What counts as one network.
    network: Mask,
    /// The recipients that this is for.
    standing: Vec<Standing>,
}

impl Default for Config {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            delay: Duration::from_secs(300),
            window: 2 * DAY,
            keep: 36 * DAY,
            auto_allow: 5,
            network: Mask::default(),
            standing: vec![Standing::Local],
        }
    }
}

/// The sink.
pub(super) struct Greylist {
    config: Config,
    kv: KvOf,
    clock: Arc<dyn Clock>,
    /// Whether there was no room for the last new triplet.
    full: AtomicBool,
}

/// Opens the sink.
pub(super) fn open(config: Config, env: &mut Env) -> Result<Greylist, &'static str> {
    if config.window <= config.delay {
        return Err("nobody could ever pass: `window` must be longer than `delay`");
    }
    if config.keep.is_zero() {
        return Err("nobody would be remembered: `keep` must be longer than nothing");
    }
    Ok(Greylist { config, kv: env.kv.clone(), clock: env.clock.clone(), full: AtomicBool::new(false) })
}

/// What a triplet's value says when it has passed; before, it is the time of the first try.
const PASSED: &[u8] = b"passed";

impl Greylist {
    /// How long a delivery has still to wait, if it has.
    fn wait(&self, network: &str, sender: &str, recipient: &str) -> Result<Option<Duration>, KvFault> {
        // No address holds a line break, so no two triplets have one key.
        let triplet = format!("triplet\n{network}\n{sender}\n{recipient}").to_ascii_lowercase();
        let known = format!("network\n{network}");
        if self.is_allowed(&known)? {
            return Ok(None);
        }
        let now = self.clock.now();
        let Some(value) = self.kv.get(&triplet)? else {
            self.if_room(self.kv.set(&triplet, now.0.to_string().as_bytes(), Some(self.config.window)))?;
            return Ok(Some(self.config.delay));
        };
        if *value == *PASSED {
            self.kv.set(&triplet, PASSED, Some(self.config.keep))?;
            return Ok(None);
        }
        if let Some(left) = self.left(&value, now) {
            return Ok(Some(left));
        }
        // Of two sessions that try at once, one counts.
        if self.kv.compare_and_set(&triplet, Some(&value), Some(PASSED), Some(self.config.keep))? {
            self.if_room(self.kv.increment(&known, 1, Some(self.config.keep)).map(drop))?;
        }
        Ok(None)
    }

    /// Lets it pass that a new key finds no room, and says so once.
    fn if_room(&self, result: Result<(), KvFault>) -> Result<(), KvFault> {
        let full = matches!(result, Err(KvFault::TooManyKeys(_) | KvFault::TooManyBytes(_)));
        if let (true, false, Err(fault)) = (full, self.full.swap(full, Relaxed), &result) {
            tracing::warn!("the greylist is full, and new deliveries wait until older ones are forgotten: {fault}");
        }
        if full { Ok(()) } else { result }
    }

    /// Whether the network has passed often enough; if so, it is remembered from now on again.
    fn is_allowed(&self, known: &str) -> Result<bool, KvFault> {
        let count = self.kv.get(known)?;
        let passes = count.as_deref().and_then(|text| std::str::from_utf8(text).ok()?.parse::<u32>().ok()).unwrap_or(0);
        let allowed = self.config.auto_allow > 0 && passes >= self.config.auto_allow;
        if let (true, Some(count)) = (allowed, count) {
            self.kv.set(known, &count, Some(self.config.keep))?;
        }
        Ok(allowed)
    }

    /// How much of the delay is left since the first try. A first try that lies ahead, since the clock was set back,
    /// has waited long enough: nobody is kept out by our clock.
    fn left(&self, first: &[u8], now: Timestamp) -> Option<Duration> {
        let first = std::str::from_utf8(first).ok()?.parse().map(Timestamp).ok().filter(|first| *first <= now)?;
        Some(first.plus(self.config.delay).since(now)).filter(|left| !left.is_zero())
    }
}

impl On<on::InRcpt> for Greylist {
    fn on(&self, heard: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        let (Some(client), Some(recipient)) = (heard.origin.client, heard.recipient()) else {
            return Ok(Ruling::next());
        };
        let Some(sender) = heard.sender().and_then(|sender| sender.mailbox()) else { return Ok(Ruling::next()) };
        if heard.origin.auth.is_some() || !self.config.standing.contains(&recipient.standing) {
            return Ok(Ruling::next());
        }
        let network = self.config.network.of(client).to_string();
        match self.wait(&network, sender.as_str(), recipient.path.as_str()).map_err(Fault::error)? {
            None => Ok(Ruling::next()),
            Some(left) => {
                let seconds = left.as_millis().div_ceil(1000);
                Ok(Ruling::defer(&format!("Greylisted, please try again in {seconds} seconds")))
            }
        }
    }
}

crate::hears!(Greylist { InRcpt: now });

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::mail::Standing;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    async fn rcpt(rig: &mut Rig, client: &str, sender: &str, recipient: &str) -> String {
        rig.client(client);
        rig.mail(sender, &[]);
        rig.rcpt(recipient).await
    }

    #[tokio::test]
    async fn who_comes_back_in_time_is_let_in_and_remembered() {
        let mut rig = Rig::of("greylist", "");
        let greylisted = |seconds| format!("451 4.7.1 Greylisted, please try again in {seconds} seconds");
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, greylisted(300));
        rig.clock.advance(Duration::from_millis(200_500));
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, greylisted(100));
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "bob@example.com").await, greylisted(300));
        assert_eq!(rcpt(&mut rig, "198.51.100.1", "b@x.example", "alice@example.com").await, greylisted(300));
        rig.clock.advance(Duration::from_millis(99_500));
        assert_eq!(rcpt(&mut rig, "192.0.2.99", "B@X.example", "Alice@example.com").await, "ok");
        for _ in 0..3 {
            rig.clock.advance(35 * 24 * HOUR);
            assert_eq!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, "ok");
        }
        rig.clock.advance(37 * 24 * HOUR);
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, greylisted(300));
    }

    #[tokio::test]
    async fn a_retry_after_the_window_is_a_first_try() {
        let mut rig = Rig::of("greylist", "window = '1h'");
        assert_ne!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, "ok");
        rig.clock.advance(HOUR);
        assert!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await.contains("300 seconds"));
    }

    #[tokio::test]
    async fn a_network_that_passed_often_enough_waits_no_more() {
        let mut rig = Rig::of("greylist", "auto-allow = 2");
        for sender in ["a@x.example", "b@x.example"] {
            assert_ne!(rcpt(&mut rig, "192.0.2.1", sender, "alice@example.com").await, "ok");
            rig.clock.advance(HOUR);
            for _ in 0..2 {
                assert_eq!(rcpt(&mut rig, "192.0.2.1", sender, "alice@example.com").await, "ok");
            }
        }
        for _ in 0..3 {
            assert_eq!(rcpt(&mut rig, "192.0.2.2", "new@x.example", "bob@example.com").await, "ok");
            rig.clock.advance(35 * 24 * HOUR);
        }
        let mut never = Rig::of("greylist", "auto-allow = 0");
        assert_ne!(rcpt(&mut never, "192.0.2.2", "new@x.example", "bob@example.com").await, "ok");
    }

    #[tokio::test]
    async fn whose_mail_is_not_put_off() {
        let mut rig = Rig::of("greylist", "");
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "", "alice@example.com").await, "ok", "a report");
        rig.mail("b@x.example", &[]);
        assert_eq!(rig.rcpt_standing("c@y.example", Standing::Relay).await, "ok", "relayed");
        rig.origin.auth = Some("alice".into());
        assert_eq!(rig.rcpt("alice@example.com").await, "ok", "authenticated");
        rig.origin.auth = None;
        assert_ne!(rig.rcpt("alice@example.com").await, "ok");
        rig.reload("standing = ['relay']");
        assert_ne!(rig.rcpt_standing("c@y.example", Standing::Relay).await, "ok");
        assert_eq!(rig.rcpt("alice@example.com").await, "ok");
        rig.origin.client = None;
        assert_eq!(rig.rcpt_standing("c@y.example", Standing::Relay).await, "ok", "no client");
    }

    #[tokio::test]
    async fn what_was_seen_outlives_a_restart() {
        let mut rig = Rig::of("greylist", "");
        assert_ne!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, "ok");
        rig.clock.advance(HOUR);
        rig.reload("");
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, "ok");
    }

    #[tokio::test]
    async fn a_store_that_fails_is_a_fault_and_no_pass() {
        let mut rig = Rig::of_broken_store("greylist", "");
        rig.client("192.0.2.1");
        rig.mail("b@x.example", &[]);
        assert_eq!(rig.rcpt("alice@example.com").await, "451 4.3.0 Local error in processing, please try again later");
        let fault = rig.transaction.ledger.entries[0].fault.clone().unwrap();
        assert!(fault.contains("the key-value store is not available"), "{fault}");
    }

    #[tokio::test]
    async fn a_clock_set_back_keeps_nobody_out() {
        let mut rig = Rig::of("greylist", "");
        assert_ne!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, "ok");
        rig.clock.set(crate::mail::Timestamp(1_000));
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "b@x.example", "alice@example.com").await, "ok");
    }

    #[tokio::test]
    async fn a_full_store_keeps_new_deliveries_waiting_and_known_ones_coming() {
        let mut rig = Rig::of("greylist", "");
        assert_ne!(rcpt(&mut rig, "192.0.2.1", "known@x.example", "alice@example.com").await, "ok");
        rig.clock.advance(HOUR);
        for n in 0..rig.quota.keys + 5 {
            let reply = rcpt(&mut rig, "192.0.2.1", &format!("{n}@x.example"), "alice@example.com").await;
            assert!(reply.contains("Greylisted"), "{reply}");
        }
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "known@x.example", "alice@example.com").await, "ok");
        rig.clock.advance(49 * HOUR);
        assert_ne!(rcpt(&mut rig, "192.0.2.1", "new@x.example", "alice@example.com").await, "ok");
        rig.clock.advance(HOUR);
        assert_eq!(rcpt(&mut rig, "192.0.2.1", "new@x.example", "alice@example.com").await, "ok");
    }

    #[test]
    fn times_that_make_no_sense_are_refused() {
        assert!(Rig::errors("greylist", "delay = '2h'\nwindow = '1h'").contains("`window` must be longer"));
        assert!(Rig::errors("greylist", "keep = '0s'").contains("`keep` must be longer"));
        assert!(Rig::errors("greylist", "delay = 300").contains("a duration such as \"5m\""));
        assert!(Rig::errors("greylist", "standing = ['lokal']").contains("did you mean `local`?"));
    }
}
