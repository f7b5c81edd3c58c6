//! One instance of a guest: made, given an event, and asked.

use super::code::Code;
use super::fault::{fault, of_its_own};
use super::lent::{Focus, Lent};
use super::login::credentials;
use super::state::{State, Told, trap};
use super::terms::Terms;
use super::time::GuestTime;
use super::time::TICK;
use super::verdict::{leg, question, verdict};
use crate::event::{Edits, Event, Fault, FaultKind, Verdict};
use mailsluice_wit::mailsluice::sink::types::{self, Command, Credentials, Excess, Further, Leg, Question};
use mailsluice_wit::{AT_HAND, Message, Outbound, Outgoing, Recipient, Session};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, Resource, TypedFunc};
use wasmtime::{Store, UpdateDeadline};

type Said = (Result<types::Verdict, String>,);
type Done = (Result<(), String>,);
type Of<Params, Return = Said> = TypedFunc<Params, Return>;

// A guest's handles.
type S = Resource<Session>;
type M = Resource<Message>;
type R = Resource<Recipient>;
type O = Resource<Outgoing>;
type B = Resource<Outbound>;

/// The function of one event, by the shape of what it is given.
enum Handler {
    Session(Of<(S,)>),
    Helo(Of<(Command, S)>),
    Auth(Of<(Credentials, S)>),
    Message(Of<(M, S)>),
    Recipient(Of<(R, M, S)>),
    Command(Of<(Command, Option<M>, S)>),
    Reply(Of<(O, Option<M>, S)>),
    Excess(Of<(Excess, Option<M>, S)>),
    Leg(Of<(Leg, M, S)>),
    Outbound(Of<(B, M, S)>),
    Quit(Of<(Leg, S)>),
    Question(Of<(Question,)>),
    Told(Of<(), Done>),
    ToldOfSession(Of<(S,), Done>),
    ToldOfLeg(Of<(Leg, M, S), Done>),
    ToldOfEnd(Of<(Leg, S), Done>),
    ToldOfStep(Of<(String,), Done>),
}

/// An instance. One that failed is dropped, and never called again.
pub(super) struct Guest {
    store: Store<State>,
    instance: Instance,
    handlers: Vec<(Event, Handler)>,
    /// Of a script, the events for which it has functions.
    pub(super) heard: Vec<String>,
    /// Memory after it was loaded.
    at_start: usize,
    slot: OwnedSemaphorePermit,
}

