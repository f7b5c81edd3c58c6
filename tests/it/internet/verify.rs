//! Recipients asked for at their next hop: what is remembered and for how long, that a probe which fails says nothing, and what
//! clients are told.

use super::{Host, Net, Step, What, in_virtual_time};
use crate::inside::Plan;
use crate::smtp_client::SmtpClient;
use mailsluice::directory::Existence;
use mailsluice::mail::{Door, Mailbox, Origin, Standing};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const CONFIG: &str = "[[listener]]\naddress = '127.0.0.1:0'\n\
    [domains]\nrelay-to = ['uni.example', 'other.example']\nrelay-from = ['127.0.0.0/8']\n\
    [recipients]\nusers = []\nverify = ['uni.example', 'other.example']\nverify-keep-yes = '1h'\nverify-keep-no = '5m'\n";

/// Whether the recipient exists, in short: `yes`, `550 …` or `unknown`.
async fn exists(net: &Net, recipient: &str) -> String {
    let verify = net.inside.server.verify.as_ref().unwrap();
    match verify.exists(&Mailbox::parse(recipient).unwrap(), &Origin::door(Door::Smtp)).await {
        Existence::Yes => "yes".to_owned(),
        Existence::No(reply) => reply.to_string(),
        Existence::Unknown(why) => {
            assert!(!why.is_empty());
            "unknown".to_owned()
        }
    }
}

/// The host that takes the mail of `uni.example`.
fn university(net: &Net, script: Vec<super::Fault>) -> Arc<Host> {
    net.zone.remove("uni.example");
    net.mx("uni.example", 10, "mx.uni.example");
    net.host("mx.uni.example", "192.0.2.9", false, script)
}

#[test]
fn yes_and_no_are_remembered_for_their_lifetimes() {
    in_virtual_time(|| async {
        let net = Net::new(CONFIG, |plan| plan).await;
        let host = university(&net, Vec::new());
        let unknown = "550 5.1.1 nobody of that name";
        for (minute, recipient, answer, asked) in [
            (0, "alice@uni.example", "yes", true),
            (0, "nobody@uni.example", unknown, true),
            (4, "alice@UNI.example", "yes", false),
            (4, "nobody@uni.example", unknown, false),
            (4, "nobody-else@uni.example", unknown, true),
            (6, "nobody@uni.example", unknown, true),
            (59, "alice@uni.example", "yes", false),
            (61, "alice@uni.example", "yes", true),
        ] {
            let now = net.clock.0.elapsed();
            sleep(Duration::from_secs(60 * minute).saturating_sub(now)).await;
            assert_eq!(exists(&net, recipient).await, answer, "{recipient} at {minute}");
            let expected: Vec<String> = asked.then(|| format!("<{recipient}>")).into_iter().collect();
            assert_eq!(host.asked(), expected, "{recipient} at {minute}");
        }
        assert!(net.taken().is_empty(), "a question is no message");
    });
}

#[test]
fn a_probe_that_fails_says_nothing_and_is_not_remembered() {
    in_virtual_time(|| async {
        let net = Net::new(CONFIG, |plan| plan).await;
        let steps = [Step::Connect, Step::Greeting, Step::Hello, Step::Mail, Step::Rcpt];
        for (step, what) in steps.into_iter().flat_map(|step| What::ALL.map(|what| (step, what))) {
            let host = university(&net, vec![Some((step, what))]);
            let (case, before) = (format!("{step:?} {what:?}"), Instant::now());
            let recipient = format!("{step:?}-{what:?}@uni.example");
            let answer = exists(&net, &recipient).await;
            assert!(before.elapsed() < Duration::from_secs(21), "{case}: the client has gone by now");
            // By then the connections of that time are gone.
            sleep(Duration::from_secs(5)).await;
            assert_eq!(answer, "unknown", "{case}");
            host.asked();
            assert_eq!(exists(&net, &recipient).await, "yes", "{case}");
            assert_eq!(host.asked(), [format!("<{recipient}>")], "{case}");
            sleep(Duration::from_secs(5)).await;
        }
    });
}

