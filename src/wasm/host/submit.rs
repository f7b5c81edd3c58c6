//! `submit`: messages that the sink makes. They enter when the call has returned well and the transaction is accepted.

use super::super::state::{State, trap};
use super::recipient::{forward, reverse};
use crate::event::{Edit, NewMessage};
use bytes::Bytes;
use mailsluice_wit::mailsluice::sink::submit::{Host, NewMessage as Asked};
use std::sync::Arc;

impl Host for State {
    /// An address that is none is told at once; what is wrong with the content, when it enters.
    fn submit(&mut self, new: Asked) -> wasmtime::Result<Result<(), String>> {
        if !self.terms.grants.submit {
            return Err(trap("submit needs `allow.submit = true` in the manifest"));
        }
        let addresses = new.sender.iter().chain(&new.recipients).map(String::len).sum::<usize>();
        let octets = new.content.len().saturating_add(addresses);
        self.edit_or_tell(made(new).map(|message| Edit::Generate(Arc::new(message))), octets)
    }
}

fn made(new: Asked) -> Result<NewMessage, String> {
    let sender = reverse(new.sender.as_deref().unwrap_or_default())?;
    let recipients = new.recipients.iter().map(|address| forward(address)).collect::<Result<Vec<_>, _>>()?;
    if recipients.is_empty() {
        return Err("a message needs a recipient".to_owned());
    }
    Ok(NewMessage { sender, recipients, content: Bytes::from(new.content).into() })
}
