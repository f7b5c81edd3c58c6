//! `rate-limit`: so many messages per client network or sender, so many recipients per recipient domain, in a time.
//!
//! Each limit is a set of token buckets (see [`bucket`](super::bucket)). Who is over a limit is asked to come back, and
//! told when. Buckets live in memory: they outlive a reload that leaves their limit as it is, and end with the process.

use super::bucket::{Buckets, Rate, Take};
use super::network::Mask;
use super::value;
use crate::event::catalogue::may;
use crate::event::{Env, Fault, Heard, On, Ruling, on};
use serde::{Deserialize, Deserializer};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Buckets that a limit remembers. About 200 octets each.
const BUCKETS_MAX: usize = 100_000;

/// `[sink.config]` of `rate-limit`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Every one must be kept to.
    limits: Vec<LimitConfig>,
    /// What counts as one client.
    #[serde(default)]
    network: Mask,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitConfig {
    per: Per,
    #[serde(deserialize_with = "rate")]
    rate: (NonZeroU32, Duration),
    /// How many may come at once; the count of `rate` if it is not given.
    burst: Option<NonZeroU32>,
}

/// Who has a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Per {
    Client,
    Sender,
    RecipientDomain,
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(NonZeroU32, Duration), D::Error> {
    value::text(deserializer, "a rate such as \"100/1h\"", |text| {
        let wrong = || format!("`{text}` is not a rate: write a count above zero and a time, such as \"100/1h\"");
        let (count, time) = text.split_once('/').ok_or_else(wrong)?;
        let count = count.trim().parse().map_err(|_| wrong())?;
        let time = value::parse_duration(time.trim())?;
        if time.is_zero() { Err(wrong()) } else { Ok((count, time)) }
    })
}

/// The sink.
pub(super) struct RateLimit {
    limits: Vec<Limit>,
    network: Mask,
}

struct Limit {
    per: Per,
    rate: Rate,
    buckets: Arc<Buckets>,
}

/// Opens the sink, with the predecessor's buckets for every limit that is as it was.
pub(super) fn open(config: Config, env: &mut Env) -> Result<RateLimit, &'static str> {
    if config.limits.is_empty() {
        return Err("it would do nothing: give it `limits`, such as [{ per = \"client\", rate = \"100/1h\" }]");
    }
    let before = env.predecessor::<RateLimit>().filter(|before| before.network == config.network);
    let limit = |LimitConfig { per, rate: (tokens, time), burst }| {
        let rate = Rate { burst: burst.unwrap_or(tokens), tokens, per: time };
        let same = before.iter().flat_map(|b| &b.limits).find(|old| old.per == per && old.rate == rate);
        let new = || Arc::new(Buckets::new(rate, BUCKETS_MAX, env.clock.clone()));
        Limit { per, rate, buckets: same.map_or_else(new, |old| old.buckets.clone()) }
    };
    Ok(RateLimit { limits: config.limits.into_iter().map(limit).collect(), network: config.network })
}

impl RateLimit {
    /// Takes a token from the bucket of each of these keys, or from none and says who is over, and for how long.
    fn take<'k>(&self, keys: &'k [(Per, String)]) -> Option<(&'k str, Duration)> {
        let of = |per| self.limits.iter().filter(move |limit| limit.per == per);
        let buckets = || keys.iter().flat_map(|(per, key)| of(*per).map(|limit| (&limit.buckets, key.as_str())));
        let waits = |(bucket, key): (&Arc<Buckets>, &'k str)| match bucket.take(key, 1) {
            Take::Wait(time) => Some((key, time)),
            Take::Taken { .. } | Take::Never => None,
        };
        let empty = buckets().find(|(bucket, key)| bucket.take(key, 0) == Take::Taken { left: 0 });
        // Another session may take the last token in between; then the taking itself says so.
        empty.and_then(waits).or_else(|| buckets().find_map(waits))
    }

    fn rule<E: may::Defer>(&self, keys: &[(Per, String)]) -> Ruling<E> {
        let Some((key, time)) = self.take(keys) else { return Ruling::next() };
        let seconds = time.as_millis().div_ceil(1000).max(1);
        Ruling::defer(&format!("Too much mail at a time for {key}, please try again in {seconds} seconds"))
    }
}

impl On<on::InMail> for RateLimit {
    fn on(&self, heard: &mut Heard<'_, on::InMail>) -> Result<Ruling<on::InMail>, Fault> {
        let client = heard.origin.client.map(|ip| (Per::Client, self.network.of(ip).to_string()));
        // The null path is everybody's: a limit on it would keep reports away.
        let sender = heard.sender().and_then(|s| s.mailbox()).map(|m| (Per::Sender, m.as_str().to_ascii_lowercase()));
        let keys: Vec<_> = client.into_iter().chain(sender).collect();
        Ok(self.rule(&keys))
    }
}

