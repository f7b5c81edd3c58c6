//! `[[sink]]`: one sink as it is declared.

use super::binding_schema::{self, BindingDecl};
use crate::config::reader::Table;
use crate::config::{Diagnostics, Node, Spanned, path, values};
use crate::event::Reuse;
use crate::event::host::WebOrigin;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A declared sink. Two are equal if they say the same, wherever it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkDecl {
    /// `name`: of `a` to `z`, digits, `_` and `-`; unique.
    pub name: Spanned<String>,
    /// The folder of the declaring file: where relative paths in its configuration and rules start.
    pub folder: PathBuf,
    /// `module`, `script` or `native`: where its code is.
    pub source: Spanned<Source>,
    /// `digest`: what the bytes of its file must hash to. Default: whatever they do.
    pub digest: Option<Spanned<blake3::Hash>>,
    /// `reuse`: how long an instance lives. Modules and scripts only.
    pub reuse: Reuse,
    /// `config`: handed to the sink.
    pub config: Option<Node>,
    /// `tables`: lists that the host reads for the sink.
    pub tables: Vec<TableDecl>,
    /// `limits`. Modules and scripts only.
    pub limits: SinkLimits,
    /// `allow`.
    pub allow: Allow,
    /// `enabled`: if false, checked but bound to nothing. Default: true.
    pub enabled: bool,
    /// `[[sink.on]]`. Empty: bound to every event that it exports, with defaults.
    pub on: Vec<BindingDecl>,
}

/// Where the code of a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A WebAssembly component or core module.
    Module(PathBuf),
    /// A script.
    Script(PathBuf),
    /// Compiled in, under this name.
    Native(String),
}

/// A list that the host reads for a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct TableDecl {
    /// The name by which the sink asks for it.
    pub name: Spanned<String>,
    /// The file.
    pub path: Spanned<PathBuf>,
}

/// What a module or script may use up in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkLimits {
    /// `memory`: octets. Default: 64 MiB.
    pub memory: u64,
    /// `cpu`: its own time, that of host calls not counted. Default: 250 ms.
    pub cpu: Duration,
    /// `output`: octets that its changes may carry. Default: 32 MiB.
    pub output: u64,
    /// `concurrency`: calls at a time; others wait. Default: 64.
    pub concurrency: usize,
}

/// What a sink may reach. Nothing unless granted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Allow {
    /// `kv`: its share of the key-value store.
    pub kv: bool,
    /// `submit`: to generate messages.
    pub submit: bool,
    /// `relay`: to vouch for a recipient that the relay check denies.
    pub relay: bool,
    /// `properties`: to set the properties of other sinks, as `sink:key`.
    pub properties: bool,
    /// `http`: origins, `https://host` or `https://host:port`.
    pub http: Vec<Spanned<WebOrigin>>,
    /// `dns`: to ask the DNS.
    pub dns: bool,
    /// `queue`: to have tried what waits for a domain. Native sinks only.
    pub queue: bool,
    /// `metrics`: to publish numbers about itself.
    pub metrics: bool,
    /// `clock`: to know the time. Native sinks always do.
    pub clock: bool,
    /// `random`: to draw random numbers. Native sinks always can.
    pub random: bool,
}

const NAME_MAX: usize = 64;
const SOURCES: [&str; 3] = ["module", "script", "native"];
const REUSES: &[(&str, Reuse)] = &[("call", Reuse::Call), ("transaction", Reuse::Transaction), ("pool", Reuse::Pool)];

/// Reads one; nothing if it has no usable name or source.
pub(super) fn read(table: &mut Table<'_>, folder: &Path, found: &mut Diagnostics) -> Option<SinkDecl> {
    let name = table.require("name", found, name);
    let source = source(table, folder, found);
    if matches!(&source, Some(Spanned { value: Source::Native(_), .. })) {
        sandboxed_only(table, found);
    }
    let decl = SinkDecl {
        digest: table.get("digest", found, digest),
        reuse: table.get("reuse", found, values::choice(REUSES)).unwrap_or_default(),
        config: table.get("config", found, config),
        tables: table.get("tables", found, |node, found| tables(node, folder, found)).unwrap_or_default(),
        limits: table.section("limits", found, limits),
        allow: table.section("allow", found, allow),
        enabled: table.get("enabled", found, values::boolean).unwrap_or(true),
        on: table.tables("on", found, binding_schema::read).into_iter().flatten().collect(),
        folder: folder.to_owned(),
        name: name?,
        source: source?,
    };
    Some(decl)
}

fn name(node: &Node, found: &mut Diagnostics) -> Option<Spanned<String>> {
    let text = values::string(node, found)?;
    let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if text.starts_with(['_', '-']) || text.is_empty() || text.len() > NAME_MAX || !text.bytes().all(inner) {
        let told = found.error(node.span, format!("`{text}` can't be the name of a sink"));
        told.help(
            "a name begins with a to z or a digit, goes on with these, `_` or `-`, and has at most 64 characters",
        );
        return None;
    }
    Some(Spanned { span: node.span, value: text })
}

