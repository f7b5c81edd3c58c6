//! Modules and scripts are watched, in whatever way they are replaced.

use crate::modules;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

const MODULE: &str = "[[sink]]\nname = \"refuse\"\nmodule = \"sinks/now\"\n";
const SCRIPT: &str = "[[sink]]\nname = \"refuse\"\nscript = \"sinks/now\"\n";

fn script(version: &str) -> Vec<u8> {
    format!(
        "import {{ text }} from './text.js';\nexport function onArrival() {{ return reject(text('{version}')); }}\n"
    )
    .into_bytes()
}

/// A server whose only sink is a file under a symlink, `sinks/now`.
fn server(manifest: &str, octets: &[u8]) -> Server {
    let site = Site::new(Site::PLAIN);
    site.write("sinks.toml", manifest);
    site.write("sinks/text.js", "export const text = version => 'This is ' + version;\n");
    site.write_octets("sinks/one", octets);
    symlink("one", site.path("sinks/now")).unwrap();
    site.start()
}

/// Waits until this is what the sink says.
fn says(server: &Server, text: &str) {
    eventually(text, || {
        let mut client = SmtpClient::greeted(server.address(0));
        let reply = client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\n").must_be(550);
        reply.lines[0].contains(text).then_some(())
    });
}

/// Puts a link to `to` in the place of the one that is there, in one step.
fn swap(link: &Path, to: &str) {
    let fresh = link.with_file_name("fresh");
    symlink(to, &fresh).unwrap();
    fs::rename(fresh, link).unwrap();
}

fn every_way(manifest: &str, make: fn(&str) -> Vec<u8>) {
    let server = server(manifest, &make("one"));
    says(&server, "This is one");
    server.write_octets("sinks/two", &make("two"));
    swap(&server.path("sinks/now"), "two");
    says(&server, "This is two");
    server.write_octets("sinks/two", &make("three"));
    says(&server, "This is three");
    fs::write(server.path("sinks/two"), make("four")).unwrap();
    says(&server, "This is four");
    let (octets, mut file) = (make("five"), File::create(server.path("sinks/two")).unwrap());
    let (first, rest) = octets.split_at(octets.len() / 2);
    file.write_all(first).unwrap();
    file.flush().unwrap();
    says(&server, "This is four");
    file.write_all(rest).unwrap();
    drop(file);
    says(&server, "This is five");
    fs::remove_file(server.path("sinks/two")).unwrap();
    server.logged("the reload failed; what was in force stays in force");
    says(&server, "This is five");
    let failure = eventually("why", || server.status().reload_failure).error;
    assert!(failure.contains("sinks/now"), "{failure}");
    server.write_octets("sinks/two", &make("six"));
    says(&server, "This is six");
    eventually("that all is well again", || server.status().reload_failure.is_none().then_some(()));
}

#[test]
fn a_module_is_taken_up_however_it_is_replaced() {
    every_way(MODULE, |version| modules::refuses(&format!("This is {version}")));
}

#[test]
fn a_script_is_taken_up_however_it_is_replaced_and_so_is_what_it_imports() {
    every_way(SCRIPT, script);
    let server = server(SCRIPT, &script("one"));
    says(&server, "This is one");
    server.write("sinks/text.js", "export const text = version => 'Now it is ' + version;\n");
    says(&server, "Now it is one");
    server.write("sinks/text.js", "export const text = version => 'Now it is '\n + version.\n");
    server.logged("the reload failed; what was in force stays in force");
    says(&server, "Now it is one");
    let failure = eventually("why", || server.status().reload_failure).error;
    assert!(failure.contains("text.js:"), "{failure}");
}
