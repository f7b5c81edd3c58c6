//! What the server does for a script, as far as the manifest grants it.

use crate::rig::{Grants, Script, same};
use crate::stub::World;

fn run(body: &str, grants: Grants) -> (String, Vec<String>) {
    let source = format!("export async function onArrival(message, ctx) {{\n{body}\n}}");
    let mut script = Script::load(&source, World::default(), grants).unwrap();
    (script.raise("transport.submit"), script.done())
}

#[test]
fn what_is_not_granted_says_what_it_needs() {
    let rows = [
        ("ctx.kv.get('x')", "scripts/tag.js:2:1 Error: kv needs `allow.kv = true`"),
        ("ctx.dns.lookup('x')", "scripts/tag.js:2:1 Error: dns needs `allow.dns = true`"),
        ("ctx.submit({})", "scripts/tag.js:2:1 Error: submit needs `allow.submit = true`"),
        ("ctx.metrics.count('x')", "scripts/tag.js:2:1 Error: metrics needs `allow.metrics = true`"),
        ("await fetch('https://x')", "scripts/tag.js:2:7 Error: fetch needs `allow.http = [\"https://…\"]`"),
    ];
    same(&rows, |body| run(body, Grants::default()).0);
}

#[test]
fn kv_keeps_texts_and_json() {
    let body = r#"
        const { kv } = ctx;
        kv.set("t", "5"); kv.set("j", { a: [1] }, { ttl: 60 });
        console.log(kv.get("t"), kv.get("j"), kv.get("none"));
        console.log(kv.increment("n"), kv.increment("n", 4), kv.get("n"));
        console.log(kv.compareAndSet("c", undefined, "one"), kv.compareAndSet("c", "two", "x"), kv.compareAndSet("c", "one", null));
        console.log(kv.get("c")); kv.delete("t"); console.log(kv.get("t"));
    "#;
    let (returned, done) = run(body, Grants::ALL);
    assert_eq!(returned, "next");
    assert_eq!(
        done,
        [
            "set t \"5\" None",
            "set j {\"a\":[1]} Some(60)",
            "Info: 5 { a: [1] } undefined",
            "Info: 1 5 5",
            "Info: true false true",
            "Info: undefined",
            "Info: undefined",
        ]
    );
    let (fault, _) = run("ctx.kv.set('t', 'x'); ctx.kv.increment('t')", Grants::ALL);
    assert_eq!(fault, "scripts/tag.js:2:30 Error: kv: the value is not a whole number, or would leave the range");
    let (fault, _) = run("ctx.kv.set('t')", Grants::ALL);
    assert_eq!(fault, "scripts/tag.js:2:8 TypeError: the value of kv.set must be a JSON value, not nothing");
}

#[test]
fn tables_find_or_do_not_find() {
    let (returned, done) = run(
        "const t = ctx.table('vips'); console.log(t.get('bob'), t.has('bob'), t.get('eve'), t.has('eve'))",
        Grants::default(),
    );
    assert_eq!((returned.as_str(), done.concat().as_str()), ("next", "Info: gold true undefined false"));
}

#[test]
fn dns_answers_or_says_why_not() {
    let (_, done) = run(
        "console.log(await ctx.dns.lookup('example.com', 'MX'), await ctx.dns.lookup('none.example'))",
        Grants::ALL,
    );
    assert_eq!(done, ["Info: [\"Mx\"] []"]);
    let (fault, _) = run("await ctx.dns.lookup('slow.example')", Grants::ALL);
    assert_eq!(fault, "scripts/tag.js:2:15 Error: dns: no answer for slow.example: time-out");
}

#[test]
fn fetch_is_like_the_web_s() {
    let body = r#"
        const r = await fetch("https://x.example/", { method: "PUT", headers: { "X-A": 1 }, body: "data", timeout: 500 });
        console.log(r.status, r.ok, r.headers.get("content-type"), r.headers.get("none"), (await r.json()).spam, await r.text());
        await fetch("https://x.example/scan", { body: message });
        await fetch("https://x.example/");
    "#;
    let (returned, done) = run(body, Grants::ALL);
    assert_eq!(returned, "next");
    assert_eq!(
        done,
        [
            "PUT https://x.example/ [\"X-A: 1\"] \"data\" Some(500)",
            "Info: 200 true application/json null true {\"spam\":true}",
            "POST https://x.example/scan [] the message None",
            "GET https://x.example/ [] nothing None",
        ]
    );
    let (fault, _) = run("await fetch('https://evil.example/')", Grants::ALL);
    assert_eq!(
        fault,
        "scripts/tag.js:2:7 Error: fetch https://evil.example/: https://evil.example is not in `allow.http`"
    );
}

#[test]
fn submit_and_metrics_arrive() {
    let body = r#"
        ctx.submit({ sender: null, recipients: ["a@b.example"], content: "Subject: x\n\nText\r\n" });
        ctx.metrics.count("seen"); ctx.metrics.count("seen", 3); ctx.metrics.gauge("level", 0.5);
    "#;
    let (returned, done) = run(body, Grants::ALL);
    assert_eq!(returned, "next");
    assert_eq!(
        done,
        [
            "submit None [\"a@b.example\"] \"Subject: x\\r\\n\\r\\nText\\r\\n\"",
            "count seen 1",
            "count seen 3",
            "gauge level 0.5"
        ]
    );
}
