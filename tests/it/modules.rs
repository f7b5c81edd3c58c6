//! Small modules for tests, written as text: core modules with component type information, as a toolchain leaves them.
//!
//! What each does is said by a body of WebAssembly text. It has `$set` and `$log`, and the data below at hand.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

const WIT: [(&str, &str); 3] = [
    ("types.wit", include_str!("../../wit/1.0/types.wit")),
    ("host.wit", include_str!("../../wit/1.0/host.wit")),
    ("events.wit", include_str!("../../wit/1.0/events.wit")),
];

/// A module that sets `X-Mark` to the text at each submission.
pub(crate) fn marks(with: &str) -> Vec<u8> {
    module(with, "", "(call $set (local.get 0))")
}

/// The same, and it imports `kv`.
pub(crate) fn marks_with_kv(with: &str) -> Vec<u8> {
    let import = r#"(import "mailsluice:sink/kv@1.0.0" "get" (func $get (param i32 i32 i32)))"#;
    module(with, import, "(call $set (local.get 0))")
}

/// A module that logs a text and refuses everything with 550 5.7.1 and the same text.
pub(crate) fn refuses(with: &str) -> Vec<u8> {
    module(with, "", "(call $log (i32.const 1) (i32.const 64) (global.get $len)) (call $reject)")
}

/// A module that logs a text and traps.
pub(crate) fn traps(with: &str) -> Vec<u8> {
    module(with, "", "(call $log (i32.const 3) (i32.const 64) (global.get $len)) (unreachable)")
}

/// A module that hears `transport.submit`. `before` are imports and data, `body` is what it does with the message in local 0.
fn module(text: &str, before: &str, body: &str) -> Vec<u8> {
    let (imports, data) = if before.contains("(import") { (before, "") } else { ("", before) };
    let wat = format!(
        r#"(module
  (import "mailsluice:sink/log@1.0.0" "write" (func $log (param i32 i32 i32)))
  (import "mailsluice:sink/types@1.0.0" "[method]message.set-header"
    (func $set_header (param i32 i32 i32 i32 i32 i32)))
  (import "mailsluice:sink/types@1.0.0" "[resource-drop]message" (func $drop_message (param i32)))
  (import "mailsluice:sink/types@1.0.0" "[resource-drop]session" (func $drop_session (param i32)))
  {imports}
  (memory (export "memory") 16)
  (global $len i32 (i32.const {len}))
  (data (i32.const 32) "X-Mark")
  (data (i32.const 64) "{text}")
  {data}
  ;; The area of the answer: zeroed, it is `next`.
  (func $set (param i32)
    (call $set_header (local.get 0) (i32.const 32) (i32.const 6) (i32.const 64) (global.get $len) (i32.const 4096)))
  (func $reject
    (i32.store8 (i32.const 1032) (i32.const 3))
    (i32.store8 (i32.const 1040) (i32.const 1))
    (i32.store16 (i32.const 1044) (i32.const 550))
    (i32.store8 (i32.const 1046) (i32.const 1))
    (i32.store8 (i32.const 1048) (i32.const 5))
    (i32.store16 (i32.const 1050) (i32.const 7))
    (i32.store16 (i32.const 1052) (i32.const 1))
    (i32.store (i32.const 1056) (i32.const 64))
    (i32.store (i32.const 1060) (global.get $len)))
  (func (export "mailsluice:sink/transport-submit@1.0.0#handle") (param i32 i32) (result i32)
    {body}
    (call $drop_message (local.get 0))
    (call $drop_session (local.get 1))
    (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1000000)))"#,
        len = text.len(),
    );
    let mut bytes = wat::parse_str(&wat).unwrap_or_else(|e| panic!("{e}\n{wat}"));
    describe(&mut bytes);
    bytes
}

/// Puts in what the imports and exports are.
fn describe(bytes: &mut Vec<u8>) {
    let mut map = SourceMap::new();
    WIT.iter().for_each(|(name, text)| map.push_str(name, *text));
    let mut resolve = Resolve::default();
    resolve.push_group(map.parse().expect("the WIT of this version")).expect("the WIT of this version");
    let world = "package tests:sink;\nworld sink {\n  import mailsluice:sink/log@1.0.0;\n  import mailsluice:sink/kv@1.0.0;\n  \
        export mailsluice:sink/transport-submit@1.0.0;\n}\n";
    let package = resolve.push_str("world.wit", world).expect("a world");
    let world = resolve.select_world(&[package], None).expect("its only world");
    embed_component_metadata(bytes, &resolve, world, StringEncoding::UTF8).expect("a description");
}
