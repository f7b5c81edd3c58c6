use super::super::{Diagnostics, Settings, Severity};
use super::Aliases;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration in a folder, with these files beside it; Alice and Bob are users of two domains.
struct Case {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl Case {
    fn new(recipients: &str, files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let path = dir.path().join("mailsluice.toml");
        let text = format!(
            "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n\
             [domains]\nlocal = ['example.com', 'example.net']\nrelay-to = ['uni.example']\n\
             [delivery]\nsmart-host = 'relay.example:25'\n[recipients]\n{recipients}\n"
        );
        std::fs::write(&path, text).unwrap();
        Self { dir, path }
    }

    fn load(&self) -> Result<(Settings, Diagnostics), Diagnostics> {
        Settings::load(&self.path)
    }

    /// What is told, without the folder.
    fn told(&self, found: &Diagnostics) -> String {
        found.to_string().replace(&format!("{}/", self.dir.path().display()), "")
    }
}

const USERS: &str = "users = ['alice', 'bob']\naliases = 'aliases'";

fn good(text: &str) -> Arc<Aliases> {
    let case = Case::new(USERS, &[("aliases", text)]);
    match case.load() {
        Ok((settings, found)) if found.is_empty() => settings.recipients.aliases,
        Ok((_, found)) | Err(found) => panic!("{text}\n{}", case.told(&found)),
    }
}

/// What is told of an aliases file: messages with line, column and help.
fn told_of(files: &[(&str, &str)]) -> Vec<String> {
    let case = Case::new(USERS, files);
    let found = match case.load() {
        Ok((_, found)) | Err(found) => found,
    };
    let place = |d: &super::super::Diagnostic| {
        let (line, column) = d.span.and_then(|span| found.sources.line_column(span)).unwrap_or_default();
        let name = d.span.map_or("", |span| found.sources.name(span.source));
        format!("{} {line}:{column} {}", Path::new(name).file_name().unwrap().display(), d.message)
    };
    found.iter().map(place).collect()
}

#[test]
fn the_two_forms_say_the_same() {
    let classic = "# people\n\
        postmaster: alice, bob@elsewhere.example # who\n\
        \"Two Words\" : \"a, b\"@elsewhere.example,\n\
        # a comment between\n\
        \n\
        \t bob ,\n\
        \u{20}  Alice <alice@example.com>\n\
        team@example.net: :include:team.list\n\
        owner-team: alice\n\
        noreply: /dev/null\n\
        archive: /var/mail/archive/, \"/var/my mail/\"\n\
        bob: bob, archive\n\
        @example.com: alice";
    let toml = "[alias]\n\
        postmaster = ['alice', 'bob@elsewhere.example']\n\
        '\"Two Words\"' = ['\"a, b\"@elsewhere.example', 'bob', 'alice@example.com']\n\
        'team@example.net' = [{ file = 'team.list' }]\n\
        owner-team = 'alice'\n\
        noreply = '/dev/null'\n\
        archive = ['/var/mail/archive/', '/var/my mail/']\n\
        bob = ['\\bob', 'archive']\n\
        '@example.com' = 'alice'\n";
    let list = "alice\n  # nobody else\nbob@example.net, carol@elsewhere.example # two\n";
    let load = |name: &str, text: &str| {
        let case =
            Case::new(&format!("users = ['alice', 'bob']\naliases = '{name}'"), &[(name, text), ("team.list", list)]);
        let (settings, found) = case.load().unwrap_or_else(|found| panic!("{found}"));
        assert!(found.is_empty(), "{found}");
        let watched: Vec<_> = settings.files.iter().filter_map(|file| file.file_name()).collect();
        assert!(watched.contains(&name.as_ref()) && watched.contains(&"team.list".as_ref()), "{watched:?}");
        settings.recipients.aliases
    };
    let (a, b) = (load("aliases", classic), load("aliases.toml", toml));
    assert_eq!(a, b);
    assert_eq!(a.len(), 8);
    assert_eq!(a.iter().filter(|(_, entry)| entry.itself).count(), 1);
}

#[test]
fn files_may_be_many_and_their_order_counts() {
    let case = Case::new(
        "users = ['alice']\naliases = ['one', 'two.toml']",
        &[("one", "a: alice\n"), ("two.toml", "[list.b]\nmembers = 'a'\nowner = 'alice'\ndescription = 'for b'\n")],
    );
    let (settings, found) = case.load().unwrap_or_else(|found| panic!("{found}"));
    assert!(found.is_empty(), "{found}");
    let entries: Vec<_> = settings.recipients.aliases.iter().map(|(_, entry)| entry.owner.is_some()).collect();
    assert_eq!(entries, [false, true]);
}

#[test]
fn a_slip_is_told_with_its_place() {
    for (text, want) in [
        ("a: alice\nA: bob\n", "aliases 2:1 the alias `A` is given twice"),
        ("@example.com: alice\n@EXAMPLE.com: bob\n", "aliases 2:1 the alias `@EXAMPLE.com` is given twice"),
        ("  alice\na: bob\n", "aliases 1:3 there is no alias that this line continues"),
        ("team alice\n  bob\n", "aliases 1:1 the colon after the name is missing"),
        ("team:\nb: alice\n", "aliases 1:1 the alias `team` has no member"),
        ("team: # nobody\n", "aliases 1:1 the alias `team` has no member"),
        (": alice\n", "aliases 1:1 `` is neither a local part nor an address"),
        ("a: alice,\n   |/bin/vacation\n", "aliases 2:4 delivery to a command is not supported"),
        ("a: \"|/bin/x a, b\"\n", "aliases 1:4 delivery to a command is not supported"),
        ("a: /var/mail/a\n", "aliases 1:4 delivery to a single file is not supported"),
        ("a: alice bob\n", "aliases 1:4 `alice bob` is neither a local part nor an address"),
        ("a: \"alice, bob\n", "aliases 1:4 `\"alice, bob` is neither a local part nor an address"),
        ("a@elsewhere.example: alice\n", "aliases 1:1 the domain of the alias `a@elsewhere.example` is not local"),
        ("a: bbo\n", "aliases 1:4 `bbo` has no mailbox and is no alias"),
        ("a: carol@example.net\n", "aliases 1:4 `carol@example.net` has no mailbox and is no alias"),
        ("carol: carol, alice\n", "aliases 1:8 `carol` has no mailbox and is no alias"),
        ("a: :include:nowhere\n", "aliases 1:4 cannot read `"),
        ("a: :include:empty\n", "aliases 1:4 `"),
        ("a: alice, :include:odd\n", "odd 2:1 `:include:other` can't stand in an included file"),
        ("x: alice\na: b\nb: c\nc: a\n", "aliases 2:1 these aliases lead in a circle: a -> b -> c -> a"),
        ("@example.com: nobody\n", "aliases 1:1 these aliases lead in a circle: @example.com -> @example.com"),
        ("a: b@example.net\nb: a+x\n", "aliases 1:1 these aliases lead in a circle: a -> b -> a"),
    ] {
        let told = told_of(&[("aliases", text), ("empty", "# none\n"), ("odd", "alice\n:include:other\n")]);
        assert!(matches!(&*told, [one] if one.starts_with(want)), "{text}\n{told:#?}");
    }
}

#[test]
fn what_is_no_slip() {
    for text in [
        "bob: bob, alice\n",
        "bob: bob+kept\n",
        "alice: alice, bob\nbob: bob, alice\n",
        "root: postmaster\n",
        "a: b, alice\nc: b\nb: alice\n",
        "@example.com: alice\na: nobody\n",
        "info: info2@example.net\n@example.net: bob\n",
        "bob@example.net: bob@example.com\n",
        "bob@example.net: alice\na: bob@example.net\n",
        "team: alice+tag\r\n\r\n  , bob\r\n",
    ] {
        good(text);
    }
}

#[test]
fn a_slip_in_toml_is_told_with_its_place() {
    for (text, want) in [
        ("[alias]\na = 'alice'\nA = 'bob'\n", "aliases.toml 3:1 the alias `A` is given twice"),
        ("[alias]\na = []\n", "aliases.toml 2:5 there is no member"),
        ("[alias]\na = 5\n", "aliases.toml 2:5 expected a member or `{ file = \"…\" }`, found an integer"),
        ("[alias]\na = ['|x']\n", "aliases.toml 2:6 delivery to a command is not supported"),
        ("[alias]\na = { fiel = 'x' }\n", "aliases.toml 2:7 unknown key `fiel`"),
        ("[list.a]\nowner = 'alice'\n", "aliases.toml 1:1 the key `members` is missing"),
        (
            "[list.a]\nmembers = 'alice'\nowner = 'a b'\n",
            "aliases.toml 3:9 `a b` is neither a local part nor an address",
        ),
        ("[lists.a]\nmembers = 'alice'\n", "aliases.toml 1:2 unknown key `lists`"),
        ("alias = 'alice'\n", "aliases.toml 1:9 expected a table, found a string"),
        (
            "[alias]\na = 'b'\n[list.b]\nmembers = ['a']\n",
            "aliases.toml 2:1 these aliases lead in a circle: a -> b -> a",
        ),
    ] {
        let case = Case::new("users = ['alice', 'bob']\naliases = 'aliases.toml'", &[("aliases.toml", text)]);
        let found = match case.load() {
            Ok((_, found)) | Err(found) => found,
        };
        let told: Vec<String> = found
            .iter()
            .map(|d| {
                let (line, column) = found.sources.line_column(d.span.unwrap()).unwrap();
                format!("aliases.toml {line}:{column} {}", d.message)
            })
            .collect();
        assert!(matches!(&*told, [one] if one == want), "{text}\n{told:#?}");
    }
}

#[test]
fn lists_may_be_nested_twenty_deep() {
    let chain = |n: usize| (0..n).map(|i| format!("a{i}: a{}\n", i + 1)).collect::<String>();
    good(&(chain(19) + "a19: alice\n"));
    for backwards in [false, true] {
        let text = chain(20) + "a20: alice\n";
        let text = if backwards { text.lines().rev().map(|l| format!("{l}\n")).collect() } else { text };
        let told = told_of(&[("aliases", &text)]);
        assert!(matches!(&*told, [one] if one.contains("nested more than 20 deep: a0 -> a1 ->")), "{told:#?}");
    }
    assert_eq!(told_of(&[("aliases", &(chain(5000) + "a5000: alice\n"))]).len(), 1);
}

#[test]
fn a_wrong_file_is_given_up_after_ten_errors_and_warnings_are_summed_up() {
    assert_eq!(told_of(&[("aliases", &"no alias\n".repeat(1000))]).len(), 11);
    let names: String = (0..1000).map(|n| format!("nobody{n}\n")).collect();
    let told = told_of(&[("aliases", "a: :include:list\nb: :include:list\n"), ("list", &names)]);
    assert_eq!(told.len(), 10);
    assert_eq!(told[9], "list 10:1 `nobody9` has no mailbox and is no alias, and neither are 990 members after it");
    // Both files are given up.
    assert_eq!(told_of(&[("aliases", "a: :include:list\n"), ("list", &"/x\n".repeat(1000))]).len(), 12);
}

#[test]
fn a_catch_all_is_idle_where_everybody_exists() {
    let case = Case::new("aliases = 'aliases'", &[("aliases", "@example.com: alice\n")]);
    let (_, found) = case.load().unwrap();
    let told = case.told(&found);
    assert!(told.contains("aliases:1:1") && told.contains("this catch-all is never used"), "{told}");
}

#[test]
fn domains_to_ask_are_those_that_are_handed_on() {
    let load = |recipients: &str| Case::new(&format!("users = []\n{recipients}"), &[]).load();
    let settings = load("verify = ['UNI.example']\nverify-keep-no = '1m'").unwrap().0.recipients;
    assert_eq!(settings.verify, ["uni.example"]);
    assert_eq!((settings.verify_keep_yes.as_secs(), settings.verify_keep_no.as_secs()), (86_400, 60));
    for (bad, want) in [
        ("verify = ['example.com']", "is not in `domains.relay-to`"),
        ("verify = ['elsewhere.example']", "is not in `domains.relay-to`"),
        ("verify = ['a@uni.example']", "is not a domain"),
        ("verify-keep-yes = '0s'", "longer than nothing"),
    ] {
        let found = load(bad).unwrap_err();
        assert!(found.count(Severity::Error) == 1 && found.to_string().contains(want), "{found}");
    }
}
