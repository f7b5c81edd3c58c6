//! Certificates and keys that can't be used: `check` says where, what and what to do, and never shows a key.

use super::authority::{Authority, Leaf, Wanted};
use crate::server::Site;
use rcgen::PKCS_RSA_SHA256;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

/// A site with one listener that has this `tls`, or what stands in it.
fn site(tls: &str) -> Site {
    Site::new(&Site::PLAIN.replace("[domains]", &format!("tls = {{ {tls} }}\n[domains]")))
}

const USUAL: &str = "mode = 'starttls', certificate = 'tls/cert.pem', key = 'tls/key.pem'";

fn leaf() -> Leaf {
    Authority::new("Test CA").server(&["mx.example.com"])
}

/// What `check` says of a site with these files, and whether it passes.
fn told(tls: &str, files: &[(&str, &str)]) -> (String, bool) {
    let site = site(tls);
    for (name, text) in files {
        site.write(name, text);
        set_permissions(site.path(name), Permissions::from_mode(0o640)).unwrap();
    }
    checked(&site)
}

fn checked(site: &Site) -> (String, bool) {
    let output = site.cli(&["check"]);
    let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (told.replace(&site.path("").display().to_string(), ""), output.status.success())
}

/// The pair, as changed by the case.
fn told_of(certificate: &str, key: &str) -> (String, bool) {
    let (told, passes) = told(USUAL, &[("tls/cert.pem", certificate), ("tls/key.pem", key)]);
    let secret: Vec<&str> = key.lines().filter(|line| !line.starts_with("-----") && line.len() > 20).collect();
    let public = |line: &str| certificate.contains(line);
    assert!(!secret.iter().any(|line| !public(line) && told.contains(*line)), "a key is shown:\n{told}");
    (told, passes)
}

#[track_caller]
fn refused(certificate: &str, key: &str, place: &str, message: &str, help: &str) {
    let (told, passes) = told_of(certificate, key);
    assert!(!passes, "{told}");
    for part in [&format!("{place}:"), &format!("error: {message}"), help] {
        assert!(told.contains(part), "{part:?} in\n{told}");
    }
}

#[test]
fn a_pair_that_fits_passes() {
    let leaf = leaf();
    let (told, passes) = told_of(&leaf.certificate, &leaf.key);
    assert!(passes && !told.contains("tls/"), "{told}");
}

#[test]
fn the_wrong_file_is_told_for_what_it_is() {
    let leaf = leaf();
    let exchanged = "are `certificate` and `key` exchanged?";
    refused(&leaf.key, &leaf.certificate, "mailsluice.toml:6", "there is no certificate in `tls/cert.pem`", exchanged);
    refused(&leaf.key, &leaf.certificate, "mailsluice.toml:6", "there is no private key in `tls/key.pem`", exchanged);
    let request = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n";
    refused(request, &leaf.key, "mailsluice.toml:6", "there is no certificate", "what the authority sends back");
    refused(
        "0\u{82}\u{3}",
        &leaf.key,
        "mailsluice.toml:6",
        "there is no certificate",
        "begins with `-----BEGIN CERTIFICATE",
    );
    refused(
        &leaf.certificate,
        "hunter2 is the password\n",
        "mailsluice.toml:6",
        "there is no private key",
        "a key begins with",
    );
    refused(&leaf.certificate, "", "mailsluice.toml:6", "there is no private key", "a key begins with");
}

#[test]
fn binary_files_are_told_how_to_become_text() {
    let site = site(USUAL);
    site.write_octets("tls/cert.pem", &[0x30, 0x82, 0x01, 0xff]);
    site.write_octets("tls/key.pem", &[0x30, 0x82, 0x01, 0xfe]);
    let (told, passes) = checked(&site);
    assert!(
        !passes && told.contains("openssl x509 -inform der") && told.contains("openssl pkey -inform der"),
        "{told}"
    );
}

#[test]
fn a_damaged_file_is_told_at_its_line() {
    let leaf = leaf();
    let mut lines: Vec<&str> = leaf.certificate.lines().collect();
    lines[3] = "MII*";
    refused(
        &lines.join("\n"),
        &leaf.key,
        "tls/cert.pem:4",
        "the section `CERTIFICATE` is damaged",
        "copy the file again",
    );
    let short = lines[..3].join("\n");
    refused(&short, &leaf.key, "tls/cert.pem:1", "the section `CERTIFICATE` has no end", "the file is cut off");
    let half = format!("# note\n{}\n{}\n-----END CERTIFICATE-----\n", lines[0], lines[1]);
    refused(&half, &leaf.key, "tls/cert.pem:2", "the certificate can't be read", "copy it again");
    let broken_key = leaf.key.replacen("M", "?", 1);
    refused(
        &leaf.certificate,
        &broken_key,
        "tls/key.pem:2",
        "the section `PRIVATE KEY` is damaged",
        "copy the file again",
    );
}

