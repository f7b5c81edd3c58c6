//! What the server does for a sink: log, configuration, tables, time and chance, and what a manifest grants.

use super::define;
use super::words::{Octets, bytes};
use crate::call;
use crate::module::raise;
use crate::wit::mailsluice::sink::types::{Field, RecordKind};
use crate::wit::mailsluice::sink::{config, dns, http, kv, log, metrics, queue, random, submit, tables};
use rquickjs::{Array, Ctx, FromJs, IntoJs, Object, Result, Value};

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "log" => |level: String, text: String| log::write(level_of(&level), &text),
        "config" => config::get,
        "random" => chance,
        "tableLookup" => |table: String, key: String| tables::lookup(&table, &key),
        "kvGet" => |ctx: Ctx<'_>, key: String| {
            let found = kv::get(&key).map_err(|error| raise(&ctx, &kept(error)))?;
            Ok::<_, rquickjs::Error>(found.map(|value| String::from_utf8_lossy(&value).into_owned()))
        },
        "kvSet" => |ctx: Ctx<'_>, key: String, value: String, seconds: Option<f64>| {
            kv::set(&key, value.as_bytes(), seconds.map(|ttl| ttl as u64)).map_err(|error| raise(&ctx, &kept(error)))
        },
        "kvRemove" => |ctx: Ctx<'_>, key: String| kv::remove(&key).map_err(|error| raise(&ctx, &kept(error))),
        "kvIncrement" => |ctx: Ctx<'_>, key: String, by: f64, seconds: Option<f64>| {
            let sum = kv::increment(&key, by as i64, seconds.map(|ttl| ttl as u64));
            sum.map(|sum| sum as f64).map_err(|error| raise(&ctx, &kept(error)))
        },
        "kvCompareAndSet" => compare_and_set,
        "dnsLookup" => lookup,
        "fetch" => fetch,
        "submit" => |sender: Option<String>, recipients: Vec<String>, content: Octets| {
            submit::submit(&submit::NewMessage { sender, recipients, content: content.0 }).err()
        },
        "queueStart" => |ctx: Ctx<'_>, domains: Vec<String>| {
            queue::start(&domains).map(|count| count as f64).map_err(|error| raise(&ctx, &steered(error)))
        },
        "queueWaiting" => |ctx: Ctx<'_>, domains: Vec<String>| {
            queue::waiting(&domains).map(|count| count as f64).map_err(|error| raise(&ctx, &steered(error)))
        },
        "metricsCount" => |name: String, by: f64| metrics::count(&name, by as u64),
        "metricsGauge" => |name: String, value: f64| metrics::gauge(&name, value),
    )
}

fn level_of(name: &str) -> log::Level {
    match name {
        "debug" => log::Level::Debug,
        "warn" => log::Level::Warn,
        "error" => log::Level::Error,
        _ => log::Level::Info,
    }
}

/// From 0 up to, and not including, 1: 53 bits, as many as a number holds.
fn chance() -> f64 {
    let bits = random::octets(8).iter().fold(0u64, |sum, octet| sum << 8 | u64::from(*octet));
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

fn compare_and_set(
    ctx: Ctx<'_>,
    key: String,
    expected: Option<String>,
    value: Option<String>,
    seconds: Option<f64>,
) -> Result<bool> {
    let seconds = seconds.map(|ttl| ttl as u64);
    kv::compare_and_set(&key, expected.as_deref().map(str::as_bytes), value.as_deref().map(str::as_bytes), seconds)
        .map_err(|error| raise(&ctx, &kept(error)))
}

fn kept(error: kv::Error) -> String {
    match error {
        kv::Error::TooLong => "kv: the key is over 1,024 octets or the value over 64 KiB".to_owned(),
        kv::Error::Quota => "kv: the sink keeps as much as it may".to_owned(),
        kv::Error::NotACounter => "kv: the value is not a whole number, or would leave the range".to_owned(),
        kv::Error::Unavailable(why) => format!("kv: unavailable: {why}"),
    }
}

fn steered(error: queue::Error) -> String {
    match error {
        queue::Error::Invalid(why) => format!("queue: {why}"),
        queue::Error::Busy => "queue: it is being looked through for somebody else".to_owned(),
        queue::Error::Unavailable(why) => format!("queue: unavailable: {why}"),
    }
}

/// An empty list if there is no such name or record.
fn lookup(ctx: Ctx<'_>, name: String, kind: String) -> Result<Vec<String>> {
    let kind = match kind.as_str() {
        "a" => RecordKind::A,
        "aaaa" => RecordKind::Aaaa,
        "cname" => RecordKind::Cname,
        "mx" => RecordKind::Mx,
        "ns" => RecordKind::Ns,
        "ptr" => RecordKind::Ptr,
        "srv" => RecordKind::Srv,
        "txt" => RecordKind::Txt,
        _ => return Err(raise(&ctx, "dns.lookup takes the types A, AAAA, CNAME, MX, NS, PTR, SRV and TXT")),
    };
    match dns::lookup(&name, kind) {
        Ok(records) => Ok(records),
        Err(dns::Error::NotFound) => Ok(Vec::new()),
        Err(dns::Error::Temporary(why)) => Err(raise(&ctx, &format!("dns: no answer for {name}: {why}"))),
        Err(dns::Error::Invalid(why)) => Err(raise(&ctx, &format!("dns: {name} can't be asked for: {why}"))),
    }
}

/// Status, header fields and body of the response. A body that is `true` is the message at hand.
fn fetch<'js>(
    ctx: Ctx<'js>,
    method: String,
    url: String,
    headers: Vec<Vec<String>>,
    body: Value<'js>,
    timeout: Option<f64>,
) -> Result<Array<'js>> {
    let pair = |pair: Vec<String>| match <[String; 2]>::try_from(pair) {
        Ok([name, value]) => Some(Field { name, value }),
        Err(_) => None,
    };
    let headers = headers.into_iter().filter_map(pair).collect();
    let request = Request { method, url: url.clone(), headers, timeout: timeout.map(|time| time as u32) };
    let answer = match body.as_bool() {
        Some(_) => call::message(&ctx, |message| request.send(http::Body::Message(message)))?,
        None if body.is_undefined() => request.send(http::Body::None),
        None => request.send(http::Body::Octets(Octets::from_js(&ctx, body)?.0)),
    };
    let response = answer.map_err(|error| raise(&ctx, &failed(&url, error)))?;
    let fields: Vec<_> = response.headers.into_iter().map(|field| vec![field.name, field.value]).collect();
    let array = Array::new(ctx.clone())?;
    array.set(0, response.status)?;
    array.set(1, fields.into_js(&ctx)?)?;
    array.set(2, bytes(&ctx, response.body)?)?;
    Ok(array)
}

/// A request but for its body.
struct Request {
    method: String,
    url: String,
    headers: Vec<Field>,
    timeout: Option<u32>,
}

impl Request {
    fn send(self, body: http::Body<'_>) -> std::result::Result<http::Response, http::Error> {
        let Self { method, url, headers, timeout } = self;
        http::fetch(&http::Request { method, url, headers, body, timeout })
    }
}

fn failed(url: &str, error: http::Error) -> String {
    match error {
        http::Error::NotAllowed(origin) => format!("fetch {url}: {origin} is not in `allow.http`"),
        http::Error::Invalid(why) => format!("fetch {url}: {why}"),
        http::Error::Timeout => format!("fetch {url}: no response in time"),
        http::Error::TooLarge => format!("fetch {url}: the response is too large"),
        http::Error::Failed(why) => format!("fetch {url}: {why}"),
    }
}
