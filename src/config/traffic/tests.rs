//! Which table holds for which name, and what is told of tables that can't be meant.

use super::*;
use crate::config::Settings;
use std::path::Path;

const HEAD: &str = "hostname = 'mx.example'\n[[listener]]\naddress = '127.0.0.1:0'\n[delivery]\nsmart-host = 'h:25'\n";

fn traffic(tables: &[&str]) -> Traffic {
    let text = HEAD.to_owned() + &tables.iter().map(|t| format!("[[traffic]]\n{t}\n")).collect::<String>();
    Settings::parse(Path::new("f.toml"), &text).unwrap_or_else(|e| panic!("{e}")).0.traffic
}

fn told(tables: &str) -> String {
    match Settings::parse(Path::new("f.toml"), &(HEAD.to_owned() + tables)) {
        Ok((_, warnings)) => warnings.to_string(),
        Err(found) => found.to_string(),
    }
}

#[test]
fn each_key_comes_from_the_most_specific_table_that_has_it() {
    let traffic = traffic(&[
        "site = '*'\nconnections = 5\nmessages-per-connection = 50",
        "site = '*.mail.example'\nmessages = '100/1m'",
        "site = '(mx*).mail.example'\nconnections = 7\nmessages = '1/1s'",
        "site = '(mx1|mx2).mail.example'\nconnections = 9",
        "domain = '*.Example'\nconnections = 3",
        "tenant = 'acme'\nmessages = '1000/1h'",
    ]);
    let of = |kind, name| {
        let limits = traffic.limits_of(kind, name);
        (limits.connections, limits.messages_per_connection, limits.rate.map(|r| r.messages))
    };
    for (kind, name, limits) in [
        (Kind::Site, "(mx1|mx2).mail.example", (Some(9), Some(50), Some(100))),
        (Kind::Site, "(mx3).mail.example", (Some(7), Some(50), Some(100))),
        (Kind::Site, "elsewhere", (Some(5), Some(50), None)),
        (Kind::Domain, "a.example", (Some(3), None, None)),
        (Kind::Domain, "example", (None, None, None)),
        (Kind::Tenant, "acme", (None, None, Some(1000))),
        (Kind::Tenant, "other", (None, None, None)),
        (Kind::Source, "acme", (None, None, None)),
    ] {
        assert_eq!(of(kind, name), limits, "{kind:?} {name}");
    }
    let none = Traffic::default();
    assert_eq!((none.limits_of(Kind::Site, "x").connections, none.connections()), (Some(PER_SITE), 1000));
}

#[test]
fn a_schedule_is_the_domain_s_then_the_site_s_then_the_property_s() {
    let traffic = traffic(&[
        "domain = 'slow.example'\nretry = ['1h']",
        "site = '*.mail.example'\nretry = ['2m']\nexpire = '2d'",
        "tenant = 'acme'\nexpire = '1d'\nwarn-after = '1h'",
        "campaign = '*'\nwarn-after = '30m'",
    ]);
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let of = |domain, site, tenant, campaign| {
        let schedule = traffic.schedule(domain, site, Props { tenant, campaign, source: None });
        (schedule.retry[0], schedule.expire, schedule.warn_after)
    };
    let (day, site) = (minutes(24 * 60), Some("(mx1).mail.example"));
    for (got, want) in [
        (of("x.example", None, None, None), (minutes(5), 5 * day, minutes(240))),
        (of("slow.example", site, None, None), (minutes(60), 2 * day, minutes(240))),
        (of("x.example", site, Some("acme"), None), (minutes(2), 2 * day, minutes(60))),
        (of("x.example", None, Some("ACME"), None), (minutes(5), day, minutes(60))),
        (of("x.example", None, Some("acme"), Some("news")), (minutes(5), day, minutes(30))),
    ] {
        assert_eq!(got, want);
    }
}

#[test]
fn what_can_t_be_meant_is_told() {
    for (tables, message) in [
        ("[[traffic]]\nconnections = 5\n", "the table does not say what it is about"),
        ("[[traffic]]\nsite = 'a'\ntenant = 'b'\nconnections = 5\n", "`tenant` is one selector too many"),
        ("[[traffic]]\nsite = 'a'\n", "this table sets nothing"),
        ("[[traffic]]\nsite = ''\nconnections = 5\n", "the pattern is empty"),
        ("[[traffic]]\ndomain = 'a*.example'\nconnections = 5\n", "is not a pattern that a limit on domains can have"),
        ("[[traffic]]\nsite = 'a'\nconnections = 0\n", "0 is out of range"),
        ("[[traffic]]\nsite = 'a'\nmessages = '100'\n", "`100` is not a rate such as \"100/1m\""),
        ("[[traffic]]\nsite = 'a'\nconections = 5\n", "did you mean `connections`?"),
        ("[[traffic]]\nsite = 'a'\nretry = []\n", "the list of retries is empty"),
        ("[[traffic]]\nsite = 'a'\nexpire = '1m'\n", "`expire` comes before the first retry"),
        ("[[traffic]]\nsite = 'a'\nwarn-after = '9d'\n", "`warn-after` is not before `expire`"),
        ("[traffic]\nsite = 'a'\nconnections = 5\n", "write `[[traffic]]`"),
        (
            "[[traffic]]\nsite = 'a'\nconnections = 5\n[[traffic]]\nsite = 'A'\nmessages = '1/1s'\n",
            "there is already a table for this site",
        ),
        ("[queue]\nconnections = 0\n", "0 is out of range"),
    ] {
        let told = told(tables);
        assert!(told.contains(message), "{tables}\n{told}");
    }
    assert_eq!(told("[[traffic]]\nsite = 'a'\nconnections = 5\n"), "");
}
