//! What the SDK runs on: the server, by the WIT bindings, or natively the in-memory [`test::World`](crate::test::World). All else
//! in the SDK is written once, above this.
//!
//! The handles of the in-memory server have the methods of the bindings, and the SDK compiles against either; the functions are
//! the trait [`World`].

#[cfg(target_family = "wasm")]
mod guest;

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::test::handles::{Here, Message, Outbound, Outgoing, Recipient, Session};
#[cfg(target_family = "wasm")]
pub(crate) use crate::wit::types::{Message, Outbound, Outgoing, Recipient, Session};
#[cfg(target_family = "wasm")]
pub(crate) use guest::Here;

use crate::wit::types::Field;
use crate::wit::{dns, http, kv, log, queue, submit};

/// The body of an HTTP request.
#[derive(Clone, Copy)]
pub(crate) enum HttpBody<'a> {
    None,
    Octets(&'a [u8]),
    Message(&'a Message),
}

/// An HTTP request.
pub(crate) struct HttpRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [Field],
    pub(crate) body: HttpBody<'a>,
    /// In milliseconds.
    pub(crate) timeout: Option<u32>,
}

/// What a sink has beside the things that the event is about.
pub(crate) trait World {
    fn write(level: log::Level, text: &str);
    fn config() -> String;
    fn table(table: &str, key: &str) -> Option<String>;
    fn kv_get(key: &str) -> Result<Option<Vec<u8>>, kv::Error>;
    fn kv_set(key: &str, value: &[u8], seconds: Option<u64>) -> Result<(), kv::Error>;
    fn kv_remove(key: &str) -> Result<(), kv::Error>;
    fn kv_increment(key: &str, by: i64, seconds: Option<u64>) -> Result<i64, kv::Error>;
    fn kv_compare_and_set(
        key: &str,
        expected: Option<&[u8]>,
        value: Option<&[u8]>,
        seconds: Option<u64>,
    ) -> Result<bool, kv::Error>;
    fn dns(name: &str, kind: crate::dns::Kind) -> Result<Vec<String>, dns::Error>;
    fn fetch(request: &HttpRequest<'_>) -> Result<http::Response, http::Error>;
    fn submit(message: &submit::NewMessage) -> Result<(), String>;
    fn queue_start(domains: &[String]) -> Result<u64, queue::Error>;
    fn queue_waiting(domains: &[String]) -> Result<u64, queue::Error>;
    fn count(name: &str, by: u64);
    fn gauge(name: &str, value: f64);
    fn now() -> u64;
    fn random(count: u32) -> Vec<u8>;
}
