//! What a component exports and imports, compared with the WIT that this server speaks, in the words of the WIT.

use super::super::code::{VERSION, interface};
use super::super::terms::Grants;
use super::Refusal;
use crate::config::suggest::suggest;
use crate::event::catalogue::{CATALOGUE, Event};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use wit_component::DecodedWasm;
use wit_parser::{Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, WorldId, WorldItem, WorldKey};

/// The interfaces of this version.
const WIT: &[(&str, &str)] = &[
    ("types.wit", include_str!("../../../wit/1.0/types.wit")),
    ("host.wit", include_str!("../../../wit/1.0/host.wit")),
    ("events.wit", include_str!("../../../wit/1.0/events.wit")),
];
const PACKAGE: &str = "mailsluice:sink";
/// What of WASI is there, empty.
const WASI: [&str; 6] = ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];
/// What a manifest may grant: the interface, and how it is granted.
const CAPABILITIES: [(&str, &str); 6] = [
    ("kv", "kv = true"),
    ("dns", "dns = true"),
    ("http", "http = [\"https://…\"]"),
    ("submit", "submit = true"),
    ("metrics", "metrics = true"),
    ("queue", "queue = true"),
];

/// What one component exports and imports.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// The events that it hears.
    pub events: Vec<Event>,
    /// What it exports beside them: `claims`, `self-test`.
    pub extras: Vec<String>,
    /// The interfaces of this server that it imports, without package and version.
    pub imports: Vec<String>,
    /// What of WASI it imports.
    pub wasi: Vec<String>,
    /// What does not fit.
    pub refusals: Vec<Refusal>,
}

impl Contract {
    /// The capabilities that it asks for, and how each is granted under `[sink.allow]`.
    pub fn capabilities(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        CAPABILITIES.into_iter().filter(|(name, _)| self.imports.iter().any(|import| import == name))
    }

    /// What it asks for and is not granted.
    pub fn lacking(&self, grants: &Grants) -> Vec<Refusal> {
        let granted = |name| match name {
            "kv" => grants.kv.is_some(),
            "dns" => grants.dns.is_some(),
            "http" => grants.http.is_some(),
            "metrics" => grants.metrics.is_some(),
            "queue" => grants.queue.is_some(),
            _ => grants.submit,
        };
        let lacking = self.capabilities().filter(|(name, _)| !granted(name));
        let told = |(name, how)| {
            let text = format!("it imports `{name}`, which the manifest does not grant");
            Refusal::with_help(text, format!("write `{how}` under [sink.allow] if it may"))
        };
        lacking.map(told).collect()
    }
}

/// Reads what a component exports and imports.
pub fn contract(component: &[u8]) -> Result<Contract, Refusal> {
    let damaged = |e: &dyn std::fmt::Display| Refusal::new(format!("the component is damaged: {e}"));
    let (resolve, world) = match wit_component::decode(component).map_err(|e| damaged(&format!("{e:#}")))? {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => {
            return Err(Refusal::new("this is a WIT package and not a component: it has types and no code"));
        }
    };
    let known = known()?;
    let mut contract = Contract::default();
    read_imports(&resolve, world, known, &mut contract);
    read_exports(&resolve, world, known, &mut contract);
    Ok(contract)
}

fn read_imports(resolve: &Resolve, world: WorldId, known: &Known, contract: &mut Contract) {
    for (key, item) in &resolve.worlds[world].imports {
        let (name, version) = name(resolve, key);
        let WorldItem::Interface { id, .. } = item else {
            if matches!(item, WorldItem::Function(_)) {
                contract
                    .refusals
                    .push(Refusal::new(format!("it imports a function `{name}`, which this server does not have")));
            }
            continue;
        };
        if let Some(own) = name.strip_prefix("mailsluice:sink/") {
            if fits(own, version.as_deref(), "imports", known, contract) {
                compare(resolve, *id, own, known, contract);
                contract.imports.push(own.to_owned());
            }
        } else if WASI.iter().any(|package| name.split('/').next() == Some(package)) {
            contract.wasi.push(name);
        } else {
            let help = name.starts_with("wasi:http").then_some("use the interface `http` of mailsluice:sink instead");
            let text = format!("it imports `{name}`, which this server does not have");
            contract.refusals.push(Refusal { text, help: help.map(ToOwned::to_owned) });
        }
    }
}

