//! `recipient`: the one at hand, or one of a message's; and `outgoing`, the reply about to be written.

use super::super::lent::Focus;
use super::super::state::{State, trap};
use super::super::verdict;
use super::short;
use crate::event::Edit;
use crate::event::edit::Bearer;
use crate::event::verdict::standard;
use crate::mail::{Class, Fate, ForwardPath, Param, Recipient as Known, ReversePath, Standing as Seen};
use mailsluice_wit::mailsluice::sink::types::{HostOutgoing, HostRecipient, Reply, Standing};
use mailsluice_wit::{AT_HAND, Outgoing, Recipient};
use wasmtime::component::Resource;

type Handle = Resource<Recipient>;

impl State {
    /// The recipient, and its index in the envelope if it is in one already.
    fn recipient(&self, handle: &Handle) -> wasmtime::Result<(Option<usize>, &Known)> {
        let lent = self.lent()?;
        if handle.rep() == AT_HAND {
            let at_hand = lent.at_hand().ok_or_else(|| trap("there is no recipient at hand"))?;
            return Ok((None, &at_hand.recipient));
        }
        let index = handle.rep().checked_sub(self.first_recipient).and_then(|n| usize::try_from(n).ok());
        index
            .and_then(|index| Some((Some(index), lent.recipients().get(index)?)))
            .ok_or_else(|| trap("the recipient is one of an earlier call; none may be kept"))
    }

    fn index(&self, handle: &Handle) -> wasmtime::Result<usize> {
        let (index, _) = self.recipient(handle)?;
        index.ok_or_else(|| trap("the recipient at hand is decided about by the verdict: return one instead"))
    }

    fn decide(&mut self, handle: &Handle, fate: Fate) -> wasmtime::Result<()> {
        let index = self.index(handle)?;
        self.edit(Edit::Fate(index, fate), 0)
    }

    /// The reply of a refusal, or the event's own.
    fn refusal(&self, reply: Option<Reply>, class: Class) -> wasmtime::Result<crate::mail::Reply> {
        let own = standard(class, self.lent()?.event);
        let Some(reply) = reply.map(verdict::reply).transpose()? else { return Ok(own) };
        Ok(if reply.class() == class { reply } else { own.with_text(reply.text()) })
    }
}

/// The value of a claimed parameter, if the client has given it.
pub(super) fn parameter(params: &[Param], keyword: &str) -> Option<String> {
    let found = params.iter().find(|param| param.keyword.eq_ignore_ascii_case(keyword))?;
    Some(found.value.clone().unwrap_or_default())
}

impl HostRecipient for State {
    fn address(&mut self, handle: Handle) -> wasmtime::Result<String> {
        Ok(self.recipient(&handle)?.1.path.as_str().to_owned())
    }

    fn original(&mut self, handle: Handle) -> wasmtime::Result<Option<String>> {
        Ok(self.recipient(&handle)?.1.original.as_ref().map(|path| path.as_str().to_owned()))
    }

    fn standing(&mut self, handle: Handle) -> wasmtime::Result<Standing> {
        Ok(match self.recipient(&handle)?.1.standing {
            Seen::Local => Standing::Local,
            Seen::Relay => Standing::Relay,
            Seen::Unknown => Standing::Unknown,
            Seen::Denied => Standing::Denied,
        })
    }

    fn place(&mut self, handle: Handle) -> wasmtime::Result<Option<u32>> {
        let (index, _) = self.recipient(&handle)?;
        Ok(index.and_then(|index| u32::try_from(index).ok()))
    }

    fn matched(&mut self, handle: Handle) -> wasmtime::Result<bool> {
        let (index, _) = self.recipient(&handle)?;
        let matched = &self.lent()?.matched;
        Ok(match (index, matched) {
            (Some(index), Some(matched)) => matched.contains(&index),
            // The binding was called for the one at hand.
            _ => true,
        })
    }

    fn parameter(&mut self, handle: Handle, keyword: String) -> wasmtime::Result<Option<String>> {
        Ok(parameter(&self.recipient(&handle)?.1.params, &keyword))
    }

    fn property(&mut self, handle: Handle, name: String) -> wasmtime::Result<Option<String>> {
        let name = self.full_name(name);
        Ok(self.recipient(&handle)?.1.properties.lookup(&name).map(ToString::to_string))
    }

    fn set_property(&mut self, handle: Handle, key: String, json: String) -> wasmtime::Result<Result<(), String>> {
        let (index, _) = self.recipient(&handle)?;
        self.note(Bearer::Recipient(index), key, &json)
    }

    fn rewrite(&mut self, handle: Handle, address: String) -> wasmtime::Result<Result<(), String>> {
        let (index, _) = self.recipient(&handle)?;
        if index.is_some() {
            return Err(trap("only the recipient at hand can be rewritten: remove this one and add another"));
        }
        self.edit_or_tell(forward(&address).map(Edit::Rewrite), address.len())
    }

    fn vouch(&mut self, handle: Handle) -> wasmtime::Result<()> {
        self.recipient(&handle)?;
        self.edit(Edit::Vouch, 0)
    }

    fn remove(&mut self, handle: Handle) -> wasmtime::Result<()> {
        let index = self.index(&handle)?;
        self.edit(Edit::RemoveRecipient(index), 0)
    }

    fn reject(&mut self, handle: Handle, reply: Option<Reply>) -> wasmtime::Result<()> {
        let reply = self.refusal(reply, Class::Permanent)?;
        self.decide(&handle, Fate::Rejected(reply))
    }

    fn defer(&mut self, handle: Handle, reply: Option<Reply>) -> wasmtime::Result<()> {
        let reply = self.refusal(reply, Class::Transient)?;
        self.decide(&handle, Fate::Deferred(reply))
    }

    fn discard(&mut self, handle: Handle) -> wasmtime::Result<()> {
        self.decide(&handle, Fate::Discarded)
    }

    fn hold(&mut self, handle: Handle, reason: String) -> wasmtime::Result<()> {
        let reason = crate::mail::one_line(short("the reason", reason)?);
        self.decide(&handle, Fate::Held(reason))
    }

    fn drop(&mut self, _: Handle) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// A forward-path, or why it is none.
pub(in crate::wasm) fn forward(address: &str) -> Result<ForwardPath, String> {
    ForwardPath::parse(address).map_err(|e| format!("`{}` is not an address: {e}", clipped(address)))
}

/// A reverse-path, the empty one included, or why it is none.
pub(in crate::wasm) fn reverse(address: &str) -> Result<ReversePath, String> {
    ReversePath::parse(address).map_err(|e| format!("`{}` is not an address: {e}", clipped(address)))
}

/// As much of a text as an error shows.
pub(in crate::wasm) fn clipped(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

impl HostOutgoing for State {
    fn reply(&mut self, _: Resource<Outgoing>) -> wasmtime::Result<Reply> {
        match &self.lent()?.focus {
            Focus::Reply(reply) => Ok(verdict::told(reply)),
            _ => Err(trap("there is no reply at hand")),
        }
    }

    fn set_text(&mut self, _: Resource<Outgoing>, text: String) -> wasmtime::Result<()> {
        let text = short("the reply's text", text)?;
        self.edit(Edit::ReplyText(text), 0)
    }

    fn drop(&mut self, _: Resource<Outgoing>) -> wasmtime::Result<()> {
        Ok(())
    }
}
