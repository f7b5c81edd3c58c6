//! `session`: where it all comes from, and what may be changed of it.

use super::super::state::State;
use super::short;
use crate::event::Edit;
use crate::event::edit::Bearer;
use crate::mail::{PeerCertificate, TlsFacts};
use mailsluice_wit::Session;
use mailsluice_wit::mailsluice::sink::types::{Certificate, Door, HostSession, Origin, Tls};
use std::time::Duration;
use wasmtime::component::Resource;

type Handle = Resource<Session>;

impl HostSession for State {
    fn id(&mut self, _: Handle) -> wasmtime::Result<Option<String>> {
        Ok(self.lent()?.session.as_ref().map(|(id, _)| id.to_string()))
    }

    fn origin(&mut self, _: Handle) -> wasmtime::Result<Origin> {
        Ok(origin(&self.lent()?.origin))
    }

    fn property(&mut self, _: Handle, name: String) -> wasmtime::Result<Option<String>> {
        let name = self.full_name(name);
        Ok(self.lent()?.property_of_session(&name).map(ToString::to_string))
    }

    fn set_property(&mut self, _: Handle, key: String, json: String) -> wasmtime::Result<Result<(), String>> {
        self.note(Bearer::Session, key, &json)
    }

    fn delay(&mut self, _: Handle, milliseconds: u32) -> wasmtime::Result<()> {
        self.edit(Edit::Delay(Duration::from_millis(milliseconds.into())), 0)
    }

    fn limit_message_size(&mut self, _: Handle, octets: u64) -> wasmtime::Result<()> {
        self.edit(Edit::MessageSize(octets), 0)
    }

    fn limit_recipients(&mut self, _: Handle, count: u32) -> wasmtime::Result<()> {
        self.edit(Edit::Recipients(usize::try_from(count).unwrap_or(usize::MAX)), 0)
    }

    fn set_greeting(&mut self, _: Handle, text: String) -> wasmtime::Result<()> {
        let text = short("the greeting", text)?;
        self.edit(Edit::Greeting(text), 0)
    }

    fn add_keyword(&mut self, _: Handle, keyword: String) -> wasmtime::Result<()> {
        let keyword = short("a keyword", keyword)?;
        self.edit(Edit::AddKeyword(keyword), 0)
    }

    fn remove_keyword(&mut self, _: Handle, keyword: String) -> wasmtime::Result<()> {
        let keyword = short("a keyword", keyword)?;
        self.edit(Edit::RemoveKeyword(keyword), 0)
    }

    fn drop(&mut self, _: Handle) -> wasmtime::Result<()> {
        Ok(())
    }
}

fn origin(origin: &crate::mail::Origin) -> Origin {
    use crate::mail::Door as Way;
    let text = |text: &Option<std::sync::Arc<str>>| text.as_ref().map(ToString::to_string);
    Origin {
        door: match origin.door {
            Way::Smtp => Door::Smtp,
            Way::Lmtp => Door::Lmtp,
            Way::Pickup => Door::Pickup,
            Way::Send => Door::Send,
            Way::Sink => Door::Sink,
            Way::Dsn => Door::Dsn,
        },
        listener: text(&origin.listener),
        role: origin.role.map(|role| role.as_str().to_owned()),
        client: origin.client.map(|ip| ip.to_string()),
        client_name: text(&origin.client_name),
        helo: text(&origin.helo),
        user: text(&origin.auth),
        tls: origin.tls.as_deref().map(tls),
    }
}

fn tls(facts: &TlsFacts) -> Tls {
    let certificate = |peer: &PeerCertificate| Certificate {
        subject: peer.subject.clone(),
        names: peer.names.clone(),
        fingerprint: peer.fingerprint.clone(),
        verified: peer.verified,
    };
    Tls {
        version: facts.version.clone(),
        cipher: Some(facts.cipher.clone()).filter(|cipher| !cipher.is_empty()),
        server_name: facts.sni.clone(),
        certificate: facts.peer.as_ref().map(certificate),
    }
}
