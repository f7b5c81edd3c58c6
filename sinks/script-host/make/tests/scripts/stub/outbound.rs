//! What our client is about to do.

use super::World;
use super::session::leg;
use mailsluice_wit::Outbound;
use mailsluice_wit::mailsluice::sink::types::{HostOutbound, Leg, NextState, TlsPolicy};
use wasmtime::Result;
use wasmtime::component::Resource;

type Handle = Resource<Outbound>;
type Done = Result<std::result::Result<(), String>>;

impl World {
    /// Does it, unless the text is `bad`.
    fn say(&mut self, what: &str, text: &str) -> Done {
        if text == "bad" {
            return Ok(Err("`bad` can't be said".to_owned()));
        }
        self.note(format!("{what} {text}")).map(Ok)
    }
}

impl HostOutbound for World {
    fn leg(&mut self, _: Handle) -> Result<Leg> {
        Ok(leg())
    }

    fn verb(&mut self, _: Handle) -> Result<Option<String>> {
        Ok(Some("RCPT".to_owned()))
    }

    fn next_states(&mut self, _: Handle) -> Result<Vec<NextState>> {
        Ok(vec![NextState::Continue, NextState::Reset])
    }

    fn may_refuse(&mut self, _: Handle) -> Result<bool> {
        Ok(true)
    }

    fn connect_from(&mut self, _: Handle, address: String) -> Done {
        self.say("connect from", &address)
    }

    fn say_hello_as(&mut self, _: Handle, name: String) -> Done {
        self.say("hello as", &name)
    }

    fn set_tls_policy(&mut self, _: Handle, policy: TlsPolicy) -> Result<()> {
        self.note(format!("tls {policy:?}").replace("TlsPolicy::", ""))
    }

    fn authenticate(&mut self, _: Handle, user: String, secret: String, mechanism: Option<String>) -> Result<()> {
        self.note(format!("authenticate {user} {secret} {mechanism:?}"))
    }

    fn add_parameter(&mut self, _: Handle, text: String) -> Done {
        self.say("parameter", &text)
    }

    fn insert_command(&mut self, _: Handle, line: String) -> Done {
        self.say("insert", &line)
    }

    fn replace_command(&mut self, _: Handle, line: String) -> Done {
        self.say("replace", &line)
    }

    fn drop(&mut self, _: Handle) -> Result<()> {
        Ok(())
    }
}
