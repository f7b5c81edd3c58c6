//! One script in one instance of the script host, and its calls.

use crate::stub::{World, excess, leg, shown};
use mailsluice_wit::mailsluice::script::engine;
use mailsluice_wit::mailsluice::sink::types::{
    Answer, AuthStep, Command, Credentials, Expansion, Further, Identity, Proof, Question, RecordKind, Resolution,
    Verdict, Want,
};
use mailsluice_wit::mailsluice::sink::{
    clock, config, dns, http, kv, log, metrics, queue, random, submit, tables, types,
};
use mailsluice_wit::{Message, Outbound, Outgoing, Recipient, Session};
use std::future::Future;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{
    Component, ComponentNamedList, HasSelf, Instance, InstancePre, Lift, Linker, Lower, Resource,
};
use wasmtime::{Config, Engine, Result, Store};

/// The path of every test's main module.
pub(crate) const MAIN: &str = "scripts/tag.js";

static HOST: LazyLock<InstancePre<World>> = LazyLock::new(|| compile().unwrap());

fn compile() -> Result<InstancePre<World>> {
    let mut config = Config::new();
    config.max_wasm_stack(4 << 20).async_stack_size(8 << 20);
    let engine = Engine::new(&config)?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../script-host.wasm");
    let component = Component::from_file(&engine, path)?;
    let mut linker = Linker::new(&engine);
    macro_rules! link { ($($room:ident)+) => { $($room::add_to_linker::<World, HasSelf<World>>(&mut linker, |world| world)?;)+ } }
    link!(engine types log config tables clock random kv dns http submit metrics queue);
    linker.instantiate_pre(&component)
}

/// A loaded script.
pub(crate) struct Script {
    store: Store<World>,
    instance: Instance,
    /// What `load` said.
    pub(crate) events: Vec<String>,
}

/// Octets of memory that a script is given.
pub(crate) const MEMORY: u64 = 64 << 20;

/// What a manifest grants.
#[derive(Clone, Copy, Default, wasmtime::component::ComponentType, Lower)]
#[component(record)]
pub(crate) struct Grants {
    pub(crate) kv: bool,
    pub(crate) dns: bool,
    pub(crate) http: bool,
    pub(crate) submit: bool,
    pub(crate) metrics: bool,
    pub(crate) queue: bool,
}

impl Grants {
    pub(crate) const ALL: Self = Self { kv: true, dns: true, http: true, submit: true, metrics: true, queue: true };
}

impl Script {
    /// Loads `source` as the main module; `world` may hold more files.
    pub(crate) fn load(source: &str, mut world: World, grants: Grants) -> Result<Self, String> {
        world.files.insert(MAIN.to_owned(), source.to_owned());
        if world.config.is_empty() {
            world.config = "{}".to_owned();
        }
        let mut store = Store::new(HOST.engine(), world);
        let instance = block_on(HOST.instantiate_async(&mut store)).unwrap();
        let mut script = Self { store, instance, events: Vec::new() };
        let loaded = script.call::<_, (Result<Vec<String>, String>,)>(
            "mailsluice:script/loader@1.0.0",
            "load",
            (MAIN, grants, MEMORY),
        );
        script.events = loaded.unwrap().0?;
        Ok(script)
    }

    /// Loads a script that has all that it needs, with every grant.
    pub(crate) fn of(source: &str) -> Self {
        Self::load(source, World::default(), Grants::ALL).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Calls a function of the component.
    pub(crate) fn call<P, R>(&mut self, interface: &str, name: &str, parameters: P) -> Result<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let (_, parent) = self.instance.get_export(&mut self.store, None, interface).unwrap();
        let (_, index) = self.instance.get_export(&mut self.store, Some(&parent), name).unwrap();
        let function = self.instance.get_typed_func::<P, R>(&mut self.store, index)?;
        block_on(function.call_async(&mut self.store, parameters))
    }

