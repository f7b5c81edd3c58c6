//! What `mailsluice check` says of the keytab.

use super::{CONFIG, Realm, accounts, site};

/// The site's errors and warnings, as `check` prints them.
fn told(site: &crate::server::Site) -> String {
    let output = site.cli(&["check"]);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_keytab_that_is_no_use_is_told_with_what_to_do() {
    let Some(realm) = Realm::start() else { return };
    let site = site(&realm, CONFIG);
    site.write("accounts", &accounts());
    let keytab = |from: &str| std::fs::copy(realm.path(from), site.path("smtp.keytab")).unwrap();
    assert!(!told(&site).contains("keytab"), "{}", told(&site));
    keytab("host.keytab");
    let wrong = told(&site);
    assert!(wrong.contains("has no key of `smtp/…`") && wrong.contains("it has host/localhost"), "{wrong}");
    keytab("smtp.keytab");
    site.configure(&CONFIG.replace("realms =", "service = \"smtp@mx.example.com\", realms ="));
    let wrong = told(&site);
    assert!(
        wrong.contains("has no key of `smtp/mx.example.com`") && wrong.contains("it has smtp/localhost"),
        "{wrong}"
    );
    site.configure(CONFIG);
    site.write("smtp.keytab", "none");
    let wrong = told(&site);
    assert!(wrong.contains("it is not a keytab of version 2") && wrong.contains("ktadd -k FILE"), "{wrong}");
    std::fs::remove_file(site.path("smtp.keytab")).unwrap();
    let wrong = told(&site);
    assert!(wrong.contains("can't be read: it does not exist") && wrong.contains("ktadd -k FILE"), "{wrong}");
    site.configure(&CONFIG.replace("gssapi = {", "# gssapi = {"));
    assert!(told(&site).contains("nothing says where the service's keys are"), "{}", told(&site));
}
