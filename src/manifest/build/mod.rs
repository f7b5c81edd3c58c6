//! From a manifest to loaded sinks and bindings: names resolved against the catalogue and the native sinks, rules
//! compiled, sinks opened or carried over. The only place that knows where sinks come from.

#[cfg(feature = "wasm")]
pub mod alone;
mod native;
#[cfg(feature = "wasm")]
mod sandboxed;

use super::{BindingDecl, Manifest, SinkDecl, Source, supplies};
use crate::config::suggest::suggest;
use crate::config::{Diagnostics, Spanned};
use crate::event::catalogue::{CATALOGUE, Event, OnFault};
use crate::event::host::{Clock, Dns, Http, Journal, Kv, Metrics, QueueOf};
use crate::event::rule::compile::compile;
use crate::event::{Binding, Dispatcher, Files, Natives, Registered};
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "wasm")]
pub use crate::wasm::{Sandboxes, compile::VERB as COMPILE, compile::work as compile_sink};

/// The native sinks that ship.
pub fn natives() -> Natives {
    crate::builtin::natives()
}

/// What sinks are built with.
#[derive(Clone)]
pub struct Workshop {
    /// The native sinks that a manifest can name.
    pub natives: Natives,
    /// Sinks' durable values.
    pub kv: Arc<dyn Kv>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The DNS, if this program can ask it.
    pub dns: Option<Arc<dyn Dns>>,
    /// HTTP, if this program speaks it.
    pub http: Option<Arc<dyn Http>>,
    /// The queue, once there is one.
    pub queue: QueueOf,
    /// What sinks publish about themselves.
    pub metrics: Arc<Metrics>,
    /// What sinks log.
    pub journal: Journal,
    /// Where modules and scripts run.
    #[cfg(feature = "wasm")]
    pub sandbox: Arc<Sandboxes>,
    /// The folder of the service manager's credentials, if it has handed over any.
    pub credentials: Option<PathBuf>,
}

impl Workshop {
    /// A workshop without a way to the world.
    pub fn new(natives: Natives, kv: Arc<dyn Kv>, clock: Arc<dyn Clock>) -> Self {
        Self {
            natives,
            kv,
            clock,
            dns: None,
            http: None,
            queue: QueueOf::default(),
            metrics: Arc::default(),
            journal: Journal::default(),
            #[cfg(feature = "wasm")]
            sandbox: Arc::new(Sandboxes::here()),
            credentials: None,
        }
    }
}

/// A sink as it was loaded, to be carried over if nothing about it changes.
#[derive(Clone, Debug)]
pub struct Loaded {
    decl: SinkDecl,
    files: Files,
    /// The sink.
    pub registered: Arc<Registered>,
}

/// A manifest, ready to be put in force.
#[derive(Debug, Default)]
pub struct Built {
    /// The bindings.
    pub dispatcher: Dispatcher,
    /// The sinks that are bound, in manifest order.
    pub sinks: Vec<Loaded>,
    /// Every file that was read for them.
    pub files: Files,
    /// Sinks that were carried over as they were.
    pub carried: usize,
}

impl Built {
    /// The sinks alone.
    pub fn registered(&self) -> Vec<Arc<Registered>> {
        self.sinks.iter().map(|l| l.registered.clone()).collect()
    }
}

/// Builds everything, beside what is in force. `before` are the sinks in force, which are carried over where nothing has
/// changed and succeeded where something has. What is wrong goes to `found`; with errors the result must not be used.
pub fn build(manifest: &Manifest, workshop: &Workshop, before: &[Loaded], found: &mut Diagnostics) -> Built {
    let mut built = Built::default();
    let mut bindings = Vec::new();
    for decl in &manifest.sinks {
        let mut files = Files::new(&decl.folder);
        let old = before.iter().find(|l| l.registered.name.as_ref() == decl.name.value);
        let loaded = match old.filter(|l| l.is_as(decl)) {
            Some(same) => {
                built.carried += 1;
                Some(same.clone())
            }
            None => open(decl, workshop, old, &mut files, found),
        };
        if let Some(loaded) = loaded {
            built.files.merge(&loaded.files);
            bindings.extend(bind(decl, &loaded.registered, &mut files, found));
            if decl.enabled {
                built.sinks.push(loaded);
            }
        }
        // Also what could not be read is to be watched.
        built.files.merge(&files);
    }
    built.dispatcher = Dispatcher::new(bindings);
    built
}

