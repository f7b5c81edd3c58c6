//! Loading: what is taken for an event, how modules are found, and how what can't be loaded reads.

use crate::rig::{Grants, MEMORY, Script};
use crate::stub::{World, shown};
use mailsluice_wit::Claim;

/// Loads `source` beside other files.
fn load(source: &str, files: &[(&str, &str)]) -> Result<Script, String> {
    let mut world = World::default();
    world.files.extend(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    Script::load(source, world, Grants::default())
}

fn refused(source: &str, files: &[(&str, &str)]) -> String {
    load(source, files).err().unwrap_or_else(|| panic!("loads: {source}"))
}

#[test]
fn errors_of_syntax_have_their_place() {
    for (source, text) in [
        ("export function onArrival( {\n", "scripts/tag.js:2:1 SyntaxError: invalid property name"),
        ("let x = 1;\nlet x = 2;", "scripts/tag.js:2:7 SyntaxError: invalid redefinition of global identifier"),
        ("export function f() {\n  return 'abc\n}", "scripts/tag.js:2:10 SyntaxError: "),
        ("export function onArrival() {\n  await 1;\n}", "scripts/tag.js:2:"),
        ("throw new Error('at the top')", "scripts/tag.js:1:11 Error: at the top"),
        (
            "await new Promise(() => {})",
            "scripts/tag.js:1:1 TypeError: the script is waiting for a promise that nothing can settle",
        ),
        ("x\0y", "scripts/tag.js:1:2 there is a NUL in the file"),
    ] {
        let found = refused(source, &[]);
        assert!(found.starts_with(text), "{source}: {found}");
    }
}

#[test]
fn exports_are_events_or_nothing_that_looks_like_one() {
    for (source, text) in [
        (
            "export const x = 1",
            "scripts/tag.js:1:1 TypeError: there is no function for an event: export one, such as `export function onArrival(message, ctx)`",
        ),
        (
            "\nexport function onArival() {}",
            "scripts/tag.js:2:17 TypeError: onArival is not an event that this version raises (did you mean onArrival?)",
        ),
        (
            "export function inXfer() {}",
            "scripts/tag.js:1:17 TypeError: inXfer is not an event that this version raises",
        ),
        ("export const inRcpt = 5", "scripts/tag.js:1:14 TypeError: inRcpt must be a function, not a number"),
        (
            "export function onArrival() {}\nexport function transportSubmit() {}",
            "scripts/tag.js:2:17 TypeError: onArrival and transportSubmit are the same event: export one of them",
        ),
        (
            "export function inData() {}\nexport const claims = { verb: ['X'] }",
            "scripts/tag.js:2:14 TypeError: claims.verb does not exist (did you mean verbs?)",
        ),
        (
            "export function inData() {}\nexport const claims = { verbs: 'X' }",
            "scripts/tag.js:2:14 TypeError: claims.verbs must be a list, not a string",
        ),
    ] {
        assert!(refused(source, &[]).starts_with(text), "{source}: {}", refused(source, &[]));
    }
    let script = load("export function helper() {}\nexport const inRcpt = () => {}; export default 3", &[]).unwrap();
    assert_eq!(script.events, ["in.rcpt"]);
}

#[test]
fn claims_are_told() {
    let source = r#"export function inCommand() {}
        export const claims = {
            verbs: ['XPING', {
                name: 'XPONG', keyword: 'XPONG 1', tls: true, users: ['a*'], clients: ['192.0.2.0/24'], early: true,
                refusal: { status: '5.7.1', text: 'Not you' },
            }],
            authMechanisms: ['X-KEY'],
            keywords: ['XPING 1'],
        }"#;
    let mut script = load(source, &[]).unwrap();
    let found = script.call::<_, (Claim,)>("mailsluice:sink/claims@1.0.0", "get", ()).unwrap().0;
    let [ping, pong] = &found.verbs[..] else { panic!("{found:?}") };
    assert_eq!((ping.name.as_str(), ping.keyword.as_deref(), ping.early), ("XPING", None, false));
    assert!(!ping.conditions.tls && ping.conditions.users.is_empty() && ping.refusal.is_none());
    assert_eq!((pong.keyword.as_deref(), pong.early, pong.conditions.tls), (Some("XPONG 1"), true, true));
    assert_eq!(
        (&pong.conditions.users[..], &pong.conditions.clients[..]),
        (&["a*".into()][..], &["192.0.2.0/24".into()][..])
    );
    assert_eq!(shown(pong.refusal.as_ref()), "550 5.7.1 Not you");
    assert_eq!((found.auth_mechanisms, found.keywords), (vec!["X-KEY".to_owned()], vec!["XPING 1".to_owned()]));
    assert!(found.mail_params.is_empty() && found.rcpt_params.is_empty());
}

#[test]
fn a_claim_that_is_none_is_an_error() {
    for (claims, text) in [
        ("{ verbs: [{ nam: 'X' }] }", "claims.verbs[].nam does not exist (did you mean name?)"),
        ("{ verbs: [{}] }", "claims.verbs[] needs a name, such as { name: \"XPING\" }"),
        ("{ verbs: [{ name: 'X', tls: 1 }] }", "tls of X must be true or false, not a number"),
        ("{ verbs: [{ name: 'X', users: 'a' }] }", "the users of X must be a list of texts"),
        ("{ verbs: [{ name: 'X', refusal: { code: 250 } }] }", "the code of the refusal of X must be"),
        ("{ keywords: [1] }", "claims.keywords must be a list of texts"),
    ] {
        let told = refused(&format!("export function inData() {{}}\nexport const claims = {claims}"), &[]);
        assert!(told.starts_with("scripts/tag.js:2:14 TypeError: ") && told.contains(text), "{claims}: {told}");
    }
}

#[test]
fn modules_are_found_relative_to_the_one_that_imports_them() {
    let files = [
        ("scripts/lib/a.js", "import { b } from '../b.js';\nexport const a = b + 1;"),
        ("scripts/b.js", "export const b = 1;"),
        ("lists.js", "export const names = ['x'];"),
    ];
    let source = "import { a } from './lib/a.js';\nimport { b } from './b.js';\nimport { names } from '../lists.js';\nimport { reject as no } from 'mailsluice';\n\
                  const late = await import('./b.js');\n\
                  export function onArrival() { return no(`${a} ${b} ${names} ${late.b} ${no === reject}`) }";
    let mut script = load(source, &files).unwrap();
    assert_eq!(script.raise("transport.submit"), "reject 250 2 1 x 1 true");
}

#[test]
fn cycles_are_fine() {
    let files = [("scripts/a.js", "import { two } from './tag.js';\nexport const one = () => two() - 1;")];
    let source = "import { one } from './a.js';\nexport const two = () => 2;\nexport function onArrival() { return hold(String(one())) }";
    assert_eq!(load(source, &files).unwrap().raise("transport.submit"), "hold 1");
}

#[test]
fn other_imports_are_refused_where_they_stand() {
    let only = "only relative files and \"mailsluice\" can be imported";
    let files =
        [("scripts/bad.js", "\nexport let x = ;"), ("scripts/deep.js", "\nimport x from 'https://example.com/x.js';")];
    for (source, text) in [
        ("import 'fs'", format!("scripts/tag.js:1:8 import of 'fs': {only}")),
        ("// x\nimport fs from \"fs\"", format!("scripts/tag.js:2:16 import of 'fs': {only}")),
        ("import '/etc/passwd'", format!("scripts/tag.js:1:8 import of '/etc/passwd': {only}")),
        ("import 'mailsluice:guard.js'", format!("scripts/tag.js:1:8 import of 'mailsluice:guard.js': {only}")),
        ("import './none.js'", "scripts/tag.js:1:8 import of './none.js': there is no such file".to_owned()),
        ("import './deep.js'", format!("scripts/deep.js:2:15 import of 'https://example.com/x.js': {only}")),
        ("import './bad.js'", "scripts/bad.js:2:16 SyntaxError: ".to_owned()),
        (
            "\nimport { nothing } from 'mailsluice'",
            "scripts/tag.js:2:10 SyntaxError: Could not find export 'nothing'".to_owned(),
        ),
    ] {
        let found = refused(source, &files);
        assert!(found.starts_with(&text), "{source}: {found}");
    }
    let mut script = load("export async function onArrival() {\n  await import('fs');\n}", &[]).unwrap();
    assert_eq!(script.raise("transport.submit"), format!("scripts/tag.js:2:16 import of 'fs': {only}"));
}

#[test]
fn a_script_that_is_not_there_is_an_error() {
    let mut script = Script::of("export function inData() {}");
    let loaded = script.call::<_, (Result<Vec<String>, String>,)>(
        "mailsluice:script/loader@1.0.0",
        "load",
        ("no.js", Grants::default(), MEMORY),
    );
    assert_eq!(loaded.unwrap().0, Err("no.js:1:1 there is no such file".to_owned()));
}
