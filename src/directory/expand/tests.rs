use super::*;
use crate::config::Settings;
use crate::mail::Standing;
use proptest::prelude::*;

/// A directory of two domains, with these users and this aliases file.
fn directory(users: &[&str], aliases: &str) -> Directory {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("aliases"), aliases).unwrap();
    let listed = users.join("', '");
    let text = format!(
        "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nlocal = ['a.example', 'b.example']\n\
         [recipients]\nusers = ['{listed}']\naliases = 'aliases'\n"
    );
    let path = dir.path().join("mailsluice.toml");
    std::fs::write(&path, &text).unwrap();
    let mut found = crate::config::Diagnostics::default();
    // With its errors: the checks must not be what keeps this from running for ever.
    let settings = Settings::read(&path, &mut found).unwrap_or_else(|| panic!("{found}"));
    let mut builder = Directory::builder().local("a.example").local("b.example").aliases(&settings.recipients.aliases);
    for user in users {
        builder = builder.user(user);
    }
    builder.build().unwrap()
}

fn path(text: &str) -> ForwardPath {
    ForwardPath::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Who gets it, as `address`, `address > folder`, or `address from owner`.
fn resolve(directory: &Directory, recipient: &str) -> Vec<String> {
    let text = |resolved: Resolved| {
        let file = resolved.file.map_or_else(String::new, |file| format!(" > {}", file.display()));
        let sender = resolved.sender.map_or_else(String::new, |sender| format!(" from {}", sender.as_str()));
        format!("{}{file}{sender}", resolved.path.as_str())
    };
    match directory.resolve(&path(recipient)) {
        Ok(resolved) => resolved.into_iter().map(text).collect(),
        Err(error) => vec![format!("error: {error}")],
    }
}

#[test]
fn from_an_address_to_those_who_get_it() {
    let directory = directory(
        &["alice", "bob", "carol", "dave+x"],
        "postmaster: alice\n\
         bob: bob, archive\n\
         archive: /var/mail/archive/\n\
         carol: carol@elsewhere.example\n\
         all: team, bob, Alice, x@ELSEWHERE.example, x@elsewhere.example, X@elsewhere.example\n\
         team: alice+list, staff@b.example\n\
         staff: alice, nobody\n\
         staff@b.example: bob, far@elsewhere.example\n\
         dave: alice\n\
         noreply: /dev/null\n\
         both: /dev/null, alice\n\
         \"two words\": alice\n\
         here: here@b.example\n\
         @b.example: alice@a.example\n",
    );
    for (asked, want) in [
        ("alice@a.example", vec!["alice@a.example"]),
        ("x@elsewhere.example", vec!["x@elsewhere.example"]),
        ("nobody@a.example", vec!["nobody@a.example"]),
        ("nobody@b.example", vec!["alice@a.example"]),
        ("postmaster", vec!["alice@a.example"]),
        ("PostMaster@B.example", vec!["alice@B.example"]),
        ("bob@a.example", vec!["bob@a.example", "archive@a.example > /var/mail/archive/"]),
        ("Bob+tag@a.example", vec!["Bob+tag@a.example", "archive@a.example > /var/mail/archive/"]),
        ("carol@a.example", vec!["carol@elsewhere.example"]),
        ("\"two words\"@b.example", vec!["alice@b.example"]),
        ("dave@a.example", vec!["alice@a.example"]),
        ("dave+y@a.example", vec!["alice@a.example"]),
        ("dave+x@a.example", vec!["dave+x@a.example"]),
        ("noreply@a.example", vec![]),
        ("both@a.example", vec!["alice@a.example"]),
        ("staff@a.example", vec!["alice@a.example", "nobody@a.example"]),
        (
            "all@a.example",
            vec![
                "alice+list@a.example",
                "bob@b.example",
                "archive@b.example > /var/mail/archive/",
                "far@elsewhere.example",
                "bob@a.example",
                "Alice@a.example",
                "x@ELSEWHERE.example",
                "X@elsewhere.example",
            ],
        ),
        ("here@a.example", vec!["here@b.example"]),
    ] {
        assert_eq!(resolve(&directory, asked), want, "{asked}");
    }
    let via =
        |asked: &str| directory.resolve(&path(asked)).unwrap().into_iter().map(|r| r.via.join(" ")).collect::<Vec<_>>();
    assert_eq!(via("alice@a.example"), [""]);
    assert_eq!(via("all@a.example")[1], "all@a.example team@a.example staff@b.example bob@b.example");
}

#[test]
fn the_owner_of_the_innermost_list_hears_of_failures() {
    let directory = directory(
        &["alice", "bob"],
        "outer: alice, inner, plain\nowner-outer: bob\n\
         inner: x@elsewhere.example\nowner-inner: alice, bob\n\
         plain: y@elsewhere.example\n",
    );
    assert_eq!(
        resolve(&directory, "outer+tag@b.example"),
        [
            "alice@b.example from owner-outer@b.example",
            "x@elsewhere.example from owner-inner@b.example",
            "y@elsewhere.example from owner-outer@b.example",
        ]
    );
    assert_eq!(resolve(&directory, "plain@a.example"), ["y@elsewhere.example"]);
}

#[test]
fn who_is_an_alias_exists_but_has_a_mailbox_only_if_it_contains_itself() {
    let directory =
        directory(&["alice", "bob"], "alice: bob\nbob: bob, x@elsewhere.example\nteam: alice\n@b.example: bob\n");
    for (asked, standing, user) in [
        ("alice@a.example", Standing::Local, None),
        ("alice+tag@a.example", Standing::Local, None),
        ("bob+tag@a.example", Standing::Local, Some("bob")),
        ("team@a.example", Standing::Local, None),
        ("postmaster@a.example", Standing::Local, Some("postmaster")),
        ("nobody@a.example", Standing::Unknown, None),
        ("nobody@b.example", Standing::Local, None),
    ] {
        assert_eq!(directory.standing(&path(asked), None, false), standing, "{asked}");
        assert_eq!(directory.user(&path(asked)).as_ref().map(|u| &*u.name), user, "{asked}");
        assert_eq!(
            directory.expand(&path(asked)).is_some(),
            standing == Standing::Local && !asked.starts_with("postm"),
            "{asked}"
        );
    }
    let exists = |asked: &str| matches!(directory.vrfy(asked), crate::directory::Vrfy::User(_));
    assert!(exists("team@a.example") && exists("nobody@b.example") && !exists("nobody@a.example"));
}

/// The checks of the configuration have let these pass here, for the walk must stand on its own.
#[test]
fn a_circle_ends_with_its_names() {
    let directory = directory(&["alice"], "a: b\nb: alice, a\nc: c, b\nd: e\ne: d, d@b.example\n@b.example: nobody\n");
    for (asked, want) in [
        ("a@a.example", "a@a.example -> b@a.example -> a@a.example"),
        ("c+x@a.example", "c+x@a.example -> b@a.example -> a@a.example -> b@a.example"),
        ("x@b.example", "x@b.example -> nobody@b.example"),
    ] {
        let Err(ExpandError::Circle(names)) = directory.resolve(&path(asked)) else { panic!("{asked}") };
        assert_eq!(names.join(" -> "), want);
    }
    assert_eq!(ExpandError::Nobody(String::new()).reply().code(), 451);
}

#[test]
fn depth_and_number_are_bounded() {
    let chain = |n: usize| (0..n).map(|i| format!("a{i}: a{}\n", i + 1)).collect::<String>();
    assert_eq!(resolve(&directory(&["alice"], &(chain(19) + "a19: alice\n")), "a0@a.example"), ["alice@a.example"]);
    let deep = directory(&["alice"], &(chain(20) + "a20: alice\n")).resolve(&path("a0@a.example"));
    assert!(matches!(deep, Err(ExpandError::TooDeep(names)) if names.len() == DEPTH_MAX + 1));
    // Each list names the one below twice: a walk without memory would take 2^19 steps.
    let twice = (0..19).map(|i| format!("a{i}: a{0}, a{0}\n", i + 1)).collect::<String>() + "a19: alice\n";
    assert_eq!(resolve(&directory(&["alice"], &twice), "a0@a.example"), ["alice@a.example"]);
    let many = |n: usize| "a: ".to_owned() + &(0..n).map(|i| format!("u{i}@x.example, ")).collect::<String>() + "\n";
    assert_eq!(directory(&[], &many(RECIPIENTS_MAX)).resolve(&path("a@a.example")).unwrap().len(), RECIPIENTS_MAX);
    let over = directory(&[], &many(RECIPIENTS_MAX + 1)).resolve(&path("a@a.example"));
    assert_eq!(over, Err(ExpandError::TooMany("a@a.example".to_owned())));
}

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "u", "v"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever leads to whatever, the walk ends, and with no alias but those that contain themselves.
    #[test]
    fn every_walk_ends_with_mailboxes(
        graph in prop::collection::vec((0..6usize, prop::option::of(0..2usize), prop::collection::vec((0..8usize, prop::option::of(0..2usize), any::<bool>()), 1..4)), 0..10),
        catch_all in prop::option::of(0..8usize),
    ) {
        let at = |name: usize, domain: Option<usize>, tag: bool| {
            let domain = domain.map_or("", |d| ["@a.example", "@b.example"][d]);
            format!("{}{}{domain}", NAMES[name], if tag { "+t" } else { "" })
        };
        let mut text = String::new();
        let mut names = HashSet::new();
        for (name, domain, members) in graph {
            let name = at(name, domain, false);
            let members: Vec<String> = members.iter().map(|(name, domain, tag)| at(*name, *domain, *tag)).collect();
            if names.insert(name.clone()) {
                text += &format!("{name}: {}\n", members.join(", "));
            }
        }
        text += &catch_all.map_or_else(String::new, |to| format!("@b.example: {}\n", NAMES[to]));
        let directory = directory(&["u", "v", "a"], &text);
        for name in 0..8 {
            for domain in 0..2 {
                let Ok(resolved) = directory.resolve(&path(&at(name, Some(domain), false))) else { continue };
                let mut once = HashSet::new();
                for one in resolved {
                    prop_assert!(one.via.len() <= DEPTH_MAX);
                    let asked = directory.asked(&one.path).unwrap();
                    prop_assert!(!directory.is_hidden(&asked.name, &asked.domain), "{} in\n{text}", one.path);
                    prop_assert!(once.insert((asked.name, asked.domain)), "{} twice in\n{text}", one.path);
                }
            }
        }
    }
}
