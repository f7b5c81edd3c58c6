//! `submit`: messages that the sink makes. They enter when the call has returned well and the transaction is accepted.

use super::super::state::{State, trap};
use super::recipient::{clipped, forward};
use crate::event::{Edit, NewMessage};
use crate::mail::ReversePath;
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
        match made(new) {
            Ok(message) => Ok(Ok(self.edit(Edit::Generate(Arc::new(message)), octets)?)),
            Err(why) => Ok(Err(why)),
        }
    }
}

fn made(new: Asked) -> Result<NewMessage, String> {
    let sender = new.sender.unwrap_or_default();
    let reverse = ReversePath::parse(&sender).map_err(|e| format!("`{}` is not an address: {e}", clipped(&sender)))?;
    let recipients = new.recipients.iter().map(|address| forward(address)).collect::<Result<Vec<_>, _>>()?;
    if recipients.is_empty() {
        return Err("a message needs a recipient".to_owned());
    }
    Ok(NewMessage { sender: reverse, recipients, content: Bytes::from(new.content).into() })
}
