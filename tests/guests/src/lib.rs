//! What the guests share: a guest does what the header field `X-Act` of a message says, and without one nothing. So the same
//! instance of a test can be provoked and, in between, be seen to work.

pub use mailsluice_sink::{Fault, Heard, Ruling, on};

/// `transport.submit`, where all of them listen.
pub type Submitted<'a> = Heard<'a, on::TransportSubmit>;

/// What they say.
pub type Said = Result<Ruling<on::TransportSubmit>, Fault>;

/// What the message tells the guest to do.
pub fn act(heard: &Submitted<'_>) -> String {
    heard.header("X-Act").unwrap_or_default()
}

/// No objection.
pub fn well() -> Said {
    Ok(Ruling::next())
}

/// The guest does not know this act: the test that asked for it is wrong.
pub fn unknown(act: &str) -> Said {
    if act.is_empty() { well() } else { Err(Fault::error(format!("no such act: {act}"))) }
}

/// A sink made of a function `fn(&mut Submitted<'_>) -> Said`.
#[macro_export]
macro_rules! guest {
    ($act:path) => {
        #[derive(Default)]
        struct Guest;

        impl ::mailsluice_sink::On<$crate::on::TransportSubmit> for Guest {
            fn on(&self, heard: &mut $crate::Submitted<'_>) -> $crate::Said {
                $act(heard)
            }
        }

        ::mailsluice_sink::hears!(Guest { TransportSubmit });
    };
}