impl Loaded {
    /// Whether the declaration opens the very same sink: its bindings may differ.
    fn is_as(&self, decl: &SinkDecl) -> bool {
        let plain = |d: &SinkDecl| SinkDecl { on: Vec::new(), enabled: true, ..d.clone() };
        plain(&self.decl) == plain(decl) && self.files.unchanged()
    }
}

fn open(
    decl: &SinkDecl,
    workshop: &Workshop,
    before: Option<&Loaded>,
    files: &mut Files,
    found: &mut Diagnostics,
) -> Option<Loaded> {
    let supplies = supplies::gather(decl, workshop, files, found)?;
    let said = found.len();
    let before = before.map(|l| l.registered.sink.clone());
    let sink = match &decl.source.value {
        Source::Native(name) => native::open(name, decl, workshop, &supplies, before, files, found),
        #[cfg(feature = "wasm")]
        Source::Module(path) => sandboxed::module(path, decl, workshop, &supplies, files, found),
        #[cfg(feature = "wasm")]
        Source::Script(path) => sandboxed::script(path, decl, workshop, &supplies, files, found),
        #[cfg(not(feature = "wasm"))]
        Source::Module(_) | Source::Script(_) => {
            let told = found.error(decl.source.span, "this program was built without modules and scripts");
            told.help("build it with the feature `wasm`");
            None
        }
    };
    let secrets = supplies.resolved.secrets;
    found.mask(said, &secrets);
    let registered = Registered::new(decl.name.value.as_str(), sink?, decl.allow.relay);
    let registered = registered.with_submit(decl.allow.submit).with_import(decl.allow.properties).with_secrets(secrets);
    Some(Loaded { decl: decl.clone(), files: files.clone(), registered: Arc::new(registered) })
}

/// The bindings of one sink, in the order of the manifest. None if the sink is switched off, but checked all the same.
fn bind(decl: &SinkDecl, sink: &Arc<Registered>, files: &mut Files, found: &mut Diagnostics) -> Vec<Binding> {
    if decl.on.is_empty() {
        let all = sink.interest.events.iter().map(|event| Binding::new(sink.clone(), *event));
        return if decl.enabled { all.collect() } else { Vec::new() };
    }
    let mut bindings = Vec::new();
    for on in &decl.on {
        let bound = bind_one(on, sink, files, found);
        bindings.extend(bound.filter(|_| decl.enabled && on.enabled));
    }
    bindings
}

fn bind_one(on: &BindingDecl, sink: &Arc<Registered>, files: &mut Files, found: &mut Diagnostics) -> Option<Binding> {
    let event = event(&on.event, sink, found)?;
    let mut binding = Binding::new(sink.clone(), event);
    binding.priority = on.priority;
    binding.always = on.always;
    binding.deadline = on.deadline.unwrap_or(binding.deadline);
    binding.rule = on.when.as_ref().map(|when| compile(when, Some(event), files, found));
    if let Some(policy) = &on.on_fault {
        binding.on_fault = on_fault(event, policy, found).unwrap_or(binding.on_fault);
    }
    Some(binding)
}

fn event(name: &Spanned<String>, sink: &Registered, found: &mut Diagnostics) -> Option<Event> {
    let Some(event) = Event::by_name(&name.value) else {
        let near = suggest(&name.value, CATALOGUE.iter().map(|s| s.name)).map(|n| format!("did you mean `{n}`?"));
        let help = near.unwrap_or_else(|| "`mailsluice events` lists them".to_owned());
        found.error(name.span, format!("there is no event `{}`", name.value)).help(help);
        return None;
    };
    if !sink.interest.events.contains(&event) {
        let heard: Vec<&str> = sink.interest.events.iter().map(|e| e.name()).collect();
        found
            .error(name.span, format!("sink `{}` does not hear `{event}`", sink.name))
            .help(format!("it hears: {}", heard.join(", ")));
        return None;
    }
    Some(event)
}

fn on_fault(event: Event, policy: &Spanned<&'static str>, found: &mut Diagnostics) -> Option<OnFault> {
    let legal = event.spec().faults;
    let chosen = legal.iter().copied().find(|f| f.as_str() == policy.value);
    if chosen.is_none() {
        let names: Vec<&str> = legal.iter().map(|f| f.as_str()).collect();
        found
            .error(policy.span, format!("`on-fault = \"{}\"` is not allowed at `{event}`", policy.value))
            .help(format!("allowed there: {}", names.join(", ")));
    }
    chosen
}