fn read_exports(resolve: &Resolve, world: WorldId, known: &Known, contract: &mut Contract) {
    let mut strangers = Vec::new();
    for (key, item) in &resolve.worlds[world].exports {
        let (name, version) = name(resolve, key);
        let (Some(own), WorldItem::Interface { id, .. }) = (name.strip_prefix("mailsluice:sink/"), item) else {
            strangers.push(name);
            continue;
        };
        if !fits(own, version.as_deref(), "exports", known, contract) {
            continue;
        }
        compare(resolve, *id, own, known, contract);
        match CATALOGUE.iter().find(|spec| interface(spec.event) == own) {
            Some(spec) => contract.events.push(spec.event),
            None => contract.extras.push(own.to_owned()),
        }
    }
    contract.events.sort_unstable();
    if contract.events.is_empty() && contract.refusals.is_empty() {
        contract.refusals.push(hears_nothing(&strangers));
    }
}

/// A component that exports no event.
fn hears_nothing(exports: &[String]) -> Refusal {
    let events = || CATALOGUE.iter().map(|spec| interface(spec.event)).collect::<Vec<_>>();
    let near = exports.iter().find_map(|name| {
        let last = name.rsplit('/').next()?;
        let events = events();
        events.iter().find(|event| *event == last).map(|event| (name, format!("{PACKAGE}/{event}@{VERSION}")))
    });
    match near {
        Some((name, right)) => Refusal::with_help(
            format!("it exports `{name}`, which is no event of this server"),
            format!("export `{right}`"),
        ),
        None if exports.iter().any(|name| name.starts_with("wasi:cli/run")) => Refusal::with_help(
            "it exports no event but `wasi:cli/run`: this is a program",
            "build it as a library (`cdylib`, or a reactor)",
        ),
        None => Refusal::with_help(
            "it exports no event, so it hears nothing",
            format!("export an interface of {PACKAGE}@{VERSION}, such as `transport-submit`"),
        ),
    }
}

/// Whether this server has the interface in that version; if not, the reason is noted.
fn fits(own: &str, version: Option<&str>, does: &str, known: &Known, contract: &mut Contract) -> bool {
    if version.is_some_and(|version| version != VERSION) {
        let version = version.unwrap_or_default();
        let text = format!("it {does} `{own}` of version {version}; this server speaks {VERSION}");
        contract.refusals.push(Refusal::with_help(text, format!("build it against wit/{}", &VERSION[..3])));
        return false;
    }
    if !known.interfaces.contains_key(own) {
        let near =
            suggest(own, known.interfaces.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        let text = format!("it {does} `{own}`, which {PACKAGE}@{VERSION} does not have");
        contract.refusals.push(Refusal { text, help: near });
        return false;
    }
    true
}

/// Compares types and functions, those that the component has.
fn compare(resolve: &Resolve, id: InterfaceId, own: &str, known: &Known, contract: &mut Contract) {
    let Some(ours) = known.interfaces.get(own) else { return };
    for (name, theirs) in items(resolve, id) {
        let text = match ours.get(&name) {
            Some(ours) if *ours == theirs => continue,
            Some(ours) => format!("`{own}` differs: it has `{theirs}`, and {PACKAGE}@{VERSION} has `{ours}`"),
            None => format!("`{own}` has `{theirs}`, which {PACKAGE}@{VERSION} does not have"),
        };
        contract.refusals.push(Refusal::new(text));
    }
}

/// The interfaces of this server: by name, their types and functions as text.
struct Known {
    interfaces: BTreeMap<String, BTreeMap<String, String>>,
}

fn known() -> Result<&'static Known, Refusal> {
    static KNOWN: OnceLock<Result<Known, String>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let mut map = wit_parser::SourceMap::new();
        WIT.iter().for_each(|(name, text)| map.push_str(name, *text));
        let group = map.parse().map_err(|(_, e)| format!("{e:?}"))?;
        let mut resolve = Resolve::default();
        resolve.push_group(group).map_err(|e| format!("{e:#}"))?;
        let named = |(id, interface): (InterfaceId, &wit_parser::Interface)| {
            Some((interface.name.clone()?, items(&resolve, id)))
        };
        Ok(Known { interfaces: resolve.interfaces.iter().filter_map(named).collect() })
    });
    known.as_ref().map_err(|why| Refusal::new(format!("the server's own WIT can't be read: {why}")))
}

