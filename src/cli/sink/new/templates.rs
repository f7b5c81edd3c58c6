//! The skeletons that ship, by language. They lie in `sinks/templates`, whose README says which words stand for what.

use clap::ValueEnum;

/// What a sink can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    /// JavaScript without a toolchain
    Script,
    /// Rust, with the SDK
    Rust,
    /// C, with clang and a header
    C,
    /// JavaScript, with componentize-js
    Js,
    /// TypeScript, with componentize-js
    Ts,
    /// Python, with componentize-py
    Python,
    /// Go, with the bindings of Mailsluice's sources
    Go,
}

/// One language.
pub(super) struct Template {
    pub(super) lang: Lang,
    /// Path and text; both may have words to replace.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// The piece for each event: one for all, or each behind a line `//@ in.rcpt`.
    pub(super) handlers: &'static str,
    /// Whether its toolchain reads the WIT.
    pub(super) wit: bool,
}

macro_rules! text {
    ($path:literal) => {
        include_str!(concat!("../../../../sinks/templates/", $path))
    };
}

/// What every folder has.
pub(super) const DIALOGUE: &str = text!("dialogue.smtp");
/// The piece of a manifest for each event.
pub(super) const BINDING: &str = text!("binding.toml");

/// All languages.
pub(super) const TEMPLATES: &[Template] = &[
    Template {
        lang: Lang::Script,
        files: &[
            ("{name}.js", text!("script/main.js")),
            ("sink.toml", text!("script/sink.toml")),
            ("README.md", text!("script/README.md")),
        ],
        handlers: text!("script/handlers.js"),
        wit: false,
    },
    Template {
        lang: Lang::Rust,
        files: &[
            ("Cargo.toml", text!("rust/Cargo.toml")),
            ("src/lib.rs", text!("rust/src/lib.rs")),
            ("sink.toml", text!("rust/sink.toml")),
            ("README.md", text!("rust/README.md")),
            (".gitignore", text!("rust/gitignore")),
        ],
        handlers: text!("rust/handler.rs"),
        wit: true,
    },
    Template {
        lang: Lang::C,
        files: &[
            ("main.c", text!("c/main.c")),
            ("build.sh", text!("c/build.sh")),
            ("sink.toml", text!("c/sink.toml")),
            ("README.md", text!("c/README.md")),
            (".gitignore", text!("c/gitignore")),
        ],
        handlers: text!("c/handlers.c"),
        wit: true,
    },
    Template {
        lang: Lang::Js,
        files: &[
            ("main.js", text!("js/main.js")),
            ("package.json", text!("js/package.json")),
            ("sink.toml", text!("js/sink.toml")),
            ("README.md", text!("js/README.md")),
            (".gitignore", text!("js/gitignore")),
        ],
        handlers: text!("js/handlers.js"),
        wit: true,
    },
    Template {
        lang: Lang::Ts,
        files: &[
            ("main.ts", text!("ts/main.ts")),
            ("package.json", text!("ts/package.json")),
            ("tsconfig.json", text!("ts/tsconfig.json")),
            ("sink.toml", text!("ts/sink.toml")),
            ("README.md", text!("ts/README.md")),
            (".gitignore", text!("ts/gitignore")),
        ],
        handlers: text!("ts/handlers.ts"),
        wit: true,
    },
    Template {
        lang: Lang::Python,
        files: &[
            ("app.py", text!("python/app.py")),
            ("requirements.txt", text!("python/requirements.txt")),
            ("sink.toml", text!("python/sink.toml")),
            ("README.md", text!("python/README.md")),
            (".gitignore", text!("python/gitignore")),
        ],
        handlers: text!("python/handlers.py"),
        wit: true,
    },
    Template {
        lang: Lang::Go,
        files: &[
            ("main.go", text!("go/main.go")),
            ("build.sh", text!("go/build.sh")),
            ("sink.toml", text!("go/sink.toml")),
            ("README.md", text!("go/README.md")),
            (".gitignore", text!("go/gitignore")),
        ],
        handlers: text!("go/handlers.go"),
        wit: false,
    },
];

/// The WIT of this version, by file.
pub(super) const WIT: &[(&str, &str)] = &[
    ("types.wit", include_str!("../../../../wit/1.0/types.wit")),
    ("host.wit", include_str!("../../../../wit/1.0/host.wit")),
    ("events.wit", include_str!("../../../../wit/1.0/events.wit")),
    ("worlds.wit", include_str!("../../../../wit/1.0/worlds.wit")),
];

impl Template {
    /// The skeleton of a language.
    pub(super) fn of(lang: Lang) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.lang == lang)
    }

    /// The piece of an event. Nothing if the language has none for it.
    pub(super) fn handler(&self, event: &str) -> Option<&'static str> {
        if !self.handlers.starts_with("//@ ") {
            return Some(self.handlers);
        }
        let mut pieces = self.handlers.split("//@ ").filter_map(|piece| piece.split_once('\n'));
        pieces.find(|(name, _)| name.trim() == event).map(|(_, text)| text)
    }
}