#[test]
fn a_host_is_asked_for_five_at_once_and_others_go_on() {
    in_virtual_time(|| async {
        let net = Net::new(CONFIG, |plan| plan).await;
        university(&net, vec![Some((Step::Greeting, What::Hang)); 20]);
        net.mx("other.example", 10, "mx.other.example");
        net.host("mx.other.example", "192.0.2.10", false, Vec::new());
        let net = Arc::new(net);
        let before = Instant::now();
        let ask = |name: String| {
            let net = net.clone();
            async move { (exists(&net, &name).await, before.elapsed().as_secs()) }
        };
        let local = tokio::task::LocalSet::new();
        let asked: Vec<_> = (0..8).map(|n| local.spawn_local(ask(format!("r{n}@uni.example")))).collect();
        let other = local.run_until(ask("alice@other.example".to_owned())).await;
        assert_eq!(other, ("yes".to_owned(), 0));
        local.await;
        let mut waited = Vec::new();
        for answer in asked {
            let (answer, seconds) = answer.await.unwrap();
            assert_eq!(answer, "unknown");
            waited.push(seconds);
        }
        assert_eq!(waited, [20, 20, 20, 20, 20, 0, 0, 0]);
    });
}

#[test]
fn the_hops_of_the_route_are_asked_in_turn() {
    in_virtual_time(|| async {
        for (to, answer) in [
            ("[{ smtp = '192.0.2.8:25' }, { smtp = '192.0.2.9:25' }]", "550 5.1.1 nobody of that name"),
            ("[{ smtp = '192.0.2.9:25' }, { drop = 'out' }]", "550 5.1.1 nobody of that name"),
            // Nobody answers, and what is behind takes everything.
            ("[{ smtp = '192.0.2.8:25' }, { drop = 'out' }]", "yes"),
            ("{ drop = 'out' }", "yes"),
            ("{ smtp = '192.0.2.8:25' }", "unknown"),
        ] {
            let config = format!("{CONFIG}[[route]]\ndomain = 'uni.example'\nto = {to}\n");
            let net = Net::new(&config, |plan| plan).await;
            university(&net, Vec::new());
            assert_eq!(exists(&net, "nobody@uni.example").await, answer, "{to}");
        }
    });
}

const VOUCHES: &str = r#"
[[sink]]
name = "guests"
native = "policy"
[[sink.config.rule]]
event = "in.rcpt"
when = { recipient = ["nobody-new@*", "down@*"] }
vouch = true
[[sink.on]]
event = "in.rcpt"
when = { standing = ["unknown", "denied"] }
"#;

#[test]
fn clients_are_told_at_rcpt() {
    let config = CONFIG.replace("verify = ['uni.example', 'other.example']", "verify = ['uni.example']");
    let net = Net::serving(&config, |plan: Plan| plan.manifest(VOUCHES));
    let host = university(&net, Vec::new());
    net.host("other.example", "192.0.2.10", false, Vec::new());
    let mut client = SmtpClient::greeted(net.inside.address(0));
    client.command("MAIL FROM:<a@home.example>").must_be(250);
    for (recipient, code, text) in [
        ("alice@uni.example", 250, "2."),
        ("nobody@uni.example", 550, "5.1.1 nobody of that name"),
        // A sink may know better, as with a local recipient.
        ("nobody-new@uni.example", 250, "2."),
        // A domain whose recipients are not asked for.
        ("nobody@other.example", 250, "2."),
    ] {
        let reply = client.command(&format!("RCPT TO:<{recipient}>")).must_be(code);
        assert!(reply.lines[0].starts_with(text), "{recipient}: {reply}");
    }
    assert_eq!(host.asked(), ["<alice@uni.example>", "<nobody@uni.example>", "<nobody-new@uni.example>"]);
    client.quit();
}

#[test]
fn a_next_hop_that_is_down_makes_nobody_unknown() {
    let net = Net::serving(CONFIG, |plan| plan.delivers_nothing().manifest(VOUCHES));
    university(&net, vec![Some((Step::Connect, What::Refuse)); 3]);
    let mut client = SmtpClient::greeted(net.inside.address(0));
    client.command("MAIL FROM:<a@home.example>").must_be(250);
    for recipient in ["alice@uni.example", "nobody@uni.example", "down@uni.example"] {
        let reply = client.command(&format!("RCPT TO:<{recipient}>")).must_be(451);
        assert!(reply.lines[0].starts_with("4.4.3 "), "{recipient}: {reply}");
    }
    // It is up again.
    client.command("RCPT TO:<alice@uni.example>").must_be(250);
    client.command("RCPT TO:<nobody@uni.example>").must_be(550);
    client.command("DATA").must_be(354);
    client.content("Subject: x\r\n\r\nHello.\r\n");
    client.expect(250);
    client.quit();
    let kept = net.inside.wait(net.inside.kept());
    let standings: Vec<Standing> =
        kept.iter().flat_map(|(entry, _)| &entry.envelope.recipients).map(|r| r.standing).collect();
    assert_eq!(standings, [Standing::Relay]);
}
