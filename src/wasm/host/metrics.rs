//! `metrics`: numbers about the sink's work.

use super::super::state::{State, limit, trap};
use super::short;
use crate::event::host::MetricsOf;
use mailsluice_wit::mailsluice::sink::metrics::Host;

impl State {
    fn metrics(&self) -> wasmtime::Result<&MetricsOf> {
        self.terms.grants.metrics.as_ref().ok_or_else(|| trap("metrics need `allow.metrics = true` in the manifest"))
    }
}

impl Host for State {
    fn count(&mut self, name: String, by: u64) -> wasmtime::Result<()> {
        let name = short("a metric's name", name)?;
        self.metrics()?.add(&name, by).map_err(|fault| limit(fault.to_string()))
    }

    fn gauge(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        let name = short("a metric's name", name)?;
        self.metrics()?.set(&name, value).map_err(|fault| limit(fault.to_string()))
    }
}
