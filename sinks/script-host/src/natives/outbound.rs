//! What our client is about to do at a next hop, and what may be changed of it.

use super::define;
use crate::call::outbound;
use crate::wit::mailsluice::sink::types::{NextState, TlsPolicy};
use rquickjs::{Ctx, Object, Result};

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "outboundVerb" => |ctx: Ctx<'_>| outbound(&ctx, |it| it.verb()),
        "outboundNextStates" => |ctx: Ctx<'_>| {
            outbound(&ctx, |it| it.next_states().into_iter().map(state_name).collect::<Vec<_>>())
        },
        "outboundMayRefuse" => |ctx: Ctx<'_>| outbound(&ctx, |it| it.may_refuse()),
        "outboundConnectFrom" => |ctx: Ctx<'_>, address: String| outbound(&ctx, |it| it.connect_from(&address).err()),
        "outboundHelloAs" => |ctx: Ctx<'_>, name: String| outbound(&ctx, |it| it.say_hello_as(&name).err()),
        "outboundTls" => |ctx: Ctx<'_>, name: String| {
            let Some(policy) = policy(&name) else {
                return Ok(Some(format!("{name} is no TLS policy: it is none, opportunistic, required, verified or dane")));
            };
            outbound(&ctx, |it| it.set_tls_policy(policy)).map(|()| None)
        },
        "outboundAuthenticate" => |ctx: Ctx<'_>, user: String, secret: String, mechanism: Option<String>| {
            outbound(&ctx, |it| it.authenticate(&user, &secret, mechanism.as_deref()))
        },
        "outboundParameter" => |ctx: Ctx<'_>, text: String| outbound(&ctx, |it| it.add_parameter(&text).err()),
        "outboundInsert" => |ctx: Ctx<'_>, line: String| outbound(&ctx, |it| it.insert_command(&line).err()),
        "outboundReplace" => |ctx: Ctx<'_>, line: String| outbound(&ctx, |it| it.replace_command(&line).err()),
    )
}

fn policy(name: &str) -> Option<TlsPolicy> {
    Some(match name {
        "none" => TlsPolicy::None,
        "opportunistic" => TlsPolicy::Opportunistic,
        "required" => TlsPolicy::Required,
        "verified" => TlsPolicy::Verified,
        "dane" => TlsPolicy::Dane,
        _ => return None,
    })
}

fn state_name(state: NextState) -> &'static str {
    match state {
        NextState::Continue => "continue",
        NextState::Repeat => "repeat",
        NextState::Hello => "hello",
        NextState::Reset => "reset",
        NextState::Quit => "quit",
    }
}

/// The state of that name.
pub(crate) fn state(name: &str) -> Option<NextState> {
    Some(match name {
        "continue" => NextState::Continue,
        "repeat" => NextState::Repeat,
        "hello" => NextState::Hello,
        "reset" => NextState::Reset,
        "quit" => NextState::Quit,
        _ => return None,
    })
}
