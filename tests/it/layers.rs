//! Imports only go upwards through the layers, and the protocol touches no world.
//!
//! Reads the sources as text: what counts is every path that begins with `crate::`, and every `super::` that leads to the root.
//! Comments don't count, so that documentation may point downwards. Macros that build paths out of pieces would escape it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms of each layer. A room may name those of its own layer and of the ones before it.
const LAYERS: [&[&str]; 10] = [
    &["mail"],
    &["smtp"],
    &["disk", "sasl", "accounts"],
    &["config", "event", "spool"],
    &["directory", "kv", "dns", "http", "tls", "builtin", "wasm"],
    &["snapshot"],
    &["intake"],
    &["server", "pickup", "transport", "acme"],
    &["manifest", "admin"],
    &["main", "cli"],
];

/// What a room may not name although its layer would let it.
const APART: [(&str, &str); 5] =
    [("server", "transport"), ("transport", "server"), ("config", "event"), ("spool", "event"), ("event", "spool")];

/// What rooms without input and output may not name: runtimes, sockets, files and the clock.
const WORLD: [&str; 8] = [
    "tokio",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os::unix::net",
    "std::fs",
    "std::io::Std",
    "SystemTime",
    "Instant",
];

/// One source file, without its comments.
struct Source {
    path: PathBuf,
    /// The modules that lead to it: `["smtp", "session"]`.
    module: Vec<String>,
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    /// Each room that the code names, with the line.
    fn names(&self) -> BTreeSet<(usize, String)> {
        let mut inline = 0;
        let mut names = BTreeSet::new();
        for (number, line) in self.code.lines().enumerate() {
            names.extend(named_after(line, "crate::").map(|room| (number + 1, room)));
            // A module within the file is one step further from the root.
            inline += usize::from(line.trim_end().ends_with('{') && words(line).any(|w| w == "mod"));
            let up = "super::".repeat(self.module.len() + inline);
            if line.contains(&up) {
                names.extend(named_after(line, &up).map(|room| (number + 1, room)));
            }
        }
        names
    }
}

/// The first segments behind each `prefix` in a line; all of them if it is followed by `{a::b, c}` on that line.
fn named_after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    let heads = |tail: &'a str| -> Vec<&'a str> {
        match tail.strip_prefix('{') {
            Some(list) => split_outside_braces(list),
            None => vec![tail],
        }
    };
    line.split(prefix).skip(1).flat_map(heads).filter_map(|path| words(path.trim()).next().map(str::to_owned))
}

fn split_outside_braces(list: &str) -> Vec<&str> {
    let mut depth = 0usize;
    list.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty())
}

/// Joins `use crate::{` lists that rustfmt has broken over lines, so that a line holds a whole path.
fn joined(code: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0i32);
    for line in code.lines() {
        let import = depth > 0 || line.trim_start().trim_start_matches("pub ").starts_with("use ");
        out.push_str(line);
        if import {
            depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
        }
        out.push(if import && depth > 0 { ' ' } else { '\n' });
    }
    out
}

fn without_comments(text: &str) -> String {
    let strip = |line: &str| line.split_once("//").map_or(line, |(code, _)| code).to_owned();
    text.lines().map(strip).collect::<Vec<_>>().join("\n")
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 20, "the sources were not found under {}", root.display());
    found
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let relative = path.strip_prefix(root).unwrap().with_extension("");
            let mut module: Vec<_> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            module.pop_if(|last| last == "mod" || last == "lib");
            let code = joined(&without_comments(&std::fs::read_to_string(&path).unwrap()));
            found.push(Source { path, module, code });
        }
    }
}

fn layer(room: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&room))
}

/// Fails with the whole list, so that one run tells everything.
fn nothing(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_room_has_its_layer() {
    let rooms: BTreeSet<_> = sources().iter().map(|s| s.room().to_owned()).collect();
    nothing(
        rooms.iter().filter(|r| *r != "lib" && layer(r).is_none()).map(|r| format!("src/{r} has no layer")).collect(),
    );
}

#[test]
fn imports_only_go_upwards() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.room() != "lib") {
        for (line, named) in source.names() {
            let (Some(from), Some(to)) = (layer(source.room()), layer(&named)) else { continue };
            let apart = APART.contains(&(source.room(), named.as_str()));
            if from < to || apart {
                wrong.push(format!("{}:{line}: `{}` names `{named}`", source.path.display(), source.room()));
            }
        }
    }
    nothing(wrong);
}

/// Within a layer, too, somebody must come first.
#[test]
fn no_two_rooms_name_each_other() {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let named = source.names().into_iter().map(|(_, room)| room).filter(|room| layer(room).is_some());
        names.entry(source.room().to_owned()).or_default().extend(named);
    }
    let knows = |a: &str, b: &str| names.get(a).is_some_and(|known| known.contains(b));
    let pairs = names.keys().flat_map(|a| names.keys().map(move |b| (a, b))).filter(|(a, b)| a < b);
    nothing(
        pairs.filter(|(a, b)| knows(a, b) && knows(b, a)).map(|(a, b)| format!("`{a}` and `{b}`: both ways")).collect(),
    );
}

#[test]
fn mail_and_smtp_touch_no_world() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| ["mail", "smtp", "sasl"].contains(&s.room())) {
        for (number, line) in source.code.lines().enumerate() {
            let whole = |word: &&&str| match word.contains("::") {
                true => line.contains(**word),
                false => words(line).any(|w| w == **word),
            };
            let named = WORLD.iter().filter(whole);
            wrong.extend(named.map(|word| format!("{}:{}: {word}", source.path.display(), number + 1)));
        }
    }
    nothing(wrong);
}

/// Everybody else has its sinks from the snapshot and does not know where they came from.
#[test]
fn only_the_build_of_the_manifest_names_the_makers_of_sinks() {
    let build = |s: &Source| s.module.starts_with(&["manifest".to_owned(), "build".to_owned()]);
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !build(s)) {
        for (line, named) in source.names() {
            if ["wasm", "builtin"].contains(&named.as_str()) && source.room() != named {
                wrong.push(format!("{}:{line}: names `{named}`", source.path.display()));
            }
        }
    }
    nothing(wrong);
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "use crate::mail::{Id, Reply};\npub use crate::{\n    event::{Event, on},\n    spool,\n};\n\
                let x = crate::smtp::f(crate::config::y); // crate::admin\nmod inner {\nuse super::super::kv;\n";
    let source =
        Source { path: PathBuf::new(), module: vec!["room".to_owned()], code: joined(&without_comments(code)) };
    let names: Vec<_> = source.names().into_iter().map(|(_, room)| room).collect();
    assert_eq!(names, ["mail", "event", "spool", "config", "smtp", "kv"]);
}
