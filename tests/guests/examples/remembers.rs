//! Tries to remember one message and to tell of it in the next: in a global, in memory that it has given back, and outside, by
//! its log and its properties. It tells in a header field whatever marks it finds.

use mailsluice_guests::{Said, Submitted, guest, well};
use mailsluice_sink::{Bearer, info};
use std::cell::RefCell;

/// Hexadecimal digits of a mark.
const MARK: usize = 32;

thread_local! {
    static SEEN: RefCell<String> = const { RefCell::new(String::new()) };
}

fn act(heard: &mut Submitted<'_>) -> Said {
    let mark = heard.header("X-Mark").unwrap_or_default();
    let earlier = SEEN.replace(mark.clone());
    heard.set_header("X-Found", &format!("{earlier} {}", found(&mut Vec::with_capacity(64 << 10))))?;
    heard.set_property(Bearer::Message, "earlier", &earlier)?;
    info!("{mark} and before it {earlier}");
    // Given back as it is.
    drop([mark.repeat(100), mark.repeat(1000)]);
    well()
}

/// Marks in memory that is there to be taken.
fn found(taken: &mut Vec<u8>) -> String {
    // SAFETY: what memory there is has been initialised, by the sandbox if by nobody else.
    let octets = taken.spare_capacity_mut().iter().map(|octet| unsafe { octet.assume_init_read() });
    let octets: Vec<u8> = octets.collect();
    let words = octets.split(|octet| !octet.is_ascii_hexdigit()).filter(|word| word.len() >= MARK);
    words.take(8).map(|word| String::from_utf8_lossy(&word[..MARK]).into_owned()).collect::<Vec<_>>().join(" ")
}

guest!(act);
