//! A manifest with everything that it includes, as plain data with places.
//!
//! One pass notes everything that is wrong with the shape: unknown keys, wrong kinds of values, names that come twice,
//! includes that go in circles. The order of the sinks is that of the file, then that of what it includes, in the order
//! of the `include` list and, within a pattern, of the file names.

use super::include;
use super::sink_schema::{self, SinkDecl};
use crate::config::reader::Table;
use crate::config::{self, Diagnostics, Node, SourceId, Span, path, values};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Files within files. More is a mistake.
const DEPTH_MAX: usize = 16;

/// All sinks that are declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// The sinks, in manifest order. No name comes twice.
    pub sinks: Vec<SinkDecl>,
    /// The files that they were read from, the manifest itself first.
    pub files: Vec<ManifestFile>,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct ManifestFile {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub source: SourceId,
}

/// The text's number says nothing.
impl PartialEq for ManifestFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Manifest {
    /// Reads a manifest and what it includes, noting what is wrong. There may be a manifest in spite of errors, so that
    /// more can be checked against it; it must not be used.
    pub fn read(path: &Path, found: &mut Diagnostics) -> Option<Self> {
        let id = found.open(path, None)?;
        Some(Self::from_source(path, id, found))
    }

    /// Checks a text as if it stood in the file `path`.
    pub fn parse(path: &Path, text: &str, found: &mut Diagnostics) -> Self {
        let id = found.sources.add(path.display().to_string(), text);
        Self::from_source(path, id, found)
    }

    fn from_source(path: &Path, id: SourceId, found: &mut Diagnostics) -> Self {
        let mut reader = Reader { manifest: Self::default(), names: HashMap::new(), open: Vec::new(), found };
        reader.file(path, id);
        reader.manifest
    }
}

struct Reader<'a> {
    manifest: Manifest,
    /// Where each name was declared.
    names: HashMap<String, Span>,
    /// The files that are being read, each included by the one before.
    open: Vec<PathBuf>,
    found: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, source: SourceId) {
        self.manifest.files.push(ManifestFile { path: path.to_owned(), source });
        let Some(root) = config::parse(source, self.found) else { return };
        let folder = path::folder(path);
        let parts = Table::read(&root, self.found, |table, found| {
            let sinks = table.tables("sink", found, |table, found| sink_schema::read(table, folder, found));
            let include = table.list("include", found, |node, found| pattern(node, folder, found));
            (sinks, include.unwrap_or_default())
        });
        let Some((sinks, includes)) = parts else { return };
        for sink in sinks.into_iter().flatten() {
            self.add(sink);
        }
        self.open.push(path.to_owned());
        for (pattern, at) in includes {
            self.include(&pattern, at);
        }
        self.open.pop();
    }

    fn add(&mut self, sink: SinkDecl) {
        if let Some(before) = self.names.insert(sink.name.value.clone(), sink.name.span) {
            let sources = &self.found.sources;
            let line = sources.line_column(before).map_or(0, |(line, _)| line);
            let label = format!("already at {}:{line}", sources.name(before.source));
            self.found.error(sink.name.span, format!("two sinks are named `{}`", sink.name.value)).label(label);
            return;
        }
        self.manifest.sinks.push(sink);
    }

    fn include(&mut self, pattern: &Path, at: Span) {
        if self.open.len() >= DEPTH_MAX {
            self.found.error(at, format!("files are included more than {DEPTH_MAX} deep"));
            return;
        }
        match include::expand(pattern) {
            Ok(files) => files.iter().for_each(|file| self.include_one(file, at)),
            Err(fault) => {
                self.found.warning(at, format!("`{}` matches no file: {fault}", pattern.display()));
            }
        }
    }

    fn include_one(&mut self, file: &Path, at: Span) {
        let same = |other: &Path| include::is_same(other, file);
        let shown = file.display();
        if self.open.iter().any(|open| same(open)) {
            let told = self.found.error(at, format!("`{shown}` would include itself"));
            told.help("remove the include, or make the pattern match less");
        } else if self.manifest.files.iter().any(|read| same(&read.path)) {
            let told = self.found.error(at, format!("`{shown}` is included twice"));
            told.help("remove one of the includes, or make the pattern match less");
        } else if let Some(id) = self.found.open(file, Some(at)) {
            self.file(file, id);
        }
    }
}

fn pattern(node: &Node, folder: &Path, found: &mut Diagnostics) -> Option<(PathBuf, Span)> {
    let text = values::string(node, found)?;
    if text.contains("**") {
        found.error(node.span, "`**` has no meaning here").help("name each level: \"sinks.d/*/*.toml\"");
        return None;
    }
    path::below(folder, node, found).map(|path| (path, node.span))
}

