//! `outbound`: what our client is about to do at a next hop, and what may be changed of it.
//!
//! A text that can't be said is told to the guest at once; the rest is the dispatcher's to judge.

use super::super::lent::Focus;
use super::super::state::{State, trap};
use super::super::verdict;
use super::{clipped, short};
use crate::event::{Edit, Leg, Plan, PlanEdit};
use crate::mail::Domain;
use crate::smtp::client::{self, CommandLine, Next, Parameter};
use mailsluice_wit::Outbound;
use mailsluice_wit::mailsluice::sink::types::{self, HostOutbound, NextState, TlsPolicy};
use std::sync::Arc;
use wasmtime::component::Resource;

type Handle = Resource<Outbound>;
type Done = wasmtime::Result<Result<(), String>>;

impl State {
    fn outbound(&self) -> wasmtime::Result<(&Leg, &Plan)> {
        match &self.lent()?.focus {
            Focus::Outbound(leg, plan) => Ok((leg, plan)),
            _ => Err(trap("nothing is about to be said to a next hop")),
        }
    }

    fn plan(&mut self, edit: Result<PlanEdit, String>, octets: usize) -> Done {
        self.edit_or_tell(edit.map(Edit::Plan), octets)
    }
}

impl HostOutbound for State {
    fn leg(&mut self, _: Handle) -> wasmtime::Result<types::Leg> {
        Ok(verdict::leg(self.outbound()?.0))
    }

    fn verb(&mut self, _: Handle) -> wasmtime::Result<Option<String>> {
        Ok(self.outbound()?.1.verb.clone())
    }

    fn next_states(&mut self, _: Handle) -> wasmtime::Result<Vec<NextState>> {
        Ok(self.outbound()?.1.choices.next.iter().map(|next| state(*next)).collect())
    }

    fn may_refuse(&mut self, _: Handle) -> wasmtime::Result<bool> {
        Ok(self.outbound()?.1.choices.refuse)
    }

    fn connect_from(&mut self, _: Handle, address: String) -> Done {
        let parsed = address.parse().map_err(|_| format!("`{}` is not an IP address", clipped(&address)));
        self.plan(parsed.map(PlanEdit::Source), 0)
    }

    fn say_hello_as(&mut self, _: Handle, name: String) -> Done {
        let parsed = Domain::parse(&name).map_err(|e| format!("`{}` is not a name for EHLO: {e}", clipped(&name)));
        self.plan(parsed.map(PlanEdit::Helo), name.len())
    }

    fn set_tls_policy(&mut self, _: Handle, policy: TlsPolicy) -> wasmtime::Result<()> {
        let policy = match policy {
            TlsPolicy::None => client::TlsPolicy::None,
            TlsPolicy::Opportunistic => client::TlsPolicy::Opportunistic,
            TlsPolicy::Required => client::TlsPolicy::Required,
            TlsPolicy::Verified => client::TlsPolicy::Verified,
            TlsPolicy::Dane => client::TlsPolicy::Dane,
        };
        self.edit(Edit::Plan(PlanEdit::Tls(policy)), 0)
    }

    fn authenticate(
        &mut self,
        _: Handle,
        user: String,
        secret: String,
        mechanism: Option<String>,
    ) -> wasmtime::Result<()> {
        let user = short("the user", user)?;
        let secret = short("the secret", secret)?;
        let mechanism = mechanism.map(|name| short("the mechanism", name)).transpose()?;
        let octets = user.len() + secret.len();
        let credentials = Arc::new(client::Credentials { user, secret, mechanism });
        self.edit(Edit::Plan(PlanEdit::Credentials(credentials)), octets)
    }

    fn add_parameter(&mut self, _: Handle, text: String) -> Done {
        let octets = text.len();
        let checked = Parameter::parse(&text).map_err(|wrong| wrong.to_string());
        self.plan(checked.map(|_| PlanEdit::Parameter(text)), octets)
    }

    fn insert_command(&mut self, _: Handle, line: String) -> Done {
        let octets = line.len();
        let checked = CommandLine::to_insert(&line).map_err(|wrong| wrong.to_string());
        self.plan(checked.map(|_| PlanEdit::Insert(line)), octets)
    }

    fn replace_command(&mut self, _: Handle, line: String) -> Done {
        let octets = line.len();
        let verb = self.outbound()?.1.verb.clone().unwrap_or_default();
        let checked = CommandLine::to_replace(&line, &verb).map_err(|wrong| wrong.to_string());
        self.plan(checked.map(|_| PlanEdit::Replace(line)), octets)
    }

    fn drop(&mut self, _: Handle) -> wasmtime::Result<()> {
        Ok(())
    }
}

fn state(next: Next) -> NextState {
    match next {
        Next::Continue => NextState::Continue,
        Next::Repeat => NextState::Repeat,
        Next::Hello => NextState::Hello,
        Next::Reset => NextState::Reset,
        Next::Quit => NextState::Quit,
    }
}