impl Guest {
    /// An instance in the slot of the pool that `slot` stands for, with an event already lent to it.
    pub(super) async fn new(
        code: &Code,
        terms: &Arc<Terms>,
        lent: Option<Lent>,
        slot: OwnedSemaphorePermit,
    ) -> Result<Self, Fault> {
        let sources = code.script.as_ref().map(|script| script.sources.clone());
        let mut state = State::new(terms.clone(), sources);
        if let Some(lent) = lent {
            state.lend(lent);
        }
        let mut store = Store::new(code.pre.engine(), state);
        store.limiter(|state| state);
        // What crosses in one call is copied: lists that point to the same octets again and again must not multiply them.
        store.set_hostcall_fuel(terms.limits.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            let state = context.data();
            // The script host asks by itself whether its time is over, and then says at which line.
            let grace = if state.sources.is_some() { TICK * 4 } else { Duration::ZERO };
            if state.time.at_tick() > state.terms.limits.cpu.saturating_add(grace) {
                let text = format!("it used {} ms of its own time (`limits.cpu`)", state.terms.limits.cpu.as_millis());
                return Err(wasmtime::Error::new(Told { kind: FaultKind::Overrun, text }));
            }
            Ok(UpdateDeadline::Yield(1))
        });
        let time = store.data().time.clone();
        let instance = time.count(code.pre.instantiate_async(&mut store)).await;
        let instance = instance.map_err(|error| fault(&error, store.data()))?;
        let mut guest = Self { store, instance, handlers: Vec::new(), heard: Vec::new(), at_start: 0, slot };
        if let Some(script) = &code.script {
            guest.heard = guest.load(code, script).await?;
        }
        guest.at_start = guest.store.data().memory();
        Ok(guest)
    }

    /// Its own time.
    pub(super) fn time(&self) -> Arc<GuestTime> {
        self.store.data().time.clone()
    }

    /// Octets of memory in use.
    pub(super) fn memory(&self) -> usize {
        self.store.data().memory()
    }

    /// Lends an event to an instance that is used again.
    pub(super) fn lend(&mut self, lent: Lent) {
        self.store.data_mut().lend(lent);
    }

    /// Asks it about the event that was lent. After a fault it must be dropped.
    pub(super) async fn ask(&mut self, code: &Code) -> Result<(Verdict, Edits), Fault> {
        let time = self.time();
        self.store.set_epoch_deadline(1);
        let result = time.count(self.call(code)).await;
        let told = match result {
            Ok(Ok(told)) => told,
            Ok(Err(why)) => return Err(of_its_own(&why, self.store.data())),
            Err(error) => return Err(fault(&error, self.store.data())),
        };
        let verdict = verdict(told, self.store.data()).map_err(|error| fault(&error, self.store.data()))?;
        Ok((verdict, self.store.data_mut().take_back()))
    }

    /// Whether it is worth keeping: one that has grown a lot is better made anew.
    pub(super) fn is_lean(&self) -> bool {
        let state = self.store.data();
        state.memory() <= self.at_start.saturating_mul(2).max(state.terms.limits.memory / 2)
    }

    async fn call(&mut self, code: &Code) -> wasmtime::Result<Result<types::Verdict, String>> {
        let event = self.store.data().lent()?.event;
        let at = self.handler(event, code)?;
        let (_, handler) = &self.handlers[at];
        let store = &mut self.store;
        let session = S::new_borrow(0);
        let in_transaction = store.data().lent()?.transaction.is_some();
        let message = || M::new_borrow(0);
        let optional = in_transaction.then(message);
        let told = |done: Result<(), String>| done.map(|()| types::Verdict::Next);
        Ok(match handler {
            Handler::Session(f) => f.call_async(store, (session,)).await?.0,
            Handler::Helo(f) => {
                let command = command(store.data().lent()?)?;
                f.call_async(store, (command, session)).await?.0
            }
            Handler::Auth(f) => {
                let credentials = presented(store.data().lent()?)?;
                f.call_async(store, (credentials, session)).await?.0
            }
            Handler::Message(f) => f.call_async(store, (message(), session)).await?.0,
            Handler::Recipient(f) => f.call_async(store, (R::new_borrow(AT_HAND), message(), session)).await?.0,
            Handler::Command(f) => {
                let command = command(store.data().lent()?)?;
                f.call_async(store, (command, optional, session)).await?.0
            }
            Handler::Reply(f) => f.call_async(store, (O::new_borrow(0), optional, session)).await?.0,
            Handler::Excess(f) => {
                let excess = excess(store.data().lent()?)?;
                f.call_async(store, (excess, optional, session)).await?.0
            }
            Handler::Leg(f) => {
                let leg = leg_at_hand(store.data().lent()?)?;
                f.call_async(store, (leg, message(), session)).await?.0
            }
            Handler::Outbound(f) => f.call_async(store, (B::new_borrow(0), message(), session)).await?.0,
            Handler::Quit(f) => {
                let leg = leg_at_hand(store.data().lent()?)?;
                f.call_async(store, (leg, session)).await?.0
            }
            Handler::Question(f) => {
                let question = question_at_hand(store.data().lent()?)?;
                f.call_async(store, (question,)).await?.0
            }
            Handler::Told(f) => told(f.call_async(store, ()).await?.0),
            Handler::ToldOfSession(f) => told(f.call_async(store, (session,)).await?.0),
            Handler::ToldOfLeg(f) => {
                let leg = leg_at_hand(store.data().lent()?)?;
                told(f.call_async(store, (leg, message(), session)).await?.0)
            }
            Handler::ToldOfEnd(f) => {
                let leg = leg_at_hand(store.data().lent()?)?;
                told(f.call_async(store, (leg, session)).await?.0)
            }
            Handler::ToldOfStep(f) => {
                let step = step(store.data().lent()?)?;
                told(f.call_async(store, (step,)).await?.0)
            }
        })
    }

    /// The place of the event's function among the handlers; it is looked up once.
    fn handler(&mut self, event: Event, code: &Code) -> wasmtime::Result<usize> {
        if let Some(at) = self.handlers.iter().position(|(known, _)| *known == event) {
            return Ok(at);
        }
        let index = code.exports.handler(event).ok_or_else(|| trap(format!("it does not hear {event}")))?;
        let (store, instance) = (&mut self.store, &self.instance);
        let handler = match event {
            Event::InConnect | Event::InTls => Handler::Session(instance.get_typed_func(store, index)?),
            Event::InHelo => Handler::Helo(instance.get_typed_func(store, index)?),
            Event::InAuth => Handler::Auth(instance.get_typed_func(store, index)?),
            Event::InRcpt | Event::TransportCategorize => Handler::Recipient(instance.get_typed_func(store, index)?),
            Event::InCommand => Handler::Command(instance.get_typed_func(store, index)?),
            Event::InReply => Handler::Reply(instance.get_typed_func(store, index)?),
            Event::TransportOversize => Handler::Excess(instance.get_typed_func(store, index)?),
            Event::TransportRoute | Event::TransportDeliver | Event::TransportDeferred | Event::TransportFailed => {
                Handler::Leg(instance.get_typed_func(store, index)?)
            }
            Event::OutConnect
            | Event::OutHelo
            | Event::OutMessage
            | Event::OutMail
            | Event::OutRcpt
            | Event::OutData
            | Event::OutReply => Handler::Outbound(instance.get_typed_func(store, index)?),
            Event::OutQuit => Handler::Quit(instance.get_typed_func(store, index)?),
            Event::OutDisconnect => Handler::ToldOfEnd(instance.get_typed_func(store, index)?),
            Event::TransportDelivered => Handler::ToldOfLeg(instance.get_typed_func(store, index)?),
            Event::DnsResolve => Handler::Question(instance.get_typed_func(store, index)?),
            Event::Track => Handler::ToldOfStep(instance.get_typed_func(store, index)?),
            Event::InDisconnect => Handler::ToldOfSession(instance.get_typed_func(store, index)?),
            Event::ServerStart | Event::ServerReload | Event::ServerShutdown => {
                Handler::Told(instance.get_typed_func(store, index)?)
            }
            _ => Handler::Message(instance.get_typed_func(store, index)?),
        };
        self.handlers.push((event, handler));
        Ok(self.handlers.len() - 1)
    }

    /// Slots of the pool that it holds.
    pub(super) fn weight(&self) -> usize {
        self.slot.num_permits()
    }

    /// Calls what is asked once, when a sink is loaded. After a fault the guest must be dropped.
    pub(super) async fn once<P, R>(&mut self, function: &ComponentExportIndex, params: P) -> Result<R, Fault>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let time = self.time();
        let (store, instance) = (&mut self.store, &self.instance);
        store.set_epoch_deadline(1);
        let call = async {
            let function = instance.get_typed_func::<P, R>(&mut *store, function)?;
            function.call_async(&mut *store, params).await
        };
        let result = time.count(call).await;
        result.map_err(|error| fault(&error, self.store.data()))
    }

    /// What it runs on.
    pub(super) fn terms(&self) -> &Terms {
        &self.store.data().terms
    }
}

