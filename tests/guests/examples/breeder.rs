//! Makes a message out of every message, and of those that it made.

use mailsluice_guests::{Said, Submitted, act as told, guest, unknown, well};
use mailsluice_sink::submit::submit;

fn act(heard: &mut Submitted<'_>) -> Said {
    let made = b"Subject: made\r\nX-Act: one\r\n\r\nmade\r\n";
    match told(heard).as_str() {
        "one" => submit(None, &["alice@example.com"], made)?,
        "many" => {
            for _ in 0..100_000 {
                submit(None, &["alice@example.com"], made)?;
            }
        }
        other => return unknown(other),
    }
    well()
}

guest!(act);
