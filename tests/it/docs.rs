//! The documentation holds what it can be held to: links lead somewhere, and every setting has its line.

use crate::inside::Plan;
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use mailsluice::event::Event;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Files under a folder with this ending, without build output and what servers wrote.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "var"].contains(&name.as_str()) {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// What stands in the parentheses of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

#[test]
fn links_lead_somewhere() {
    let mut pages = Vec::new();
    files(&root(), ".md", &mut pages);
    let mut dead = Vec::new();
    for page in pages {
        let text = read(&page);
        for link in links(&text).filter(|l| !l.starts_with("http")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let there = target.exists() && (anchor.is_empty() || read(&target).lines().any(|l| is_heading(l, anchor)));
            if !there {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "\n{}\n", dead.join("\n"));
}

fn is_heading(line: &str, anchor: &str) -> bool {
    let Some(title) = line.starts_with('#').then(|| line.trim_start_matches('#').trim()) else { return false };
    let plain: String = title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect();
    plain.replace(' ', "-") == anchor
}

/// A setting is a documented field whose text begins with its name in backticks: "/// `hops`: …".
#[test]
fn every_setting_has_its_line() {
    let pages = [("src/config", "docs/configuration.md"), ("src/manifest", "docs/manifest.md")];
    let mut missing = Vec::new();
    for (folder, page) in pages {
        let mut sources = Vec::new();
        files(&root().join(folder), ".rs", &mut sources);
        let page_text = read(&root().join(page));
        let mut settings = 0;
        for source in sources {
            let text = read(&source);
            for name in text.lines().filter_map(setting) {
                settings += 1;
                let forms = [format!("`{name}`"), format!("`{name} ="), format!("`[[{name}]]`")];
                if !forms.iter().any(|form| page_text.contains(form)) {
                    missing.push(format!("{page} does not name `{name}` of {}", source.display()));
                }
            }
        }
        assert!(settings > 10, "no settings found in {folder}");
    }
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

fn setting(line: &str) -> Option<&str> {
    let (name, _) = line.trim().strip_prefix("/// `")?.split_once("`: ")?;
    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
    name.chars().all(plain).then_some(name)
}

/// The cells of a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    Some(line.strip_prefix("| ")?.strip_suffix('|')?.split('|').map(str::trim).collect())
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Keywords that are offered only under TLS, only with users, or only by a sink.
const ELSEWHERE: [&str; 8] = ["STARTTLS", "AUTH", "REQUIRETLS", "ETRN", "ATRN", "TURN", "X-EXPS", "XEXCH50"];

#[test]
fn the_readme_has_each_extension_and_no_other() {
    let readme = read(&root().join("README.md"));
    let table =
        readme.split("## What it speaks").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the table");
    let rows: Vec<Vec<&str>> = table.lines().filter_map(cells).skip(2).collect();
    let written: BTreeSet<String> = rows.iter().flat_map(|row| quoted(row[0])).map(str::to_owned).collect();
    let listener = "role = \"submission\"\nfuture-release = \"30d\"\ndeliver-by = true\nmt-priority = true\nvrfy = true\n\
        expn = true\nxclient-from = [\"127.0.0.1\"]\nxforward-from = [\"127.0.0.1\"]\n[domains]";
    let server = Plan::new(&Site::PLAIN.replace("[domains]", listener)).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let reply = client.command("EHLO client.example").must_be(250);
    let words = reply.lines.iter().skip(1).filter_map(|line| line.split_whitespace().next());
    let offered: BTreeSet<String> = words.map(str::to_owned).chain(ELSEWHERE.map(str::to_owned)).collect();
    let lacking: Vec<&String> = offered.difference(&written).collect();
    assert!(lacking.is_empty(), "README.md lacks {lacking:?}");
    let unknown: Vec<&String> = written.difference(&offered).collect();
    assert!(unknown.is_empty(), "README.md has {unknown:?}, which nobody offers");
    for row in rows {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(
            quoted(row[4]).all(|event| Event::by_name(event).is_some()),
            "{row:?} names an event that there is not"
        );
    }
}
