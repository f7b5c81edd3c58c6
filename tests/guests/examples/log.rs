//! Talks too much: many short lines, one long one, and lines that pretend to be others'.

use mailsluice_guests::{Said, Submitted, act as told, guest, unknown, well};
use mailsluice_sink::{info, log};

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "chatter" => (0..10_000).for_each(|_| log::write(log::Level::Info, "x")),
        "endless" => loop {
            log::write(log::Level::Debug, "x");
        },
        "long" => log::write(log::Level::Info, &"long ".repeat(2 << 20)),
        "forge" => info!("harmless\r\n2026-11-23T00:00:00Z ERROR mailsluice: all is lost\u{1b}[31m"),
        other => return unknown(other),
    }
    well()
}

guest!(act);
