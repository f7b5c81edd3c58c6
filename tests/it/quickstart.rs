//! The quick start of the README, command by command as it is printed, against the quickstart server.
//!
//! Three things differ, because tests share a machine: the port, the place of the files, and the binary that is run.

use crate::server::Site;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The commands under "Quick start", but for the one that starts the server.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|s| s.starts_with("Quick start")).expect("the section");
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.filter(|block| !block.contains("make run")).collect()
}

/// A copy of examples/quickstart that takes any free port.
fn quickstart() -> Site {
    let from = Path::new(ROOT).join("examples/quickstart");
    let site = Site::new("");
    let lists = ["lists/allow-clients.txt", "lists/deny-clients.txt", "lists/deny-senders.txt"];
    for name in lists.into_iter().chain(["scripts/greet.js"]) {
        site.write(name, &std::fs::read_to_string(from.join(name)).unwrap());
    }
    // `make sinks` has built the sandboxed ones.
    let manifest = std::fs::read_to_string(from.join("sinks.toml")).unwrap();
    site.write("sinks.toml", &manifest.replace("../../sinks/", &format!("{ROOT}/sinks/")));
    let config = std::fs::read_to_string(from.join("mailsluice.toml")).unwrap();
    site.write("mailsluice.toml", &config.replace("127.0.0.1:2525", "127.0.0.1:0"));
    site
}

#[test]
fn the_quickstart_passes_its_own_check() {
    let site = quickstart();
    let output = site.cli(&["check"]);
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("warning"), "{told}");
}

#[test]
fn the_commands_of_the_readme_work_as_printed() {
    let programs = ["swaks", "curl", "python3"].map(crate::peers::peer);
    if programs.contains(&None) {
        return;
    }
    let server = quickstart().start();
    let address = server.address(0);
    let adapt = |command: &str| {
        let command =
            command.replace("127.0.0.1:2525", &address.to_string()).replace("2525", &address.port().to_string());
        let command = command.replace("target/release/mailsluice", env!("CARGO_BIN_EXE_mailsluice"));
        command.replace("examples/quickstart", server.path("").to_str().unwrap().trim_end_matches('/'))
    };
    let mut said = String::new();
    let mut variables = String::new();
    for (number, command) in commands().iter().enumerate() {
        if command.contains("/new/*") {
            server.arrived("example.com", "alice", 3);
        }
        let adapted = adapt(command);
        let output = Command::new("sh").args(["-ec", &format!("{variables}{adapted}")]).output().expect("running sh");
        let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "command {number}:\n{adapted}\n{told}");
        said += &told;
        variables.extend(adapted.lines().filter(|line| line.starts_with("export ")).map(|line| format!("{line}\n")));
    }
    server.arrived("example.com", "bob", 1);
    for expected in ["X-Mailsluice: quickstart", "Subject: From Python", "We don't gamble", "refused", "mark", "policy"]
    {
        assert!(said.contains(expected), "`{expected}` is not in:\n{said}");
    }
}

/// As the README says it: from the folder of the sources, by a relative path.
#[cfg(feature = "wasm")]
#[test]
fn the_quickstart_is_in_order_from_where_the_readme_starts_it() {
    let checked = Command::new(env!("CARGO_BIN_EXE_mailsluice"))
        .args(["check", "--config", "examples/quickstart/mailsluice.toml"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    let (out, errors) = (String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(checked.status.success() && out.starts_with("ok: "), "{out}{errors}");
}
