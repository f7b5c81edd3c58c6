//! What a world grants: everything, from what it was told.

use super::state::{Log, Request, State, Submitted};
use crate::seam::{HttpBody, HttpRequest, World};
use crate::wit::{dns, http, kv, log, queue, submit};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    /// The worlds in which this thread runs a sink, the innermost last.
    static WORLDS: RefCell<Vec<Rc<State>>> = const { RefCell::new(Vec::new()) };
}

/// Leaves the world, even by a panic.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        WORLDS.with_borrow_mut(|worlds| _ = worlds.pop());
    }
}

/// Calls with this world around.
pub(super) fn within<T>(state: &Rc<State>, call: impl FnOnce() -> T) -> T {
    WORLDS.with_borrow_mut(|worlds| worlds.push(state.clone()));
    let _leave = Leave;
    call()
}

fn world() -> Rc<State> {
    WORLDS
        .with_borrow(|worlds| worlds.last().cloned())
        .expect("natively a sink runs in a `test::World`: call it by `raise`, `open` or `here`")
}

/// The world in which the sink runs.
pub(crate) struct Here;

impl World for Here {
    fn write(level: log::Level, text: &str) {
        world().logs.borrow_mut().push(Log { level, text: text.to_owned() });
    }

    fn config() -> String {
        world().config.to_string()
    }

    fn table(table: &str, key: &str) -> Option<String> {
        let world = world();
        let Some(lines) = world.tables.get(table) else {
            panic!("the world has no table `{table}`: World::new().table(\"{table}\", …)")
        };
        lines.iter().find(|(glob, _)| glob.matches(key)).map(|(_, value)| value.clone())
    }

    fn kv_get(key: &str) -> Result<Option<Vec<u8>>, kv::Error> {
        Ok(world().kv.borrow().get(key).cloned())
    }

    fn kv_set(key: &str, value: &[u8], _seconds: Option<u64>) -> Result<(), kv::Error> {
        if key.len() > 1024 || value.len() > 64 << 10 {
            return Err(kv::Error::TooLong);
        }
        world().kv.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn kv_remove(key: &str) -> Result<(), kv::Error> {
        world().kv.borrow_mut().remove(key);
        Ok(())
    }

    fn kv_increment(key: &str, by: i64, seconds: Option<u64>) -> Result<i64, kv::Error> {
        let number = |octets: Vec<u8>| String::from_utf8(octets).ok()?.parse::<i64>().ok();
        let count = Self::kv_get(key)?.map_or(Some(0), number).ok_or(kv::Error::NotACounter)?;
        let sum = count.checked_add(by).ok_or(kv::Error::NotACounter)?;
        Self::kv_set(key, sum.to_string().as_bytes(), seconds)?;
        Ok(sum)
    }

    fn kv_compare_and_set(
        key: &str,
        expected: Option<&[u8]>,
        value: Option<&[u8]>,
        seconds: Option<u64>,
    ) -> Result<bool, kv::Error> {
        if Self::kv_get(key)?.as_deref() != expected {
            return Ok(false);
        }
        match value {
            Some(value) => Self::kv_set(key, value, seconds)?,
            None => Self::kv_remove(key)?,
        }
        Ok(true)
    }

    fn dns(name: &str, kind: crate::dns::Kind) -> Result<Vec<String>, dns::Error> {
        world().dns.get(&(name.to_ascii_lowercase(), kind as u8)).cloned().ok_or(dns::Error::NotFound)
    }

    fn fetch(request: &HttpRequest<'_>) -> Result<http::Response, http::Error> {
        let world = world();
        let octets = match request.body {
            HttpBody::None => 0,
            HttpBody::Octets(octets) => octets.len() as u64,
            HttpBody::Message(message) => message.size().unwrap_or_default(),
        };
        world.requests.borrow_mut().push(Request {
            method: request.method.to_owned(),
            url: request.url.to_owned(),
            headers: request.headers.iter().map(|field| (field.name.clone(), field.value.clone())).collect(),
            octets,
            timeout: request.timeout.map(|time| Duration::from_millis(time.into())),
        });
        world.http.get(request.url).cloned().ok_or_else(|| http::Error::NotAllowed(request.url.to_owned()))
    }

    fn submit(message: &submit::NewMessage) -> Result<(), String> {
        let submit::NewMessage { sender, recipients, content } = message.clone();
        if recipients.is_empty() {
            return Err("a message needs a recipient".into());
        }
        world().submitted.borrow_mut().push(Submitted { sender, recipients, content });
        Ok(())
    }

    fn queue_start(domains: &[String]) -> Result<u64, queue::Error> {
        let world = world();
        world.started.borrow_mut().extend_from_slice(domains);
        waiting(&world, domains)
    }

    fn queue_waiting(domains: &[String]) -> Result<u64, queue::Error> {
        waiting(&world(), domains)
    }

    fn count(name: &str, by: u64) {
        *world().metrics.borrow_mut().entry(name.to_owned()).or_default() += by as f64;
    }

    fn gauge(name: &str, value: f64) {
        world().metrics.borrow_mut().insert(name.to_owned(), value);
    }

    fn now() -> u64 {
        world().now.get()
    }

    fn random(count: u32) -> Vec<u8> {
        let world = world();
        // A linear congruence is random enough for a test, and the same in each run.
        let next = || {
            let state =
                world.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            world.random.set(state);
            (state >> 56) as u8
        };
        (0..count.min(64 << 10)).map(|_| next()).collect()
    }
}

/// The messages of these domains, and of those below the ones with an `@` in front.
fn waiting(world: &State, domains: &[String]) -> Result<u64, queue::Error> {
    let mut count = 0;
    for domain in domains {
        let (name, below) = domain.strip_prefix('@').map_or((domain.as_str(), false), |name| (name, true));
        if name.is_empty() || name.contains(['@', '#', ' ']) {
            return Err(queue::Error::Invalid(format!("`{domain}` is no domain")));
        }
        let within =
            |waits: &str| waits == name || (below && waits.strip_suffix(name).is_some_and(|s| s.ends_with('.')));
        count += world.queue.iter().filter(|(waits, _)| within(waits)).map(|(_, count)| count).sum::<u64>();
    }
    Ok(count)
}
