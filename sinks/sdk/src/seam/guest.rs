//! The server, by the imports of the WIT package.

use super::{HttpBody, HttpRequest, World};
use crate::wit::{clock, config, dns, http, kv, log, metrics, queue, random, submit, tables};

/// The server that called.
pub(crate) struct Here;

impl World for Here {
    fn write(level: log::Level, text: &str) {
        log::write(level, text);
    }

    fn config() -> String {
        config::get()
    }

    fn table(table: &str, key: &str) -> Option<String> {
        tables::lookup(table, key)
    }

    fn kv_get(key: &str) -> Result<Option<Vec<u8>>, kv::Error> {
        kv::get(key)
    }

    fn kv_set(key: &str, value: &[u8], seconds: Option<u64>) -> Result<(), kv::Error> {
        kv::set(key, value, seconds)
    }

    fn kv_remove(key: &str) -> Result<(), kv::Error> {
        kv::remove(key)
    }

    fn kv_increment(key: &str, by: i64, seconds: Option<u64>) -> Result<i64, kv::Error> {
        kv::increment(key, by, seconds)
    }

    fn kv_compare_and_set(
        key: &str,
        expected: Option<&[u8]>,
        value: Option<&[u8]>,
        seconds: Option<u64>,
    ) -> Result<bool, kv::Error> {
        kv::compare_and_set(key, expected, value, seconds)
    }

    fn dns(name: &str, kind: crate::dns::Kind) -> Result<Vec<String>, dns::Error> {
        dns::lookup(name, kind)
    }

    fn fetch(request: &HttpRequest<'_>) -> Result<http::Response, http::Error> {
        http::fetch(&http::Request {
            method: request.method.to_owned(),
            url: request.url.to_owned(),
            headers: request.headers.to_vec(),
            body: match request.body {
                HttpBody::None => http::Body::None,
                HttpBody::Octets(octets) => http::Body::Octets(octets.to_vec()),
                HttpBody::Message(message) => http::Body::Message(message),
            },
            timeout: request.timeout,
        })
    }

    fn submit(message: &submit::NewMessage) -> Result<(), String> {
        submit::submit(message)
    }

    fn queue_start(domains: &[String]) -> Result<u64, queue::Error> {
        queue::start(domains)
    }

    fn queue_waiting(domains: &[String]) -> Result<u64, queue::Error> {
        queue::waiting(domains)
    }

    fn count(name: &str, by: u64) {
        metrics::count(name, by);
    }

    fn gauge(name: &str, value: f64) {
        metrics::gauge(name, value);
    }

    fn now() -> u64 {
        clock::now()
    }

    fn random(count: u32) -> Vec<u8> {
        random::octets(count)
    }
}
