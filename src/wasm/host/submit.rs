use super::super::state::{State, trap};
use mailsluice_wit::mailsluice::sink::submit as wit;

impl wit::Host for State {
    fn submit(&mut self, _: wit::NewMessage) -> wasmtime::Result<Result<(), String>> {
        Err(trap("not yet"))
    }
}
