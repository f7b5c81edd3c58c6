//! Broken configurations and manifests, each beside the exact text that `mailsluice check` must print.
//!
//! A case is a folder under `tests/broken` with a `mailsluice.toml`, or purposely without one, and an
//! `expected.txt`. `UPDATE=1` writes what is printed now into `expected.txt`; read the difference before you
//! commit it.

use mailsluice::config::{Diagnostics, Settings};
use mailsluice::manifest::Manifest;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What `mailsluice check` prints in a folder. It is run on a copy in a place with a short path, for where the sources lie
/// must not decide whether a Unix socket fits.
fn check(case: &Path) -> String {
    let copy = tempfile::tempdir().expect("a folder");
    let folder = copy.path().canonicalize().expect("a folder");
    copy_into(case, &folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailsluice"));
    let output =
        command.args(["check", "--config", "mailsluice.toml"]).current_dir(&folder).output().expect("mailsluice");
    let told = String::from_utf8(output.stdout).expect("text") + &String::from_utf8_lossy(&output.stderr);
    let told = told.replace(&format!("{}/", folder.display()), "");
    let fails = told.lines().any(|line| line.starts_with("error"));
    assert_eq!(output.status.code(), Some(i32::from(fails)), "{}:\n{told}", case.display());
    told
}

fn copy_into(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("a file").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_into(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

#[test]
fn every_broken_configuration_is_told_exactly() {
    let update = std::env::var_os("UPDATE").is_some();
    let root = Path::new("tests/broken");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(root).expect("tests/broken") {
        let folder = entry.expect("a folder").path();
        if !folder.is_dir() {
            continue;
        }
        cases += 1;
        let told = check(&folder);
        let expected = folder.join("expected.txt");
        let wrong_here = told.contains("error: ") || told.contains("warning: ");
        assert!(wrong_here, "{}: nothing is wrong here", folder.display());
        if update {
            fs::write(&expected, &told).expect("expected.txt can be written");
            continue;
        }
        match fs::read_to_string(&expected) {
            Ok(want) if want == told => {}
            Ok(want) => wrong.push(format!("{}\n--- expected\n{want}\n--- told\n{told}", folder.display())),
            Err(_) => wrong.push(format!("{} lacks its expected.txt; it would be\n{told}", folder.display())),
        }
    }
    assert!(cases >= 25, "only {cases} cases were found");
    assert!(wrong.is_empty(), "{}\nUPDATE=1 rewrites them", wrong.join("\n\n"));
}

const SAMPLES: [(&str, &str); 3] = [
    (
        "mailsluice.toml",
        "hostname = \"mx.example.com\"\n[[listener]]\naddress = \"127.0.0.1:2525\"\n[domains]\nlocal = [\"bücher.example\"]\n\
         [recipients]\nusers = [\"alice\", { file = \"none\" }]\n[[route]]\ndomain = \"*.x\"\nto = { smtp = \"h:25\" }\n\
         [limits]\nidle = \"5 m\"\nmessage-size = \"1 MiB\"\n[queue]\nretry = [\"5m\"]\n",
    ),
    (
        "sinks.toml",
        "include = []\n[[sink]]\nname = \"a\"\nmodule = \"a.wasm\"\nconfig.x = [1, 2.5, 1979-05-27]\n[[sink.on]]\n\
         event = \"in.mail\"\npriority = 1\nwhen = { any = [{ sender = \"*\" }] }\n",
    ),
    (
        "sinks.json",
        "{\"sink\": [{\"name\": \"a\", \"native\": \"log\", \"config\": {\"é\": [null, -1.5e3, \"\\u00e9\"]}, \"on\": []}]}",
    ),
];

proptest::proptest! {
    /// Whatever is typed into a good file, it is read or refused with an error that can be printed.
    #[test]
    fn no_slip_of_the_pen_stops_the_reader(
        sample in 0..SAMPLES.len(), at in 0.0..1.0f64, cut in 0..40usize, typed in "[\\PC\n\t\r\u{0}\"'\\[\\]{}=,.#]{0,8}",
    ) {
        let (name, text) = SAMPLES[sample];
        let start = text.floor_char_boundary((at * text.len() as f64) as usize);
        let end = text.ceil_char_boundary((start + cut).min(text.len()));
        let changed = format!("{}{typed}{}", &text[..start], &text[end..]);
        let path = Path::new("no-such-folder").join(name);
        let mut found = Diagnostics::default();
        if name == "mailsluice.toml" {
            if let Err(errors) = Settings::parse(&path, &changed) {
                assert!(errors.has_errors() && errors.to_string().starts_with("error") || errors.to_string().contains("\nerror"));
            }
        } else {
            Manifest::parse(&path, &changed, &mut found);
            assert_eq!(found.is_empty(), found.to_string().is_empty());
        }
    }
}
