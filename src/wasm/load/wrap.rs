//! What a file is, and core modules made into components: by the type information that their toolchain left in them.

use super::{Refusal, bounds};
use std::borrow::Cow;
use wasi_preview1_component_adapter_provider as adapter;
use wasmparser::{Encoding, Parser, Payload};

const REBUILD: &str =
    "build it with the SDK of its language, for example `cargo build --target wasm32-unknown-unknown`";

pub(super) fn component(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if !bytes.starts_with(b"\0asm") {
        return Err(foreign(bytes));
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => Ok(Cow::Borrowed(bytes)),
        Some(Ok(Payload::Version { encoding: Encoding::Module, .. })) => wrapped(bytes).map(Cow::Owned),
        Some(Err(e)) => Err(Refusal::new(format!("this is not WebAssembly that can be read: {}", e.message()))),
        _ => Err(Refusal::new("this is WebAssembly that ends before it has begun")),
    }
}

/// What a file without the mark of WebAssembly seems to be.
fn foreign(bytes: &[u8]) -> Refusal {
    let text = || std::str::from_utf8(&bytes[..bytes.len().min(256)]).ok().map(str::trim_start);
    match bytes {
        [] => Refusal::new("the file is empty"),
        [0x7f, b'E', b'L', b'F', ..] => Refusal::with_help(
            "this is compiled code (ELF, or a `.cwasm`), which is never loaded",
            "give the `.wasm` that it was made from; the server compiles it itself",
        ),
        _ if text().is_some_and(|t| t.starts_with("(module") || t.starts_with("(component")) => {
            Refusal::with_help("this is WebAssembly as text", "make it binary with `wasm-tools parse`")
        }
        _ if text().is_some_and(|t| t.contains("export ") || t.contains("function ")) => {
            Refusal::with_help("this is not WebAssembly; it looks like a script", "write `script = \"…\"` for `module`")
        }
        _ => Refusal::new("this is not WebAssembly"),
    }
}

/// A core module in a component. The one for WASI preview 1 gets the adapter that speaks preview 2.
fn wrapped(module: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut uses_wasi = false;
    let mut described = false;
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|e| Refusal::new(format!("the module is damaged: {e}")))? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports().flatten() {
                    uses_wasi |= import.module == adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
                }
            }
            Payload::CustomSection(section) => described |= section.name().starts_with("component-type"),
            _ => {}
        }
    }
    if !described {
        return Err(Refusal::with_help("this is a core module without component type information", REBUILD));
    }
    bounds::valid(module)?;
    let mut encoder = wit_component::ComponentEncoder::default().module(module).map_err(told)?;
    if uses_wasi {
        let bytes = adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
        encoder = encoder.adapter(adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, bytes).map_err(told)?;
    }
    encoder.encode().map_err(told)
}

/// Why a module does not fit the types that it came with. Where the encoder was when it found out is nobody's business.
fn told(error: anyhow::Error) -> Refusal {
    let frames = ["failed to decode world from module", "module was not valid"];
    let causes: Vec<String> =
        error.chain().map(ToString::to_string).filter(|it| !frames.contains(&it.as_str())).collect();
    let text = format!("the core module is not what its type information says: {}", causes.join(": "));
    Refusal::with_help(text, REBUILD)
}