#[test]
fn a_key_that_is_encrypted_or_of_another_certificate() {
    let (leaf, other) = (leaf(), leaf());
    refused(
        &leaf.certificate,
        &other.key,
        "tls/key.pem:1",
        "this key is not the one of the certificate in `tls/cert.pem`",
        "was one of them renewed without the other?",
    );
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBvTBX\n-----END ENCRYPTED PRIVATE KEY-----\n";
    refused(&leaf.certificate, encrypted, "tls/key.pem:1", "the key is encrypted", "openssl pkey -in OLD -out NEW");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n";
    refused(&leaf.certificate, old, "tls/key.pem:1", "the key is encrypted", "openssl pkey -in OLD -out NEW");
    let dsa = "-----BEGIN DSA PRIVATE KEY-----\nMIIB\n-----END DSA PRIVATE KEY-----\n";
    refused(&leaf.certificate, dsa, "tls/key.pem:1", "a `DSA PRIVATE KEY` can't be used", "use an ECDSA key");
}

#[test]
fn the_order_of_a_chain() {
    let ca = Authority::new("Test CA");
    let leaf = ca.server(&["mx.example.com"]);
    let wrong = format!("{}{}", ca.certificate(), leaf.certificate);
    refused(
        &wrong,
        &leaf.key,
        "tls/cert.pem:1",
        "the first certificate is one of an authority",
        "put the server's own first",
    );
    let (told, passes) = told_of(&format!("{}{}", leaf.certificate, ca.certificate()), &leaf.key);
    assert!(passes && !told.contains("warning: this certificate"), "{told}");
    let (told, passes) = told_of(&format!("{}{}", leaf.certificate, Authority::new("Other").certificate()), &leaf.key);
    assert!(passes && told.contains("warning: this certificate is not that of the issuer"), "{told}");
}

#[test]
fn times_are_warnings() {
    let ca = Authority::new("Test CA");
    for (from, to, message) in [
        (-20, -3, "the certificate has expired"),
        (2, 40, "the certificate does not count yet"),
        (-80, 5, "the certificate expires in 4 days"),
    ] {
        let leaf = ca.issue(&Wanted { names: &["mx.example.com"], from, to, ..Wanted::default() });
        let (told, passes) = told_of(&leaf.certificate, &leaf.key);
        assert!(passes && told.contains(&format!("warning: {message}")) && told.contains("tls/cert.pem:1:1"), "{told}");
    }
}

#[test]
fn every_kind_of_key_and_one_file_for_both() {
    let leaf = Authority::new("Test CA").issue(&Wanted {
        names: &["mx.example.com"],
        algorithm: &PKCS_RSA_SHA256,
        ..Wanted::default()
    });
    let both = format!("{}{}", leaf.key, leaf.certificate);
    let tls = "mode = 'implicit', certificate = 'tls/both.pem', key = 'tls/both.pem'";
    let (told, passes) = told(tls, &[("tls/both.pem", &both)]);
    assert!(passes, "{told}");
}

#[test]
fn a_key_that_everybody_can_read_is_a_warning_and_a_missing_file_an_error() {
    let (leaf, site) = (leaf(), site(USUAL));
    site.write("tls/cert.pem", &leaf.certificate);
    let (told, passes) = checked(&site);
    assert!(!passes && told.contains("cannot read `tls/key.pem`: it does not exist"), "{told}");
    site.write("tls/key.pem", &leaf.key);
    set_permissions(site.path("tls/key.pem"), Permissions::from_mode(0o644)).unwrap();
    let (told, passes) = checked(&site);
    assert!(passes && told.contains("warning: every user of the machine can read `tls/key.pem`"), "{told}");
}

#[test]
fn authorities_of_clients() {
    let ca = Authority::new("Client CA");
    let (leaf, client) = (leaf(), ca.client(&["relay.example.com"]));
    let files = |ca: &str| {
        told(
            &format!("{USUAL}, client-certificates = 'required', client-ca = 'tls/ca.pem'"),
            &[("tls/cert.pem", &leaf.certificate), ("tls/key.pem", &leaf.key), ("tls/ca.pem", ca)],
        )
    };
    assert!(files(&ca.certificate()).1);
    let (told, passes) = files(&client.certificate);
    assert!(
        !passes && told.contains("tls/ca.pem:1") && told.contains("this certificate can't vouch for others"),
        "{told}"
    );
    let (told, passes) = files("nothing\n");
    assert!(!passes && told.contains("there is no certificate in `tls/ca.pem`"), "{told}");
}

#[test]
fn what_listeners_share_is_told_once() {
    let leaf = leaf();
    let two = format!("tls = {{ {USUAL} }}\n[[listener]]\naddress = \"[::1]:0\"\ntls = {{ {USUAL} }}\n[domains]");
    let site = Site::new(&Site::PLAIN.replace("[domains]", &two));
    site.write("tls/cert.pem", &leaf.certificate);
    site.write("tls/key.pem", &self::leaf().key);
    set_permissions(site.path("tls/key.pem"), Permissions::from_mode(0o600)).unwrap();
    let (told, passes) = checked(&site);
    assert!(!passes && told.matches("this key is not the one").count() == 1, "{told}");
}
