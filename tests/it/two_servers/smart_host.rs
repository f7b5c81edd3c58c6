//! Who the first server is to the second: by a certificate of its own, and by the address that it comes from.

use super::{put, site, site_with};
use crate::inside::Plan;
use crate::own_sinks::Own;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::tls::authority::Authority;
use mailsluice::event::{Edit, Event, Hearing, PlanEdit, Verdict};

const LETTER: &str = "Subject: x\r\n\r\ny\r\n";
/// Asks clients for certificates.
const ASKING: &str = "auth = ['EXTERNAL']\ntls = { mode = 'starttls', certificate = 'c.pem', key = 'k.pem', \
     client-certificates = 'optional', client-ca = 'ca.pem' }\n";

fn second(ca: &Authority) -> Server {
    site_with(ca, ASKING, "[domains]\nlocal = ['example.com']\n").start()
}

/// A site whose smart host is the second, with this said of it; its own certificate is in `client.pem` and `client.key`.
fn first(ca: &Authority, to: &Server, more: &str) -> Site {
    let port = to.address(0).port();
    let site = site(
        ca,
        &format!(
            "[domains]\nlocal = ['example.net']\nrelay-from = ['127.0.0.0/8']\n\
             [delivery]\nsmart-host = {{ smtp = 'localhost:{port}', ca = 'ca.pem', {more} }}\n"
        ),
    );
    put(&site, ("client.pem", "client.key"), &ca.client(&["hub"]));
    site
}

const EXTERNAL: &str = "certificate = 'client.pem', key = 'client.key', mechanism = 'EXTERNAL'";

fn send(first: &Server) -> String {
    let mut client = SmtpClient::greeted(first.address(0));
    client.deliver("bob@client.example", &["alice@example.com"], LETTER).must_be(250).id().to_owned()
}

#[test]
fn by_auth_external() {
    let ca = Authority::new("Test CA");
    let second = second(&ca);
    let mut arrived = Vec::new();
    for user in ["", "user = 'hub', "] {
        let first = first(&ca, &second, &format!("{user}{EXTERNAL}")).start();
        let before = second.log().len();
        send(&first);
        second.logged_since(before, "mechanism=EXTERNAL user=hub");
        arrived = second.arrived("example.com", "alice", arrived.len() + 1);
    }
    let text = String::from_utf8_lossy(&arrived[0]);
    assert!(text.contains("with ESMTPSA "), "{text}");
    assert!(second.told(&["why", "--recipient", "alice@example.com"]).contains("user hub"));
}

#[test]
fn a_new_certificate_comes_into_force_by_a_reload_and_a_wrong_one_does_not() {
    let ca = Authority::new("Test CA");
    let second = second(&ca);
    let first = first(&ca, &second, EXTERNAL);
    // Of nobody whom the second server knows.
    put(&first, ("client.pem", "client.key"), &ca.client(&["stranger"]));
    let first = first.start();
    let id = send(&first);
    first.logged("535 5.7.8");
    // What does not fit changes nothing, and is told.
    let generation = first.status().generation;
    first.write("client.pem", &ca.client(&["hub"]).certificate);
    first.logged("this key is not the one of the certificate in");
    assert_eq!(first.status().generation, generation);
    put(&first, ("client.pem", "client.key"), &ca.client(&["hub"]));
    crate::wait::eventually("the reload", || (first.status().generation > generation).then_some(()));
    first.told(&["queue", "retry", &id]);
    second.arrived("example.com", "alice", 1);
}

#[test]
fn what_is_wrong_with_the_pair_is_told_with_its_place() {
    let ca = Authority::new("Test CA");
    let second = second(&ca);
    let site = first(&ca, &second, EXTERNAL);
    assert!(site.cli(&["check"]).status.success());
    put(&site, ("client.pem", "other.key"), &ca.client(&["hub"]));
    let output = site.cli(&["check"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && told.contains("client.key:1"), "{told}");
    assert!(told.contains("this key is not the one of the certificate in"), "{told}");
    assert!(told.contains("name the two that were made together"), "{told}");
}

#[test]
fn it_comes_from_the_address_that_a_sink_chooses() {
    let ca = Authority::new("Test CA");
    let second = site(&ca, "[domains]\nlocal = ['example.com']\n").start();
    let own = Own::at(&[Event::OutConnect], |_, edits| {
        edits.push(Edit::Plan(PlanEdit::Source("127.0.0.2".parse().unwrap())));
        Hearing::Now(Ok(Verdict::Next))
    });
    let config = format!(
        "[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nrelay-from = ['127.0.0.0/8']\n[limits]\nfree-space = '0 B'\n\
         [delivery]\nsmart-host = '{}'\n",
        second.address(0)
    );
    let first =
        Plan::new(&config).natives(own.named("own")).manifest("[[sink]]\nname = 'own'\nnative = 'own'\n").start();
    let mut client = SmtpClient::greeted(first.address(0));
    client.deliver("bob@client.example", &["alice@example.com"], LETTER).must_be(250);
    second.arrived("example.com", "alice", 1);
    let told = second.told(&["why", "--recipient", "alice@example.com"]);
    assert!(told.contains("from 127.0.0.2"), "{told}");
}
