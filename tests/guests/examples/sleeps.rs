//! Waits: for an hour, or for as many milliseconds as it is told.

use mailsluice_guests::{Said, Submitted, act as told, guest, unknown, well};
use std::time::Duration;

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "hour" => std::thread::sleep(Duration::from_secs(3600)),
        text => match text.parse() {
            Ok(milliseconds) => std::thread::sleep(Duration::from_millis(milliseconds)),
            Err(_) => return unknown(text),
        },
    }
    well()
}

guest!(act);
