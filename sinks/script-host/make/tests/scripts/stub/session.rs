//! The session, its recipients and its replies.

use super::World;
use mailsluice_wit::mailsluice::sink::types::{
    self, Certificate, Door, Excess, HostOutgoing, HostRecipient, HostSession, Leg, Origin, Reply, Standing, Tls,
};
use mailsluice_wit::{Outgoing, Recipient, Session};
use wasmtime::Result;
use wasmtime::component::Resource;

impl types::Host for World {}

impl HostSession for World {
    fn id(&mut self, _: Resource<Session>) -> Result<Option<String>> {
        Ok(Some("S1".to_owned()))
    }

    fn origin(&mut self, _: Resource<Session>) -> Result<Origin> {
        Ok(Origin {
            door: Door::Smtp,
            listener: Some("127.0.0.1:25".to_owned()),
            role: Some("mx".to_owned()),
            client: Some("192.0.2.1".to_owned()),
            client_name: None,
            helo: Some("client.example".to_owned()),
            user: None,
            tls: Some(tls()),
        })
    }

    fn property(&mut self, _: Resource<Session>, name: String) -> Result<Option<String>> {
        Ok(self.properties.get(&name).cloned())
    }

    fn set_property(
        &mut self,
        _: Resource<Session>,
        key: String,
        json: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("session property {key} {json}"))?;
        Ok(Ok(()))
    }

    fn delay(&mut self, _: Resource<Session>, milliseconds: u32) -> Result<()> {
        self.note(format!("delay {milliseconds}"))
    }

    fn limit_message_size(&mut self, _: Resource<Session>, octets: u64) -> Result<()> {
        self.note(format!("limit size {octets}"))
    }

    fn limit_recipients(&mut self, _: Resource<Session>, count: u32) -> Result<()> {
        self.note(format!("limit recipients {count}"))
    }

    fn set_greeting(&mut self, _: Resource<Session>, text: String) -> Result<()> {
        self.note(format!("greeting {text}"))
    }

    fn add_keyword(&mut self, _: Resource<Session>, keyword: String) -> Result<()> {
        self.note(format!("add keyword {keyword}"))
    }

    fn remove_keyword(&mut self, _: Resource<Session>, keyword: String) -> Result<()> {
        self.note(format!("remove keyword {keyword}"))
    }

    fn drop(&mut self, _: Resource<Session>) -> Result<()> {
        Ok(())
    }
}

impl HostRecipient for World {
    fn address(&mut self, it: Resource<Recipient>) -> Result<String> {
        Ok(match it.rep() {
            0 => "bob@example.com".to_owned(),
            1 => "carol@Example.COM".to_owned(),
            _ => "dave@example.com".to_owned(),
        })
    }

    fn original(&mut self, it: Resource<Recipient>) -> Result<Option<String>> {
        Ok((it.rep() == 1).then(|| "caroline@example.com".to_owned()))
    }

    fn standing(&mut self, _: Resource<Recipient>) -> Result<Standing> {
        Ok(Standing::Local)
    }

    fn place(&mut self, it: Resource<Recipient>) -> Result<Option<u32>> {
        Ok((it.rep() < 2).then_some(it.rep() + 3))
    }

    fn matched(&mut self, it: Resource<Recipient>) -> Result<bool> {
        Ok(it.rep() == 0)
    }

    fn parameter(&mut self, it: Resource<Recipient>, keyword: String) -> Result<Option<String>> {
        Ok((keyword == "XFOR").then(|| it.rep().to_string()))
    }

    fn property(&mut self, _: Resource<Recipient>, name: String) -> Result<Option<String>> {
        Ok(self.properties.get(&name).cloned())
    }

    fn set_property(
        &mut self,
        it: Resource<Recipient>,
        key: String,
        json: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("recipient {} property {key} {json}", it.rep()))?;
        Ok(Ok(()))
    }

    fn rewrite(&mut self, _: Resource<Recipient>, address: String) -> Result<std::result::Result<(), String>> {
        self.note(format!("rewrite {address}"))?;
        Ok(if address.contains('@') { Ok(()) } else { Err(format!("{address} is no address")) })
    }

    fn vouch(&mut self, _: Resource<Recipient>) -> Result<()> {
        self.note("vouch")
    }

    fn remove(&mut self, it: Resource<Recipient>) -> Result<()> {
        self.note(format!("remove recipient {}", it.rep()))
    }

    fn reject(&mut self, it: Resource<Recipient>, reply: Option<Reply>) -> Result<()> {
        self.note(format!("reject recipient {} {}", it.rep(), shown(reply.as_ref())))
    }

    fn defer(&mut self, it: Resource<Recipient>, reply: Option<Reply>) -> Result<()> {
        self.note(format!("defer recipient {} {}", it.rep(), shown(reply.as_ref())))
    }

    fn discard(&mut self, it: Resource<Recipient>) -> Result<()> {
        self.note(format!("discard recipient {}", it.rep()))
    }

    fn hold(&mut self, it: Resource<Recipient>, reason: String) -> Result<()> {
        self.note(format!("hold recipient {} {reason}", it.rep()))
    }

    fn drop(&mut self, _: Resource<Recipient>) -> Result<()> {
        self.handles -= 1;
        Ok(())
    }
}

impl HostOutgoing for World {
    fn reply(&mut self, _: Resource<Outgoing>) -> Result<Reply> {
        Ok(Reply { code: 250, status: None, text: "OK".to_owned() })
    }

    fn set_text(&mut self, _: Resource<Outgoing>, text: String) -> Result<()> {
        self.note(format!("reply text {text}"))
    }

    fn drop(&mut self, _: Resource<Outgoing>) -> Result<()> {
        Ok(())
    }
}

fn tls() -> Tls {
    let certificate = Certificate {
        subject: "client".to_owned(),
        names: vec!["client.example".to_owned()],
        fingerprint: "0a".to_owned(),
        verified: true,
    };
    let (version, cipher) = ("TLSv1.3".to_owned(), Some("TLS_AES_256_GCM_SHA384".to_owned()));
    Tls { version, cipher, server_name: None, certificate: Some(certificate) }
}

/// A reply as the tests read it.
pub(crate) fn shown(reply: Option<&Reply>) -> String {
    reply.map_or("-".to_owned(), |reply| {
        let status = reply.status.map(|status| format!(" {}.{}.{}", status.class, status.subject, status.detail));
        format!("{}{} {}", reply.code, status.unwrap_or_default(), reply.text)
    })
}

/// An excess, for `transport.oversize`.
pub(crate) fn excess() -> Excess {
    Excess { size: 2000, declared: true }
}

/// A leg, for the events from `transport.route` to `transport.failed`.
pub(crate) fn leg() -> Leg {
    let reply = Reply { code: 450, status: None, text: "Not yet".to_owned() };
    let host = Some("mx.example.com:25 [192.0.2.1]".to_owned());
    Leg { domain: "example.com".to_owned(), host, attempt: 2, reply: Some(reply), recipients: vec![3, 4] }
}
