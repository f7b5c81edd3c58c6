//! Answers the transport with what is no answer: addresses, hops and records that are none, recipients that are not due, too
//! much of everything.

use mailsluice_sink::{EnhancedCode, Expansion, Fault, Heard, On, Outcome, Reply, Resolution, Ruling, hears, on};

#[derive(Default)]
struct Guest;

fn act<E: mailsluice_sink::EventType>(heard: &Heard<'_, E>) -> String {
    heard.header("X-Act").unwrap_or_default()
}

impl On<on::TransportCategorize> for Guest {
    fn on(&self, heard: &mut Heard<'_, on::TransportCategorize>) -> Result<Ruling<on::TransportCategorize>, Fault> {
        let many = |count: usize, sender: Option<&str>| {
            let members = (0..count).map(|n| format!("r{n}@example.org")).collect();
            Resolution::Expanded(Expansion { members, sender: sender.map(Into::into) })
        };
        Ok(Ruling::answer(match act(heard).as_str() {
            "address" => Resolution::Rewritten("a b@example.org".into()),
            "member" => Resolution::Expanded(Expansion { members: vec!["nobody".into()], sender: None }),
            "sender" => many(1, Some("owner")),
            "most" => many(10_000, Some("")),
            "million" => many(100_000, None),
            _ => return Ok(Ruling::next()),
        }))
    }
}

impl On<on::TransportRoute> for Guest {
    fn on(&self, heard: &mut Heard<'_, on::TransportRoute>) -> Result<Ruling<on::TransportRoute>, Fault> {
        Ok(Ruling::answer(match act(heard).as_str() {
            "hop" => vec!["local".into(), "pipe:/bin/sh".into()],
            "line" => vec!["lmtp:unix:/run/a\r\nb".into()],
            "long" => vec![format!("sink:{}", "x".repeat(5000))],
            "million" => vec!["local".into(); 100_000],
            _ => return Ok(Ruling::next()),
        }))
    }
}

impl On<on::TransportDeliver> for Guest {
    fn on(&self, heard: &mut Heard<'_, on::TransportDeliver>) -> Result<Ruling<on::TransportDeliver>, Fault> {
        let outcome = |recipient, code| Outcome { recipient, reply: Reply::new(code, EnhancedCode(2, 0, 0), "Kept") };
        let first = heard.leg().recipients.first().copied().unwrap_or_default();
        Ok(Ruling::answer(match act(heard).as_str() {
            "stranger" => vec![outcome(first, 250), outcome(7, 250)],
            "beyond" => vec![outcome(u32::MAX, 250)],
            "twice" => vec![outcome(first, 250), outcome(first, 550)],
            "code" => vec![outcome(first, 354)],
            "text" => vec![Outcome { recipient: first, reply: Reply::plain(250, "x".repeat(5000)) }],
            _ => return Ok(Ruling::next()),
        }))
    }
}

impl On<on::DnsResolve> for Guest {
    fn on(&self, heard: &mut Heard<'_, on::DnsResolve>) -> Result<Ruling<on::DnsResolve>, Fault> {
        Ok(Ruling::answer(match heard.question().name.as_str() {
            "record.example" => vec!["there is none".into()],
            "million.example" => vec!["192.0.2.1".into(); 100_000],
            _ => return Ok(Ruling::next()),
        }))
    }
}

impl On<on::OutRcpt> for Guest {
    fn on(&self, heard: &mut Heard<'_, on::OutRcpt>) -> Result<Ruling<on::OutRcpt>, Fault> {
        match act(heard).as_str() {
            "line" => heard.add_parameter("X=1\r\nRCPT TO:<eve@example.org>")?,
            "own" => heard.insert_command("DATA")?,
            "many" => (0..40).try_for_each(|n| heard.add_parameter(&format!("X{n}")))?,
            "long" => heard.replace_command(&format!("RCPT TO:<{}>", "x".repeat(5000)))?,
            _ => {}
        }
        Ok(Ruling::next())
    }
}

hears!(Guest { TransportCategorize, TransportRoute, TransportDeliver, DnsResolve, OutRcpt });
