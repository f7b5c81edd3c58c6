//! Guests as text, made into modules: what no compiler would write.

use std::path::Path;
use wit_component::StringEncoding;
use wit_parser::Resolve;

/// What such a guest imports and exports.
const WORLD: &str = "package guests:text;
world guest {
    import mailsluice:sink/types@1.0.0;
    import mailsluice:sink/log@1.0.0;
    export mailsluice:sink/transport-submit@1.0.0;
}";

const IMPORTS: &str = r#"(module
(import "mailsluice:sink/types@1.0.0" "[method]message.body-size" (func $body-size (param i32) (result i64)))
(import "mailsluice:sink/types@1.0.0" "[method]message.recipients" (func $recipients (param i32 i32)))
(import "mailsluice:sink/types@1.0.0" "[resource-drop]message" (func $drop-message (param i32)))
(import "mailsluice:sink/types@1.0.0" "[resource-drop]session" (func $drop-session (param i32)))
(import "mailsluice:sink/types@1.0.0" "[resource-drop]recipient" (func $drop-recipient (param i32)))
(import "mailsluice:sink/log@1.0.0" "write" (func $log (param i32 i32 i32)))
"#;

/// A result is `next` where memory is zero. Recipients and everything else that the server hands over is put on a heap that
/// only grows; the first 4 KiB are the guest's own.
const REST: &str = r#"
(memory (export "memory") 2)
(global $heap (mut i32) (i32.const 4096))
(global $keeps (mut i32) (i32.const 0))
(global $reenters (mut i32) (i32.const 0))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (local $at i32)
  (if (global.get $reenters) (then (call $log (i32.const 1) (i32.const 1024) (i32.const 0))))
  (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
  (global.set $heap (i32.add (local.get $at) (local.get 3)))
  (local.get $at))
(func $hold (param $text i32) (param $length i32) (result i32)
  (i32.store8 (i32.const 520) (i32.const 7))
  (i32.store (i32.const 528) (local.get $text))
  (i32.store (i32.const 532) (local.get $length))
  (i32.const 512))
(func (export "mailsluice:sink/transport-submit@1.0.0#handle") (param $message i32) (param $session i32) (result i32)
  (local $said i32)
  (if (i64.ne (call $body-size (local.get $message)) (i64.const 0))
    (then (local.set $said (call $act (local.get $message) (local.get $session)))))
  (if (i32.eqz (global.get $keeps))
    (then
      (call $drop-message (local.get $message))
      (call $drop-session (local.get $session))))
  (local.get $said)))
"#;

/// The octets of a guest. Whole modules get type information, components are taken as they are, and the body of `$act` gets
/// the module around it.
pub(super) fn module(text: &str) -> Result<Vec<u8>, String> {
    let code = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with(";;"));
    let whole = match code.unwrap_or_default() {
        code if code.starts_with("(component") => return wat::parse_str(text).map_err(|e| e.to_string()),
        code if code.starts_with("(module") => wat::parse_str(text),
        _ => wat::parse_str(format!("{IMPORTS}{text}{REST}")),
    };
    described(whole.map_err(|e| e.to_string())?).map_err(|e| format!("{e:#}"))
}

/// A core module with component type information, as toolchains leave it.
fn described(mut core: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("wit/1.0"))?;
    let package = resolve.push_str("guest.wit", WORLD)?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    wit_component::embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    Ok(core)
}
