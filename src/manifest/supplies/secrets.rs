//! Secrets in `[sink.config]`: a table `{ secret = "name" }` stands for the text of a file.
//!
//! The file is `name` in the folder of the service manager's credentials, if there is one, or else `secrets/name` beside the
//! file that declares the sink. It is watched like any other. A line end at its end does not belong to it.

use crate::config::secret::{Secret, Secrets};
use crate::config::tree::{Field, Fields};
use crate::config::{Diagnostics, Node, Severity, Span, Value};
use crate::event::Files;
use crate::manifest::SinkDecl;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The longest name of a secret.
const NAME_MAX: usize = 64;
/// The longest secret, in octets.
const SECRET_MAX: u64 = 64 * 1024;
/// The largest configuration of a sink, secrets included, in octets: keys, strings, and eight for every other value.
const CONFIG_MAX: usize = 1024 * 1024;

/// A sink's configuration as the sink gets it.
#[derive(Default)]
pub(in crate::manifest) struct Resolved {
    /// With the texts in place of the names. Not to be shown.
    pub(in crate::manifest) config: Option<Node>,
    /// What must not be shown.
    pub(in crate::manifest) secrets: Secrets,
}

/// Puts the secrets into a sink's configuration. Nothing if one is missing or the whole is too large, noted in `found`.
pub(in crate::manifest) fn resolve(
    decl: &SinkDecl,
    credentials: Option<&Path>,
    files: &mut Files,
    found: &mut Diagnostics,
) -> Option<Resolved> {
    let Some(config) = &decl.config else { return Some(Resolved::default()) };
    let before = found.count(Severity::Error);
    let mut resolver = Resolver { decl, credentials, files, found, secrets: Secrets::default() };
    let value = resolver.inside(&config.value);
    let config = Node { span: config.span, value };
    let secrets = resolver.secrets;
    if octets(&config) > CONFIG_MAX {
        let told = found.error(config.span, format!("the configuration of sink `{}` is too large", decl.name.value));
        told.label("must be at most 1 MiB").help("put what is long into a table or a file that the sink reads");
    }
    (found.count(Severity::Error) == before).then_some(Resolved { config: Some(config), secrets })
}

struct Resolver<'a> {
    decl: &'a SinkDecl,
    credentials: Option<&'a Path>,
    files: &'a mut Files,
    found: &'a mut Diagnostics,
    secrets: Secrets,
}

impl Resolver<'_> {
    /// The parsers bound the depth, so the recursion is bounded too.
    fn node(&mut self, node: &Node) -> Node {
        let value = match secret_of(node) {
            Some(named) => Value::String(self.secret(named)),
            None => self.inside(&node.value),
        };
        Node { span: node.span, value }
    }

    /// The configuration itself is a table, whatever its keys are.
    fn inside(&mut self, value: &Value) -> Value {
        match value {
            Value::Array(nodes) => Value::Array(nodes.iter().map(|node| self.node(node)).collect()),
            Value::Table(fields) => {
                let field = |f: &Field| Field { key: f.key.clone(), key_span: f.key_span, node: self.node(&f.node) };
                Value::Table(Fields::new(fields.iter().map(field).collect()))
            }
            other => other.clone(),
        }
    }

    /// The text of a secret; none, with an error noted, if it can't be had.
    fn secret(&mut self, named: &Node) -> String {
        let Some(name) = named.as_str().filter(|name| is_name(name)) else {
            let told = self.found.error(named.span, "this can't be the name of a secret");
            told.help("a name has at most 64 letters, digits, `_`, `-` and `.`, and does not begin with a dot");
            return String::new();
        };
        let credential = self.credentials.map(|folder| folder.join(name)).filter(|path| path.exists());
        let path = credential.clone().unwrap_or_else(|| Path::new("secrets").join(name));
        match self.read(&path, credential.is_some(), named.span) {
            Ok(text) => {
                self.secrets.add(Secret::new(text.as_str()));
                text
            }
            Err(why) => {
                let full = self.decl.folder.join(&path);
                let told = self.found.error(named.span, format!("the secret `{name}` can't be read: {why}"));
                told.help(format!(
                    "put it into `{}`, which only the user that runs the server may read",
                    full.display()
                ));
                String::new()
            }
        }
    }

    fn read(&mut self, path: &Path, credential: bool, named_at: Span) -> Result<String, String> {
        let full = self.decl.folder.join(path);
        if let Ok(meta) = std::fs::metadata(&full) {
            self.look_at(&full, &meta, named_at)?;
        }
        let text = path.to_string_lossy();
        let bytes = if credential { self.files.read_credential(&text) } else { self.files.read(&text) }?;
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
    }

    fn look_at(&mut self, path: &Path, meta: &Metadata, named_at: Span) -> Result<(), String> {
        if meta.len() > SECRET_MAX {
            return Err(format!("it has {} octets, and {SECRET_MAX} are allowed", meta.len()));
        }
        if meta.mode() & 0o006 != 0 {
            let told = self.found.warning(named_at, "anybody on this machine can read or change the secret");
            told.help(format!("chmod o= {}", path.display()));
        }
        Ok(())
    }
}

/// What names the secret, if the node stands for one: the only key of the table is `secret`.
fn secret_of(node: &Node) -> Option<&Node> {
    let fields = node.as_table().filter(|fields| fields.len() == 1)?;
    fields.get("secret").map(|field| &field.node)
}

fn is_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    !name.is_empty() && name.len() <= NAME_MAX && !name.starts_with('.') && name.bytes().all(inner)
}

fn octets(node: &Node) -> usize {
    match &node.value {
        Value::String(text) | Value::Datetime(text) => text.len(),
        Value::Array(nodes) => nodes.iter().map(octets).sum(),
        Value::Table(fields) => fields.iter().map(|field| field.key.len() + octets(&field.node)).sum(),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => 8,
    }
}
