//! `mailsluice sink` on a manifest that somebody wrote by hand.

use crate::server::Site;
use serde_json::Value;

const SINKS: &str = r#"include = ["more/*.toml"]

# Marks what is accepted.
[[sink]]
name = "mark"
native = "headers"
[sink.config]
add = [{ name = "X-Mark", value = "a" }]   # for the filters
"#;

const MORE: &str = "# The log.\n[[sink]]\nname = \"log\"\nnative = \"log\"\n[[sink.on]]\nevent = \"in.mail\" # who\n";

fn site(reload: &str) -> Site {
    let site = Site::new(&format!("{}{reload}", Site::PLAIN));
    site.write("sinks.toml", SINKS);
    site.write("more/log.toml", MORE);
    site
}

fn read(site: &Site, name: &str) -> String {
    std::fs::read_to_string(site.path(name)).unwrap()
}

/// A verb that must fail and change nothing; what it had to say.
fn refused(site: &Site, args: &[&str]) -> String {
    let output = site.cli(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert_eq!((read(site, "sinks.toml"), read(site, "more/log.toml")), (SINKS.to_owned(), MORE.to_owned()));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn list_and_order_read_what_is_included_too() {
    let site = site("");
    let listed: Value = serde_json::from_str(&site.told(&["sinks", "list", "--json"])).unwrap();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|sink| sink["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mark", "log"]);
    assert!(listed[1]["file"].as_str().unwrap().ends_with("more/log.toml"));
    assert_eq!(site.told(&["sink", "order", "in.mail"]), "in.mail\n  24575  log  5 s, then defer\n");
}

#[test]
fn an_edit_goes_to_the_file_that_declares_the_sink_and_comments_survive() {
    let site = site("");
    let told = site.told(&["sink", "set", "log", "on.in.mail.priority=7", "on.0.when={ sender = \"*@x\" }"]);
    assert!(told.starts_with("written: ") && told.ends_with("more/log.toml\n"), "{told}");
    assert_eq!(read(&site, "more/log.toml"), format!("{MORE}priority = 7\nwhen = {{ sender = \"*@x\" }}\n"));
    assert_eq!(read(&site, "sinks.toml"), SINKS);
    let order = site.told(&["sink", "order", "in.mail"]);
    assert_eq!(order, "in.mail\n  7  log  5 s, then defer  when { sender = \"*@x\" }\n");
    site.told(&["sink", "disable", "mark"]);
    let disabled = SINKS.replace("native = \"headers\"\n", "native = \"headers\"\nenabled = false\n");
    assert_eq!(read(&site, "sinks.toml"), disabled);
    site.told(&["sink", "enable", "mark"]);
    site.told(&[
        "sink",
        "add",
        "limit",
        "--native",
        "rate-limit",
        "--set",
        "config.limits=[{ per = \"client\", rate = \"10/1h\" }]",
    ]);
    site.told(&["sink", "remove", "mark"]);
    let left = read(&site, "sinks.toml");
    assert!(left.starts_with("include = [\"more/*.toml\"]\n") && left.contains("name = \"limit\""), "{left}");
    assert!(!left.contains("mark") && !left.contains("Marks"), "{left}");
    site.told(&["check"]);
}

#[test]
fn what_would_not_pass_is_not_written() {
    let site = site("");
    for (args, told) in [
        (&["sink", "set", "mark", "config.ad=[]"][..], "did you mean `add`?"),
        (&["sink", "set", "log", "on.in.mail.on-fault=hald"], "did you mean \"hold\"?"),
        (&["sink", "add", "x", "--native", "lgo"], "did you mean `log`?"),
        (&["sink", "add", "x", "--native", "log", "--on", "in.mial"], "did you mean `in.mail`?"),
        (&["sink", "add", "log", "--native", "log"], "two sinks are named `log`"),
        (&["sink", "add", "x", "--module", "x.wasm"], "x.wasm`: it does not exist"),
        (&["sink", "remove", "nobody"], "there is no sink `nobody`"),
    ] {
        let errors = refused(&site, args);
        assert!(errors.contains(told), "{args:?}\n{errors}");
    }
}

#[test]
fn json_is_edited_by_hand() {
    let site = Site::new(&format!("manifest = \"sinks.json\"\n{}", Site::PLAIN));
    let text = r#"{"sink": [{"name": "log", "native": "log"}]}"#;
    site.write("sinks.json", text);
    let output = site.cli(&["sink", "disable", "log"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is JSON: edit it by hand"));
    assert_eq!(read(&site, "sinks.json"), text);
}

#[test]
fn the_first_sink_makes_the_manifest() {
    let site = Site::new(Site::PLAIN);
    site.told(&["sink", "add", "log", "--native", "log", "--on", "in.rcpt", "--priority", "0"]);
    let want = "[[sink]]\nname = \"log\"\nnative = \"log\"\n\n[[sink.on]]\nevent = \"in.rcpt\"\npriority = 0\n";
    assert_eq!(read(&site, "sinks.toml"), want);
    assert_eq!(site.told(&["check"]).lines().last(), Some("ok: 1 listener, 1 sink, 1 binding"));
}

#[test]
fn a_running_server_takes_it_up_and_says_so() {
    let server = site("").start();
    let told = server.told(&["sink", "set", "mark", "config.add=[{ name = \"X-Mark\", value = \"b\" }]"]);
    assert!(told.contains("reloaded: generation "), "{told}");
    let status: Value = serde_json::from_str(&server.told(&["status", "--json"])).unwrap();
    assert!(status["generation"].as_u64().unwrap() >= 2);
    assert!(server.told(&["sink", "list"]).lines().any(|line| line.contains("mark") && line.contains("  ok  ")));
}

#[test]
fn one_that_does_not_watch_is_left_alone() {
    let server = site("[reload]\nwatch = false\n").start();
    let output = server.cli(&["sink", "disable", "log"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("`mailsluice reload` puts this in force"));
    let status: Value = serde_json::from_str(&server.told(&["status", "--json"])).unwrap();
    assert_eq!(status["generation"], 1);
}
