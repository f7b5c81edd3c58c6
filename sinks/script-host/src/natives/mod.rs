//! What the prelude reaches the server by: one function for each thing that the interfaces offer, under a name without a dot.
//!
//! Natives take what the prelude has checked, and know nothing of the object model. What the host says is wrong comes back as a
//! text, which the prelude throws.

mod login;
mod message;
mod outbound;
mod part;
mod recipient;
mod service;
mod session;
mod transport;
mod words;

use rquickjs::{Ctx, Object, Result};

/// Puts every native into `host`.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    login::install(ctx, host)?;
    message::install(ctx, host)?;
    outbound::install(ctx, host)?;
    part::install(ctx, host)?;
    recipient::install(ctx, host)?;
    service::install(ctx, host)?;
    session::install(ctx, host)?;
    transport::install(ctx, host)?;
    words::install(ctx, host)
}

/// Names functions in an object.
macro_rules! define {
    ($ctx:expr, $host:expr, $($name:literal => $function:expr,)+) => {{
        $($host.set($name, rquickjs::Function::new($ctx.clone(), $function)?)?;)+
        Ok(())
    }};
}
use define;
pub(crate) use outbound::state;
pub(crate) use words::Octets;