fn source(table: &mut Table<'_>, folder: &Path, found: &mut Diagnostics) -> Option<Spanned<Source>> {
    let present: Vec<&'static str> = SOURCES.into_iter().filter(|key| table.field(key).is_some()).collect();
    let [kind] = present[..] else {
        let help = "a sink has exactly one of `module`, `script` and `native`";
        match present.last().and_then(|key| table.field(key)) {
            Some(second) => found.error(second.key_span, "the sink has more than one source").help(help),
            None => found.error(table.span(), "the sink has no source").help(help),
        };
        return None;
    };
    let node = table.node(kind)?;
    let value = match kind {
        "module" => Source::Module(path::below(folder, node, found)?),
        "script" => Source::Script(path::below(folder, node, found)?),
        _ => Source::Native(values::string(node, found)?),
    };
    Some(Spanned { span: node.span, value })
}

/// What would silently do nothing on a native sink is refused there.
fn sandboxed_only(table: &mut Table<'_>, found: &mut Diagnostics) {
    for key in ["digest", "reuse", "limits"] {
        if let Some(field) = table.field(key) {
            let told = found.error(field.key_span, format!("`{key}` has no effect on a native sink"));
            told.help("it is for modules and scripts; remove it");
        }
    }
}

fn digest(node: &Node, found: &mut Diagnostics) -> Option<Spanned<blake3::Hash>> {
    let text = values::string(node, found)?;
    let hash = text.strip_prefix("blake3:").and_then(|hex| blake3::Hash::from_hex(hex).ok());
    if hash.is_none() {
        let told = found.error(node.span, "this is not a digest");
        told.help("write `blake3:` and the 64 hexadecimal digits that `b3sum` prints");
    }
    hash.map(|value| Spanned { span: node.span, value })
}

fn config(node: &Node, found: &mut Diagnostics) -> Option<Node> {
    if node.as_table().is_none() {
        values::wrong_kind(node, "a table", found);
        return None;
    }
    Some(node.clone())
}

fn tables(node: &Node, folder: &Path, found: &mut Diagnostics) -> Option<Vec<TableDecl>> {
    let Some(fields) = node.as_table() else {
        values::wrong_kind(node, "a table of names and files", found);
        return None;
    };
    let one = |field: &crate::config::tree::Field| {
        let name = Spanned { span: field.key_span, value: field.key.clone() };
        let path = path::below(folder, &field.node, found)?;
        Some(TableDecl { name, path: Spanned { span: field.node.span, value: path } })
    };
    Some(fields.iter().filter_map(one).collect())
}

fn limits(table: &mut Table<'_>, found: &mut Diagnostics) -> SinkLimits {
    SinkLimits {
        // A page of WebAssembly has 64 KiB, and its memory at most 65,536 of them.
        memory: table.get("memory", found, values::size_between(64 << 10, 4 << 30)).unwrap_or(64 << 20),
        cpu: table.get("cpu", found, cpu).unwrap_or(Duration::from_millis(250)),
        output: table.get("output", found, values::size).unwrap_or(32 << 20),
        concurrency: table.get("concurrency", found, values::integer(1..=250)).unwrap_or(64),
    }
}

/// Time is looked at in steps: less can't be told from nothing.
fn cpu(node: &Node, found: &mut Diagnostics) -> Option<Duration> {
    const LEAST: Duration = Duration::from_millis(10);
    let time = values::duration(node, found)?;
    if time < LEAST {
        found.error(node.span, "`cpu` is counted in steps of 5 ms, and must be 10 ms or more");
        return None;
    }
    Some(time)
}

fn allow(table: &mut Table<'_>, found: &mut Diagnostics) -> Allow {
    let mut granted = |key, found: &mut Diagnostics| table.get(key, found, values::boolean).unwrap_or(false);
    Allow {
        kv: granted("kv", found),
        submit: granted("submit", found),
        relay: granted("relay", found),
        properties: granted("properties", found),
        dns: granted("dns", found),
        queue: granted("queue", found),
        metrics: granted("metrics", found),
        clock: granted("clock", found),
        random: granted("random", found),
        http: table.list("http", found, origin).unwrap_or_default(),
    }
}

/// An origin: scheme and host, nothing behind.
fn origin(node: &Node, found: &mut Diagnostics) -> Option<Spanned<WebOrigin>> {
    let text = values::string(node, found)?;
    let parsed = WebOrigin::parse(&text);
    if let Err(why) = &parsed {
        let told = found.error(node.span, format!("`{text}` is not an origin: {why}"));
        told.help("write scheme and host only, such as \"https://policy.example.com\"");
    }
    Some(Spanned { span: node.span, value: parsed.ok()? })
}