/// The name of an import or export without version, and the version.
fn name(resolve: &Resolve, key: &WorldKey) -> (String, Option<String>) {
    let full = resolve.name_world_key(key);
    match full.split_once('@') {
        Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
        None => (full, None),
    }
}

/// Types and functions of an interface as text, by name. Names that only stand for a type of another interface are left out.
fn items(resolve: &Resolve, id: InterfaceId) -> BTreeMap<String, String> {
    let interface = &resolve.interfaces[id];
    let types = interface.types.iter().filter_map(|(name, id)| {
        let text = definition(resolve, name, &resolve.types[*id].kind)?;
        Some((format!("type {name}"), text))
    });
    let functions = interface.functions.iter().map(|(name, f)| (name.clone(), signature(resolve, f)));
    types.chain(functions).collect()
}

fn definition(resolve: &Resolve, name: &str, kind: &TypeDefKind) -> Option<String> {
    let payload = |ty: &Option<Type>| ty.as_ref().map_or_else(String::new, |ty| format!("({})", text(resolve, ty)));
    Some(match kind {
        TypeDefKind::Type(_) => return None,
        TypeDefKind::Resource => format!("resource {name}"),
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|f| format!("{}: {}", f.name, text(resolve, &f.ty)));
            format!("record {name} {{ {} }}", joined(fields))
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|c| format!("{}{}", c.name, payload(&c.ty)));
            format!("variant {name} {{ {} }}", joined(cases))
        }
        TypeDefKind::Enum(it) => format!("enum {name} {{ {} }}", joined(it.cases.iter().map(|c| c.name.clone()))),
        TypeDefKind::Flags(it) => format!("flags {name} {{ {} }}", joined(it.flags.iter().map(|f| f.name.clone()))),
        other => format!("type {name} = {}", structure(resolve, other)),
    })
}

fn signature(resolve: &Resolve, f: &Function) -> String {
    let params = f.params.iter().map(|p| format!("{}: {}", p.name, text(resolve, &p.ty)));
    let result = f.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", text(resolve, ty)));
    let name = f.name.rsplit(']').next().unwrap_or(&f.name);
    format!("{name}: func({}){result}", joined(params))
}

fn text(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => {
            let definition = &resolve.types[*id];
            definition.name.clone().unwrap_or_else(|| structure(resolve, &definition.kind))
        }
        Type::Bool => "bool".to_owned(),
        Type::String => "string".to_owned(),
        other => format!("{other:?}").to_ascii_lowercase(),
    }
}

fn structure(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let or_blank = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), |ty| text(resolve, ty));
    let named = |id| resolve.types[id].name.clone().unwrap_or_default();
    match kind {
        TypeDefKind::Option(ty) => format!("option<{}>", text(resolve, ty)),
        TypeDefKind::List(ty) => format!("list<{}>", text(resolve, ty)),
        TypeDefKind::Result(it) => match (&it.ok, &it.err) {
            (None, None) => "result".to_owned(),
            (ok, None) => format!("result<{}>", or_blank(ok)),
            (ok, err) => format!("result<{}, {}>", or_blank(ok), or_blank(err)),
        },
        TypeDefKind::Tuple(it) => format!("tuple<{}>", joined(it.types.iter().map(|ty| text(resolve, ty)))),
        TypeDefKind::Handle(Handle::Own(id)) => named(*id),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", named(*id)),
        TypeDefKind::Type(ty) => text(resolve, ty),
        other => other.as_str().to_owned(),
    }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
