//! The sink `{name}`.

use mailsluice_sink::{Fault, Heard, On, Ruling, debug, hears, on};

#[derive(Default)]
struct Sink;

{handlers}
hears!(Sink { {events} });
