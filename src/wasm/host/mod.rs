//! What guests import, served: one file for each interface of the WIT.
//!
//! Everything that crosses is bounded here. A guest's mistake ends its call with a text for its author; what may go wrong
//! without a mistake is returned to it.

mod data;
mod dns;
mod http;
mod kv;
mod message;
mod metrics;
mod outbound;
mod queue;
mod recipient;
mod session;
mod submit;

pub(super) use recipient::{clipped, forward, reverse};

use super::state::State;
use crate::event::Edit;
use crate::event::edit::Bearer;
use mailsluice_wit::Host_;
use wasmtime::component::{HasSelf, Linker};

/// Adds all of it.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    Host_::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// The most octets that one read returns.
const READ_MAX: u32 = 1 << 20;
/// The longest text of an edit that is no content: a reply, a reason, an address, a keyword.
const TEXT_MAX: usize = 4096;

/// A text for an edit that is no content.
fn short(what: &str, text: String) -> wasmtime::Result<String> {
    if text.len() > TEXT_MAX {
        return Err(super::state::limit(format!("{what}: {} octets, and {TEXT_MAX} are allowed", text.len())));
    }
    Ok(text)
}

impl State {
    /// Records a change, or tells the guest why it is none.
    fn edit_or_tell(&mut self, edit: Result<Edit, String>, octets: usize) -> wasmtime::Result<Result<(), String>> {
        match edit {
            Ok(edit) => self.edit(edit, octets).map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Sets a property, from JSON.
    fn note(&mut self, bearer: Bearer, key: String, json: &str) -> wasmtime::Result<Result<(), String>> {
        let key = short("a property's name", key)?;
        let value = property(&key, json);
        self.edit_or_tell(value.map(|value| Edit::Property(bearer, key, value)), json.len())
    }
}

/// The value of a property, from JSON.
fn property(key: &str, json: &str) -> Result<serde_json::Value, String> {
    if json.len() > 16 << 10 {
        return Err(format!("property `{key}`: {} octets, and 16 KiB are allowed", json.len()));
    }
    serde_json::from_str(json).map_err(|e| format!("property `{key}` is not JSON: {e}"))
}