#[cfg(test)]
mod tests {
    use super::super::{Reuse, Source};
    use super::*;
    use std::fs;
    use std::time::Duration;

    fn parse(name: &str, text: &str) -> (Manifest, Diagnostics) {
        let mut found = Diagnostics::default();
        (Manifest::parse(Path::new(name), text, &mut found), found)
    }

    /// Writes files into a fresh folder and reads `sinks.toml` there; the answer is the names and what was told.
    fn read(files: &[(&str, &str)]) -> (Vec<String>, String) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut found = Diagnostics::default();
        let manifest = Manifest::read(&dir.path().join("sinks.toml"), &mut found).unwrap();
        let names = manifest.sinks.into_iter().map(|s| s.name.value).collect();
        (names, found.to_string().replace(&format!("{}/", dir.path().display()), ""))
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let (manifest, found) =
            parse("/etc/m/sinks.toml", "[[sink]]\nname = 'a'\nnative = 'log'\n[[sink.on]]\nevent = 'in.mail'\n");
        assert!(found.is_empty(), "{found}");
        let sink = &manifest.sinks[0];
        assert_eq!(
            (sink.reuse, sink.limits.memory, sink.limits.cpu),
            (Reuse::Call, 64 << 20, Duration::from_millis(250))
        );
        assert_eq!((sink.enabled, sink.folder.as_path()), (true, Path::new("/etc/m")));
        let on = &sink.on[0];
        assert_eq!((on.priority, on.always, on.enabled, on.deadline), (24_575, false, true, None));
    }

    #[test]
    fn json_says_the_same_as_toml() {
        let toml = "[[sink]]\nname = 'd'\nmodule = 'm/d.wasm'\nreuse = 'pool'\n[sink.config]\ntext = 'x'\n[sink.tables]\n\
            vips = 'v.txt'\n[sink.allow]\nkv = true\nhttp = ['https://a.example']\n[[sink.on]]\nevent = 'in.rcpt'\n\
            priority = 0\nwhen = { sender = ['*@x', '<>'] }\ndeadline = '1 s'\non-fault = 'reject'\nalways = true\n";
        let json = r#"{"sink": [{"name": "d", "module": "m/d.wasm", "reuse": "pool", "config": {"text": "x"},
            "tables": {"vips": "v.txt"}, "allow": {"http": ["https://a.example"], "kv": true}, "on": [{"event": "in.rcpt",
            "priority": 0, "when": {"sender": ["*@x", "<>"]}, "deadline": "1 s", "on-fault": "reject", "always": true}]}]}"#;
        let ((toml, a), (json, b)) = (parse("x/sinks.toml", toml), parse("x/sinks.json", json));
        assert!(a.is_empty() && b.is_empty(), "{a}{b}");
        assert_eq!(toml.sinks, json.sinks);
        assert_eq!(toml.sinks[0].source.value, Source::Module("x/m/d.wasm".into()));
        assert_eq!(toml.sinks[0].tables[0].path.value, Path::new("x/v.txt"));
    }

    #[test]
    fn included_sinks_come_behind_and_their_paths_start_at_their_file() {
        let sink = |name: &str| format!("[[sink]]\nname = '{name}'\nnative = 'log'\n");
        let (names, told) = read(&[
            ("sinks.toml", &format!("include = ['d/*.toml', 'last.json']\n{}", sink("own"))),
            ("d/20.toml", &sink("twenty")),
            ("d/10.toml", &format!("include = ['more/x.toml']\n{}", sink("ten"))),
            ("d/more/x.toml", &sink("x")),
            ("last.json", "{\"sink\": [{\"name\": \"last\", \"native\": \"log\"}]}"),
        ]);
        assert_eq!((names.join(" "), told.as_str()), ("own ten x twenty last".to_owned(), ""));
    }

    #[test]
    fn circles_and_doubles_are_told_and_end() {
        let (_, told) =
            read(&[("sinks.toml", "include = ['*.toml']\n"), ("b.toml", "include = ['sinks.toml', 'b.toml']\n")]);
        assert_eq!(told.matches("would include itself").count(), 3, "{told}");
        let (_, told) = read(&[("sinks.toml", "include = ['b.toml', './b.toml']\n"), ("b.toml", "")]);
        assert_eq!(told.matches("is included twice").count(), 1, "{told}");
    }

    #[test]
    fn a_chain_of_files_has_an_end() {
        let mut files = vec![("sinks.toml".to_owned(), "include = ['0.toml']\n".to_owned())];
        files.extend((0..30).map(|n| (format!("{n}.toml"), format!("include = ['{}.toml']\n", n + 1))));
        let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert!(read(&files).1.contains("more than 16 deep"));
    }
}
