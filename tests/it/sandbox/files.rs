//! Files that are no sinks, or none for this server: each is refused when it is loaded, in words that say what is wrong.

use super::alone::{load, terms};
use super::guests::guest;
use super::text;
use mailsluice::wasm::{Compiler, Limits, Sandbox, Terms};
use std::sync::Arc;
use std::time::Duration;

/// Why these octets are refused.
#[track_caller]
fn refused(octets: &[u8]) -> String {
    let limits = Limits { memory: 16 << 20, cpu: Duration::from_millis(50), ..Limits::default() };
    load(octets, Terms { limits, ..terms() }).expect_err("this fits")
}

#[test]
fn what_is_no_module_is_named() {
    let engine = wasmtime::Engine::default();
    let compiled = engine.precompile_component(&wat::parse_str("(component)").unwrap()).unwrap();
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    for (octets, told) in [
        (&b""[..], "the file is empty"),
        (&compiled, "this is compiled code (ELF, or a `.cwasm`), which is never loaded"),
        (&own[..1 << 20], "this is compiled code (ELF, or a `.cwasm`), which is never loaded"),
        (b"(module)", "this is WebAssembly as text"),
        (b"export function onArrival(message) {}", "this is not WebAssembly; it looks like a script"),
        (b"\x89PNG\r\n\x1a\n", "this is not WebAssembly"),
        (b"\0asm", "this is not WebAssembly that can be read"),
        (b"\0asm\x63\0\x77\0", "this is not WebAssembly that can be read"),
        (b"\0asm\x01\0\0\0", "this is a core module without component type information"),
        (&vec![0; 65 << 20], "it has 65 MiB, and 64 are allowed"),
    ] {
        let why = refused(octets);
        assert!(why.starts_with(told), "{why}");
    }
}

/// Guests that are never let in, and why.
const REFUSED: &[(&str, &str)] = &[
    ("other-world", "it exports no event, so it hears nothing"),
    ("program", "it exports no event but `wasi:cli/run`: this is a program"),
    ("wasi-http", "it imports `wasi:http/types`, which this server does not have"),
    ("wasi-http", "it imports a function `launch-missiles`, which this server does not have"),
    ("other-shape", "`transport-submit` differs: it has `handle: func(mail: u32)`, and mailsluice:sink@1.0.0 has"),
    ("async-lift", "async component functions require the component model async feature"),
    ("yields", "`thread.yield` requires the component model async feature"),
    ("needs-23", "this needs 23 MiB at start and is allowed 16 MiB (set `limits.memory` to \"23 MiB\" or more"),
    (
        "memory-64",
        "the module is damaged, or uses what the sandbox has not: memory64 must be enabled for 64-bit memories",
    ),
    ("shared", "the module is damaged, or uses what the sandbox has not: threads must be enabled for shared memories"),
    ("collected", "not supported without the gc feature"),
    ("throws", "exceptions proposal not enabled"),
    ("wide-table", "this has 4000000000 elements in a table; 100000 are allowed"),
    (
        "no-handler",
        "the core module is not what its type information says: failed to find export of interface `mailsluice:sink/transport-submit@1.0.0` function `handle` (build it",
    ),
    (
        "untyped",
        "the core module is not what its type information says: failed to resolve import `env::launch_missiles`",
    ),
    ("start-loops", "it used 50 ms of its own time (`limits.cpu`)"),
    ("start-traps", "it panicked, or reached code that it says can't be reached"),
    ("start-grows", "it asked for 17 MiB of memory and is allowed 16 MiB (`limits.memory`)"),
    (
        "breeder",
        "it imports `submit`, which the manifest does not grant (write `submit = true` under [sink.allow] if it may)",
    ),
];

#[test]
fn what_does_not_fit_is_told_what_is_missing_or_too_much() {
    let wrong = REFUSED.iter().filter_map(|(name, told)| {
        let why = refused(&guest(name));
        (!why.contains(told)).then(|| format!("{name}: {why}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_version_is_named() {
    let mut octets = guest("nothing");
    let places: Vec<usize> = octets.windows(5).enumerate().filter(|(_, w)| *w == b"1.0.0").map(|(at, _)| at).collect();
    places.iter().for_each(|at| octets[*at..at + 5].copy_from_slice(b"0.0.9"));
    let why = refused(&octets);
    assert!(why.contains("it exports `transport-submit` of version 0.0.9; this server speaks 1.0.0"), "{why}");
}

/// A guest that is quickly compiled.
fn small() -> Vec<u8> {
    guest("unreachable")
}

#[test]
fn what_is_cut_off_is_refused() {
    for octets in [small(), guest("nothing"), guest("reaches")] {
        for n in 0..64 {
            let why = refused(&octets[..octets.len() * n / 64]);
            assert!(!why.is_empty() && why.len() < 4096, "{why}");
        }
    }
}

#[test]
fn what_is_damaged_is_refused_or_harmless() {
    let flips = std::env::var("MAILSLUICE_REPEATS").map_or(300, |n| n.parse::<usize>().unwrap() * 10);
    let (octets, mut let_in) = (small(), 0);
    for n in 0..flips {
        let mut damaged = octets.clone();
        // Every octet in turn, and of each another bit.
        let at = n * 7919 % octets.len();
        damaged[at] ^= 1 << (n % 8);
        match load(&damaged, terms()) {
            Ok(_) => let_in += 1,
            Err(why) => {
                assert!(!why.is_empty() && why.len() < 4096 && !why.contains("brought its thread down"), "{why}")
            }
        }
    }
    assert!(let_in < flips / 2, "{let_in} of {flips} damaged modules were let in");
}

/// A module with so much of everything that its compilation is the attack.
fn bomb(globals: usize, functions: usize, depth: usize, size: usize) -> Vec<u8> {
    let mut text = String::from("(func $act (param $message i32) (param $session i32) (result i32) (i32.const 0))");
    (0..globals).for_each(|_| text.push_str("(global (mut i32) (i32.const 0))"));
    (0..functions).for_each(|_| text.push_str("(func (param i32) (result i32) (local.get 0))"));
    text.push_str("(func ");
    text.push_str(&"block ".repeat(depth));
    text.push_str(&"end ".repeat(depth));
    text.push_str(&"(drop (i32.const 1))".repeat(size));
    text.push(')');
    text::module(&text).unwrap()
}

#[test]
fn who_is_hard_to_compile_is_compiled_elsewhere_or_refused() {
    let cache = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_mailsluice").into();
    let compiler = Compiler::Worker { program, cache: cache.path().to_owned() };
    let sandbox = Arc::new(Sandbox::new(Some(cache.path().to_owned()), compiler).unwrap());
    for (module, fits) in [
        (bomb(100_000, 0, 0, 0), false),
        (bomb(0, 4000, 0, 0), true),
        (bomb(0, 0, 5000, 0), true),
        (bomb(0, 0, 0, 100_000), true),
        (small(), true),
    ] {
        let loaded = sandbox.module(&module, terms()).map(drop).map_err(|why| why[0].to_string());
        assert_eq!(loaded.is_ok(), fits, "{} octets: {loaded:?}", module.len());
        assert!(loaded.map_or_else(|why| why.starts_with("it can't be compiled: "), |()| true));
    }
}
