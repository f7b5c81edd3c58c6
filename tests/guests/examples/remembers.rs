//! Tries to remember one message and to tell of it in the next: in a global and in memory that it gave back, by its log, its
//! properties and its key-value store if it has one.

use mailsluice_guests::{Said, Submitted, guest, well};
use mailsluice_sink::{Bearer, info};
use std::cell::RefCell;

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn act(heard: &mut Submitted<'_>) -> Said {
    let mark = heard.header("X-Mark").unwrap_or_default();
    let earlier = SEEN.with_borrow(|seen| seen.last().cloned());
    if let Some(earlier) = earlier {
        heard.set_header("X-Earlier", &earlier)?;
        heard.set_property(Bearer::Message, "earlier", &earlier)?;
        info!("before {mark} there was {earlier}");
    }
    // What was freed is there to be taken again, and nobody clears it but the sandbox.
    let mut taken: Vec<u8> = Vec::with_capacity(4096);
    heard.prepend_header("X-Taken", &found(&mut taken))?;
    taken.extend_from_slice(mark.as_bytes());
    drop(taken);
    SEEN.with_borrow_mut(|seen| {
        seen.push(mark);
        seen.truncate(1);
    });
    well()
}

/// Marks in memory that was given to it.
fn found(taken: &mut Vec<u8>) -> String {
    let room = taken.spare_capacity_mut();
    // SAFETY: what memory there is has been initialised, by the sandbox if by nobody else.
    let octets: Vec<u8> = room.iter().map(|octet| unsafe { octet.assume_init_read() }).collect();
    octets.iter().filter(|octet| octet.is_ascii_hexdigit()).take(64).map(|octet| char::from(*octet)).collect()
}

guest!(act);