    /// Raises an event with the stub's message, session and the like, and returns the verdict in words, or the fault.
    pub(crate) fn raise(&mut self, event: &str) -> String {
        let interface = format!("mailsluice:sink/{}@1.0.0", event.replace('.', "-"));
        let session = || Resource::<Session>::new_borrow(1);
        let message = || Resource::<Message>::new_borrow(2);
        let further = self.world().further.take().map(|(step, octets)| Further { step, octets });
        let command = Command { verb: "HELP".to_owned(), argument: "me".to_owned(), further };
        match event {
            "in.connect" => self.decide(&interface, (session(),)),
            "in.tls" => self.decide(&interface, (session(),)),
            "in.auth" => {
                let credentials = self.world().credentials.take().unwrap_or_else(credentials);
                self.decide(&interface, (credentials, session()))
            }
            "in.helo" => self.decide(&interface, (command, session())),
            "in.rcpt" | "transport.categorize" => {
                self.decide(&interface, (Resource::<Recipient>::new_borrow(9), message(), session()))
            }
            "in.command" => self.decide(&interface, (command, None::<Resource<Message>>, session())),
            "in.reply" => self.decide(&interface, (Resource::<Outgoing>::new_borrow(3), Some(message()), session())),
            "transport.oversize" => self.decide(&interface, (excess(), Some(message()), session())),
            "transport.route" | "transport.deliver" | "transport.deferred" | "transport.failed" => {
                self.decide(&interface, (leg(), message(), session()))
            }
            "out.connect" | "out.helo" | "out.message" | "out.mail" | "out.rcpt" | "out.data" | "out.reply" => {
                self.decide(&interface, (Resource::<Outbound>::new_borrow(4), message(), session()))
            }
            "out.quit" => self.decide(&interface, (leg(), session())),
            "out.disconnect" => self.tell(&interface, (leg(), session())),
            "transport.delivered" => self.tell(&interface, (leg(), message(), session())),
            "dns.resolve" => {
                self.decide(&interface, (Question { name: "example.net".to_owned(), kind: RecordKind::Mx },))
            }
            "track" => self.tell(&interface, (r#"{"step":"accepted","size":5}"#,)),
            "in.disconnect" => self.tell(&interface, (session(),)),
            "server.start" | "server.reload" | "server.shutdown" => self.tell(&interface, ()),
            _ => self.decide(&interface, (message(), session())),
        }
    }

    fn decide<P: ComponentNamedList + Lower + Send + Sync>(&mut self, interface: &str, parameters: P) -> String {
        let (verdict,) = self.call::<_, (Result<Verdict, String>,)>(interface, "handle", parameters).unwrap();
        verdict.map_or_else(|fault| fault, |verdict| words(&verdict))
    }

    fn tell<P: ComponentNamedList + Lower + Send + Sync>(&mut self, interface: &str, parameters: P) -> String {
        let (told,) = self.call::<_, (Result<(), String>,)>(interface, "handle", parameters).unwrap();
        told.map_or_else(|fault| fault, |()| "told".to_owned())
    }

    /// What the script has done since this was asked.
    pub(crate) fn done(&mut self) -> Vec<String> {
        std::mem::take(&mut self.store.data_mut().done)
    }

    /// The made-up server.
    pub(crate) fn world(&mut self) -> &mut World {
        self.store.data_mut()
    }
}

/// A verdict as the tests read it.
fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Next => "next".to_owned(),
        Verdict::SkipRest => "skip-rest".to_owned(),
        Verdict::Answer(answer) => format!("answer {}", answered(answer)),
        Verdict::Reject(reply) => format!("reject {}", shown(reply.as_ref())),
        Verdict::Defer(deferral) => format!("defer {} {:?}", shown(deferral.reply.as_ref()), deferral.after),
        Verdict::Disconnect(reply) => format!("disconnect {}", shown(reply.as_ref())),
        Verdict::Discard => "discard".to_owned(),
        Verdict::Hold(reason) => format!("hold {reason}"),
    }
}

/// An answer as the tests read it.
fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Reply(reply) => shown(Some(reply)),
        Answer::More(it) => format!("{} and then {}", shown(Some(&it.reply)), wanted(&it.want)),
        Answer::Turn(it) => format!("{} and turn {:?}", shown(Some(&it.reply)), it.domains),
        Answer::Instead(line) => format!("instead {line}"),
        Answer::Identity(Identity { user, senders }) => format!("user {user} {senders:?}"),
        Answer::Challenge(octets) => format!("challenge {:?}", String::from_utf8_lossy(octets)),
        Answer::Limit(limit) => limit.to_string(),
        Answer::Resolution(Resolution::Local) => "local".to_owned(),
        Answer::Resolution(Resolution::Remote) => "remote".to_owned(),
        Answer::Resolution(Resolution::Rewritten(address)) => format!("to {address}"),
        Answer::Resolution(Resolution::Expanded(Expansion { members, sender })) => {
            format!("to {members:?} from {sender:?}")
        }
        Answer::Route(hops) => format!("route {hops:?}"),
        Answer::Step(next) => format!("{next:?}").replace("NextState::", "").to_lowercase(),
        Answer::Records(records) => format!("records {records:?}"),
        Answer::Outcomes(outcomes) => {
            let one = |it: &mailsluice_wit::mailsluice::sink::types::Outcome| {
                format!("{}: {}", it.recipient, shown(Some(&it.reply)))
            };
            outcomes.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    }
}

fn wanted(want: &Want) -> String {
    match want {
        Want::Line(max) => format!("a line of {max}"),
        Want::Octets(count) => format!("{count} octets"),
    }
}

/// A user's name and password.
fn credentials() -> Credentials {
    let proof = Proof::Password("sesame".to_owned());
    Credentials { mechanism: "PLAIN".to_owned(), user: Some("ann".to_owned()), authzid: None, proof }
}

/// A step of a mechanism that a script has claimed.
pub(crate) fn step(number: u32, octets: Option<&str>) -> Credentials {
    let proof = Proof::Step(AuthStep { number, octets: octets.map(|text| text.as_bytes().to_vec()) });
    Credentials { mechanism: "X-TEST".to_owned(), user: None, authzid: None, proof }
}

/// Compares what is found for each first with the second, and shows all rows that differ.
pub(crate) fn same<T: PartialEq<str> + std::fmt::Display>(rows: &[(&str, &str)], find: impl Fn(&str) -> T) {
    let differ = |row: &&(&str, &str)| find(row.0) != *row.1;
    let shown = |row: &(&str, &str)| format!("{}\n  found  {}\n  wanted {}\n", row.0, find(row.0), row.1);
    let rows: Vec<_> = rows.iter().filter(differ).map(shown).collect();
    assert!(rows.is_empty(), "\n{}", rows.concat());
}

/// Runs a future that waits for nothing outside of itself.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