impl On<on::InRcpt> for RateLimit {
    fn on(&self, heard: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        let domain = heard.recipient().and_then(|r| r.path.mailbox()).map(|m| m.domain_key().into_owned());
        let keys: Vec<_> = domain.map(|domain| (Per::RecipientDomain, domain)).into_iter().collect();
        Ok(self.rule(&keys))
    }
}

crate::hears!(RateLimit { InMail: now, InRcpt: now });

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::{Decision, Event};
    use std::time::Duration;

    async fn mail(rig: &mut Rig, client: &str, sender: &str) -> String {
        rig.client(client);
        rig.mail(sender, &[]);
        rig.reply(Event::InMail).await
    }

    #[tokio::test]
    async fn who_is_over_is_told_when_to_come_back() {
        let mut rig = Rig::of("rate-limit", "limits = [{ per = 'client', rate = '6/1m', burst = 2 }]");
        assert_eq!(mail(&mut rig, "192.0.2.1", "a@x.example").await, "ok");
        assert_eq!(mail(&mut rig, "192.0.2.2", "b@x.example").await, "ok", "one network, one bucket");
        let refused = "451 4.7.1 Too much mail at a time for 192.0.2.0/24, please try again in 10 seconds";
        assert_eq!(mail(&mut rig, "192.0.2.1", "").await, refused);
        assert_eq!(mail(&mut rig, "198.51.100.1", "a@x.example").await, "ok");
        rig.clock.advance(Duration::from_secs(10));
        assert_eq!(mail(&mut rig, "192.0.2.1", "").await, "ok");
    }

    #[tokio::test]
    async fn what_one_limit_refuses_costs_the_others_nothing() {
        let limits = "limits = [{ per = 'client', rate = '2/1h' }, { per = 'sender', rate = '1/1h' }]";
        let mut rig = Rig::of("rate-limit", limits);
        assert_eq!(mail(&mut rig, "192.0.2.1", "A@x.example").await, "ok");
        for _ in 0..5 {
            assert!(mail(&mut rig, "192.0.2.1", "a@X.example").await.contains("for a@x.example, "));
        }
        assert_eq!(mail(&mut rig, "192.0.2.1", "b@x.example").await, "ok");
        assert!(mail(&mut rig, "192.0.2.1", "c@x.example").await.contains("for 192.0.2.0/24, "));
    }

    #[tokio::test]
    async fn the_null_path_and_the_bare_postmaster_have_no_limit() {
        let limits = "limits = [{ per = 'sender', rate = '1/1h' }, { per = 'recipient-domain', rate = '1/1h' }]";
        let mut rig = Rig::of("rate-limit", limits);
        for _ in 0..3 {
            assert_eq!(mail(&mut rig, "192.0.2.1", "").await, "ok");
            assert_eq!(rig.rcpt("postmaster").await, "ok");
        }
        assert_eq!(rig.rcpt("a@example.com").await, "ok");
        assert!(rig.rcpt("b@Example.com").await.contains("451 4.7.1 Too much mail at a time for example.com, "));
        assert_eq!(rig.rcpt("b@example.org").await, "ok");
    }

    #[tokio::test]
    async fn buckets_outlive_a_reload_that_leaves_their_limit_alone() {
        let (client, sender) = ("{ per = 'client', rate = '1/1h' }", "{ per = 'sender', rate = '1/1h' }");
        let mut rig = Rig::of("rate-limit", &format!("limits = [{client}, {sender}]"));
        assert_eq!(mail(&mut rig, "192.0.2.1", "a@x.example").await, "ok");
        rig.reload(&format!("limits = [{sender}]"));
        assert!(mail(&mut rig, "192.0.2.1", "a@x.example").await.contains("for a@x.example, "));
        rig.reload("limits = [{ per = 'sender', rate = '2/1h' }]");
        assert_eq!(mail(&mut rig, "192.0.2.1", "a@x.example").await, "ok", "another rate, other buckets");
        rig.reload("limits = [{ per = 'sender', rate = '2/1h' }]");
        assert_eq!(rig.raise(Event::InMail).await, Decision::Proceed);
        assert!(mail(&mut rig, "192.0.2.1", "a@x.example").await.contains("for a@x.example, "));
    }

    #[test]
    fn rates_that_are_none_say_what_to_write() {
        for (limit, told) in [
            ("{ per = 'client', rate = '100' }", "`100` is not a rate: write a count above zero and a time"),
            ("{ per = 'client', rate = '0/1h' }", "a count above zero"),
            ("{ per = 'client', rate = '5/0s' }", "a count above zero and a time"),
            ("{ per = 'client', rate = '100/1 hour' }", "write `h`"),
            ("{ per = 'clients', rate = '1/1h' }", "did you mean `client`?"),
            ("{ per = 'client', rate = '1/1h', burst = 0 }", "nonzero"),
        ] {
            let error = Rig::errors("rate-limit", &format!("limits = [{limit}]"));
            assert!(error.contains(told), "{limit}: {error}");
        }
        assert!(Rig::errors("rate-limit", "limits = []").contains("it would do nothing"));
    }
}