fn command(lent: &Lent) -> wasmtime::Result<Command> {
    match &lent.focus {
        Focus::Command { verb, argument, further } => {
            let further = further.as_ref().map(|(step, octets)| Further { step: *step, octets: octets.clone() });
            Ok(Command { verb: verb.clone(), argument: argument.clone(), further })
        }
        _ => Err(trap("there is no command at hand")),
    }
}

fn presented(lent: &Lent) -> wasmtime::Result<Credentials> {
    match &lent.focus {
        Focus::Credentials(presented) => Ok(credentials(presented)),
        _ => Err(trap("there are no credentials at hand")),
    }
}

fn excess(lent: &Lent) -> wasmtime::Result<Excess> {
    match &lent.focus {
        Focus::Excess { size, declared } => Ok(Excess { size: *size, declared: *declared }),
        _ => Err(trap("there is no size at hand")),
    }
}

fn leg_at_hand(lent: &Lent) -> wasmtime::Result<Leg> {
    lent.leg().map(leg).ok_or_else(|| trap("there is no leg at hand"))
}

fn question_at_hand(lent: &Lent) -> wasmtime::Result<Question> {
    match &lent.focus {
        Focus::Question { name, kind } => Ok(question(name, *kind)),
        _ => Err(trap("there is no question at hand")),
    }
}

fn step(lent: &Lent) -> wasmtime::Result<String> {
    match &lent.focus {
        Focus::Step(step) => Ok(step.to_string()),
        _ => Err(trap("there is no step at hand")),
    }
}
