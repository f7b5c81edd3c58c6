//! How what goes wrong in a script reads, and that a script which goes wrong takes nothing with it.

use crate::rig::{Grants, Script, same};
use crate::stub::World;

fn fault(body: &str) -> String {
    let mut script = Script::of(&format!("export function onArrival(message, ctx) {{\n{body}\n}}"));
    script.raise("transport.submit")
}

#[test]
fn a_fault_says_where_and_what() {
    let rows = [
        (
            "  message.setHeader('Subject',\n  'x' + message.subjct)",
            "scripts/tag.js:3:9 TypeError: message.subjct does not exist (did you mean subject?)",
        ),
        (
            "message.subject = 'x'",
            "scripts/tag.js:2:1 TypeError: message.subject can't be assigned: use message.setHeader(\"Subject\", text)",
        ),
        ("message.sbject = 'x'", "scripts/tag.js:2:1 TypeError: message.sbject does not exist (did you mean subject?)"),
        ("ctx.sesion.id", "scripts/tag.js:2:1 TypeError: ctx.sesion does not exist (did you mean session?)"),
        ("ctx.session.client.port", "scripts/tag.js:2:1 TypeError: client.port does not exist"),
        (
            "message.recipients[0].adress",
            "scripts/tag.js:2:1 TypeError: rcpt.adress does not exist (did you mean address?)",
        ),
        ("ctx.session.keywords = 1", "scripts/tag.js:2:1 TypeError: session.keywords does not exist"),
        ("undefinedFunction()", "scripts/tag.js:2:1 ReferenceError: undefinedFunction is not defined"),
        ("throw new RangeError('far')", "scripts/tag.js:2:11 RangeError: far"),
        ("throw 'text'", "scripts/tag.js:1:8 threw \"text\", which is no Error and does not say where it comes from"),
        ("message.setHeader('Not one', 'x')", "scripts/tag.js:2:9 TypeError: `Not one` is no name of a header field"),
        ("message.setHeader('X')", "scripts/tag.js:2:9 TypeError: the value of X must be a text, not nothing"),
        ("message.html", "scripts/tag.js:2:1 Error: message.html: the MIME structure can't be read"),
        (
            "ctx.session.delay(-1)",
            "scripts/tag.js:2:13 RangeError: the milliseconds of session.delay must be a whole number from 0 to 60000, not -1",
        ),
        ("throw new Error('two\\nlines')", "scripts/tag.js:2:11 Error: two lines"),
        (
            "JSON.parse('{')",
            "scripts/tag.js:2:6 SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
        ),
    ];
    same(&rows, fault);
}

#[test]
fn a_fault_in_an_imported_file_names_that_file() {
    let mut world = World::default();
    world
        .files
        .insert("scripts/lib/x.js".to_owned(), "export function f(message) {\n  return message.sise;\n}".to_owned());
    let source = "import { f } from './lib/x.js';\nexport function onArrival(message) { f(message) }";
    let mut script = Script::load(source, world, Grants::default()).unwrap();
    assert_eq!(
        script.raise("transport.submit"),
        "scripts/lib/x.js:2:10 TypeError: message.sise does not exist (did you mean size?)"
    );
}

#[test]
fn recursion_without_end_is_a_range_error() {
    let text = fault("const f = (n) => f(n + 1) + 1;\nf(0)");
    assert!(text.starts_with("scripts/tag.js:2:"), "{text}");
    assert!(text.ends_with("RangeError: Maximum call stack size exceeded"), "{text}");
    let nested = fault("JSON.parse('['.repeat(1e6))");
    assert!(nested.contains("RangeError") || nested.contains("SyntaxError"), "{nested}");
}

#[test]
fn memory_without_end_is_an_error_and_the_next_call_is_fine() {
    for (body, what) in [
        ("const all = [];\nfor (;;) all.push('x'.repeat(1e6) + all.length)", "large pieces"),
        ("let all = null;\nfor (;;) all = { all }", "small pieces"),
        ("for (let s = 'ü';;) s += s + message.subject", "one text"),
    ] {
        let source = format!("export function onArrival(message) {{\n{body}\n}}\nexport function inData() {{}}");
        let mut script = Script::of(&source);
        let text = script.raise("transport.submit");
        assert!(text.contains("out of memory") || text.contains("string too long"), "{what}: {text}");
        assert_eq!(script.raise("in.data"), "next", "{what}");
    }
}

#[test]
fn a_loop_is_stopped_and_can_t_catch_that() {
    for body in
        ["for (;;);", "for (;;) { try { for (;;); } catch {} }", "for (;;) { try { f() } finally { continue } }"]
    {
        let world = World { patience: Some(5), ..World::default() };
        let source = format!("export function onArrival(message) {{\n{body}\n}}");
        let mut script = Script::load(&source, world, Grants::default()).unwrap();
        let text = script.raise("transport.submit");
        assert!(text.starts_with("scripts/tag.js:"), "{body}: {text}");
        assert!(text.ends_with("stopped: the script has had its time"), "{body}: {text}");
    }
    let world = World { patience: Some(5), ..World::default() };
    let source = "export async function onArrival() {\nawait 1;\nfor (;;) await 1;\n}";
    let mut script = Script::load(source, world, Grants::default()).unwrap();
    assert!(script.raise("transport.submit").ends_with("stopped: the script has had its time"));
}

#[test]
fn a_script_can_t_break_the_object_model() {
    for body in [
        "Object.getPrototypeOf(message).id = 1",
        "Object.getPrototypeOf(message).header = () => 1",
        "message.header = () => 1",
        "ctx.config.x = 1",
        "Object.defineProperty(message, 'id', { value: 1 })",
        "const v = NO; v.x = 1",
        "reject.x = 1",
    ] {
        let source = format!("const NO = reject();\nexport function onArrival(message, ctx) {{\n{body}\n}}");
        let text = Script::of(&source).raise("transport.submit");
        assert!(text.contains("TypeError"), "{body}: {text}");
    }
}
