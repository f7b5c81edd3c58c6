//! `kv`: small durable values of the sink's own.

use super::super::state::{State, trap};
use crate::event::host::{KvFault, KvOf};
use mailsluice_wit::mailsluice::sink::kv::{Error, Host};
use std::time::Duration;

type Outcome<T> = wasmtime::Result<Result<T, Error>>;

impl State {
    fn kv(&self) -> wasmtime::Result<&KvOf> {
        self.terms.grants.kv.as_ref().ok_or_else(|| trap("kv needs `allow.kv = true` in the manifest"))
    }
}

impl Host for State {
    fn get(&mut self, key: String) -> Outcome<Option<Vec<u8>>> {
        Ok(self.kv()?.get(&key).map(|value| value.map(|v| v.to_vec())).map_err(error))
    }

    fn set(&mut self, key: String, value: Vec<u8>, seconds: Option<u64>) -> Outcome<()> {
        Ok(self.kv()?.set(&key, &value, time(seconds)).map_err(error))
    }

    fn remove(&mut self, key: String) -> Outcome<()> {
        Ok(self.kv()?.remove(&key).map_err(error))
    }

    fn increment(&mut self, key: String, by: i64, seconds: Option<u64>) -> Outcome<i64> {
        Ok(self.kv()?.increment(&key, by, time(seconds)).map_err(error))
    }

    fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        seconds: Option<u64>,
    ) -> Outcome<bool> {
        let done = self.kv()?.compare_and_set(&key, expected.as_deref(), value.as_deref(), time(seconds));
        Ok(done.map_err(error))
    }
}

fn time(seconds: Option<u64>) -> Option<Duration> {
    seconds.map(Duration::from_secs)
}

fn error(fault: KvFault) -> Error {
    match fault {
        KvFault::KeyTooLong(_) | KvFault::ValueTooLong(_) => Error::TooLong,
        KvFault::TooManyKeys(_) | KvFault::TooManyBytes(_) => Error::Quota,
        KvFault::NotACounter | KvFault::CounterOverflow => Error::NotACounter,
        KvFault::Unavailable(why) => Error::Unavailable(why.to_string()),
    }
}
