//! Scripts: their sources, and what the script host is told when it is loaded.

use super::code::Code;
use super::guest::Guest;
use super::terms::Terms;
use crate::event::Fault;
use mailsluice_wit::Grants;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest source of one module, in octets.
const SOURCE_MAX: usize = 1 << 20;
/// Modules that one script may be made of.
const MODULES_MAX: usize = 200;

/// How a script's modules are read while it is loaded.
pub type Reader = Box<dyn FnMut(&Path) -> Result<Vec<u8>, String> + Send>;

/// A script: its main module, by the path that errors show.
pub(super) struct Script {
    pub(super) main: String,
    pub(super) sources: Arc<Sources>,
}

/// The sources of one script. They are read when it is loaded for the first time, and never again: all of its instances have
/// the same.
pub(super) struct Sources {
    known: Mutex<Known>,
}

struct Known {
    texts: BTreeMap<String, Result<String, String>>,
    /// None once the script is loaded.
    reader: Option<Reader>,
}

impl Sources {
    pub(super) fn new(reader: Reader) -> Self {
        Self { known: Mutex::new(Known { texts: BTreeMap::new(), reader: Some(reader) }) }
    }

    /// The source of a module, by the path that the script host made of what was imported.
    pub(super) fn read(&self, path: &str) -> Result<String, String> {
        let path = plain(path)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.texts.get(&path) {
            return text.clone();
        }
        if known.texts.len() >= MODULES_MAX {
            return Err(format!("a script may have {MODULES_MAX} modules"));
        }
        let Some(reader) = &mut known.reader else {
            return Err(format!("`{path}` was not imported when the script was loaded"));
        };
        let text = reader(Path::new(&path)).and_then(text);
        known.texts.insert(path, text.clone());
        text
    }

    /// Nothing more is read.
    pub(super) fn close(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).reader = None;
    }
}

fn text(octets: Vec<u8>) -> Result<String, String> {
    if octets.len() > SOURCE_MAX {
        return Err(format!("{} octets, and {SOURCE_MAX} are allowed", octets.len()));
    }
    String::from_utf8(octets).map_err(|e| format!("not UTF-8 at octet {}", e.utf8_error().valid_up_to()))
}

/// A relative path without detours, and not above where it starts.
fn plain(path: &str) -> Result<String, String> {
    let mut out = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => out.push(part),
            Component::ParentDir if out.pop() => {}
            _ => return Err(format!("`{path}` is not below the folder of the manifest")),
        }
    }
    Ok(out.to_string_lossy().into_owned())
}

impl Guest {
    /// Has the script host run the main module. The events are those for which it has functions.
    pub(super) async fn load(&mut self, code: &Code, script: &Script) -> Result<Vec<String>, Fault> {
        let index = code.exports.load.as_ref().ok_or_else(|| Fault::error("the script host has no loader"))?;
        let Terms { grants: granted, limits, .. } = self.terms();
        let grants = Grants {
            kv: granted.kv.is_some(),
            dns: granted.dns.is_some(),
            http: granted.http.is_some(),
            submit: granted.submit,
            metrics: granted.metrics.is_some(),
            queue: granted.queue.is_some(),
        };
        let params = (script.main.as_str(), grants, limits.memory as u64);
        let (events,) = self.once::<_, (Result<Vec<String>, String>,)>(index, params).await?;
        events.map_err(Fault::error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_once_and_below_the_folder_only() {
        let mut reads = 0;
        let reader = move |path: &Path| {
            reads += 1;
            Ok(format!("{} {reads}", path.display()).into_bytes())
        };
        let sources = Sources::new(Box::new(reader));
        assert_eq!(sources.read("scripts/./a.js").unwrap(), "scripts/a.js 1");
        assert_eq!(sources.read("scripts/x/../a.js").unwrap(), "scripts/a.js 1");
        assert!(sources.read("scripts/../../a.js").is_err());
        assert!(sources.read("/etc/passwd").is_err());
        sources.close();
        assert_eq!(sources.read("scripts/a.js").unwrap(), "scripts/a.js 1");
        assert!(sources.read("scripts/b.js").unwrap_err().contains("was not imported"));
    }
}
