//! `sink upgrade` and `sink rollback`: another version of a module in one step, and the way back.

use crate::modules;
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use std::fs;

const SINKS: &str = "# Marks all mail.\n[[sink]]\nname = \"mark\"\nmodule = \"modules/mark.wasm\" # ours\n\
    [[sink.on]] # every message\nevent = \"transport.submit\"\n";

fn site() -> Site {
    let site = Site::new(Site::PLAIN);
    fs::create_dir(site.path("modules")).unwrap();
    fs::write(site.path("modules/mark.wasm"), modules::marks("one")).unwrap();
    fs::write(site.path("two.wasm"), modules::marks("two")).unwrap();
    site.write("sinks.toml", SINKS);
    site
}

fn manifest(site: &Site) -> String {
    fs::read_to_string(site.path("sinks.toml")).unwrap()
}

/// The names in the folder of modules, but for the history.
fn files(site: &Site) -> Vec<String> {
    let names = fs::read_dir(site.path("modules")).unwrap();
    let mut names: Vec<String> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// The manifest that names and pins these bytes.
fn pinned(bytes: &[u8]) -> String {
    let digest = blake3::hash(bytes).to_hex();
    let line = format!("module = \"modules/mark.{}.wasm\" # ours\ndigest = \"blake3:{digest}\"\n", &digest[..12]);
    SINKS.replace("module = \"modules/mark.wasm\" # ours\n", &line)
}

#[test]
fn a_running_server_goes_to_the_new_version_and_back() {
    let server = site().start();
    let mut count = 0;
    let mut mark = || {
        let message = "Subject: x\r\n\r\ny\r\n";
        SmtpClient::greeted(server.address(0)).deliver("a@client.example", &["alice@example.com"], message);
        count += 1;
        let mail = server.arrived("example.com", "alice", count);
        let mark = |octets: &Vec<u8>| {
            let text = String::from_utf8(octets.clone()).unwrap();
            Some(text.split_once("X-Mark: ")?.1.lines().next()?.to_owned())
        };
        let mut marks: Vec<String> = mail.iter().filter_map(mark).collect();
        marks.sort();
        marks
    };
    assert_eq!(mark(), ["one"]);
    let told = server.told(&["sink", "upgrade", "mark", "two.wasm"]);
    assert!(told.ends_with(" is in force\n"), "{told}");
    assert_eq!(manifest(&server), pinned(&modules::marks("two")));
    assert_eq!(mark(), ["one", "two"]);
    let told = server.told(&["sink", "rollback", "mark"]);
    assert!(told.ends_with(" is in force\n"), "{told}");
    assert_eq!(manifest(&server), pinned(&modules::marks("one")), "kept by its digest");
    assert_eq!(mark(), ["one", "one", "two"]);
    let output = server.cli(&["sink", "rollback", "mark"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing is known of a version of `mark` before"));
}

#[test]
fn one_that_asks_for_more_is_refused_with_the_difference() {
    let site = site();
    fs::write(site.path("kv.wasm"), modules::marks_with_kv("kv")).unwrap();
    fs::write(site.path("bad.wasm"), "not a module").unwrap();
    for (file, why) in [
        ("kv.wasm", "sink `mark`: it imports `kv`, which the manifest does not grant"),
        ("bad.wasm", "this is not WebAssembly"),
        ("none.wasm", "cannot read `none.wasm`"),
    ] {
        let output = site.cli(&["sink", "upgrade", "mark", file]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{file}");
        assert!(errors.contains(why), "{file}: {errors}");
        assert_eq!(manifest(&site), SINKS, "{file}");
    }
    assert!(!files(&site).iter().any(|name| name.contains(&blake3::hash(b"not a module").to_hex()[..12])));
    assert_eq!(site.cli(&["sink", "rollback", "mark"]).status.code(), Some(1), "nothing was upgraded");
    site.told(&["sink", "set", "mark", "allow.kv=true"]);
    site.told(&["sink", "upgrade", "mark", "kv.wasm"]);
    site.told(&["sink", "upgrade", "mark", "two.wasm"]);
    assert_eq!(files(&site).len(), 4, "the first name, and one for each version");
    site.told(&["sink", "rollback", "mark"]);
    site.told(&["sink", "rollback", "mark"]);
    assert!(manifest(&site).contains(&*blake3::hash(&modules::marks("one")).to_hex()), "{}", manifest(&site));
}

#[test]
fn what_is_in_force_is_not_upgraded_and_natives_are_not() {
    let site = site();
    site.told(&["sink", "upgrade", "mark", "two.wasm"]);
    let before = manifest(&site);
    let output = site.cli(&["sink", "upgrade", "mark", "two.wasm"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("nothing to change"));
    assert_eq!(manifest(&site), before);
    site.told(&["sink", "add", "log", "--native", "log"]);
    let output = site.cli(&["sink", "upgrade", "log", "two.wasm"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("`log` is a native sink"));
}

#[test]
fn a_script_is_upgraded_too_and_goes_back_to_being_unpinned() {
    let site = Site::new(Site::PLAIN);
    let sinks = "[[sink]]\nname = \"tag\"\nscript = \"tag.js\"\n";
    site.write("sinks.toml", sinks);
    site.write("tag.js", "export function onArrival(message) {}\n");
    site.write("new.js", "export function onArrival(message) { message.setHeader('X-Tag', 'yes'); }\n");
    site.write("more.js", "import { a } from './tag.js';\nexport function onArrival(message) {}\n");
    site.told(&["sink", "upgrade", "tag", "new.js"]);
    let text = manifest(&site);
    assert!(text.contains("script = \"tag.") && text.contains("digest = \"blake3:"), "{text}");
    let output = site.cli(&["sink", "upgrade", "tag", "more.js"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains("can't import files"), "{errors}");
    site.told(&["sink", "rollback", "tag"]);
    assert_eq!(manifest(&site), sinks);
}
