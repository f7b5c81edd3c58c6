//! XCLIENT and XFORWARD: what they say is printable and bounded, and a command that says what was told before says nothing new.
//!
//! An input is what follows the verb; that of XFORWARD if its first octet is odd.

use super::input::Input;
use mailsluice::smtp::command;
use mailsluice::smtp::xclient::{BadAttribute, Told, Xclient, Xforward};
use mailsluice::smtp::xtext;

pub(super) fn xclient(data: &[u8]) {
    let mut input = Input(data);
    let forward = input.octet() & 1 == 1;
    // The machine hands on nothing else.
    let Ok(argument) = command::text(input.0) else { return };
    if forward {
        match Xforward::parse(argument) {
            Ok(told) => forwarded(&told),
            Err(error) => refused(&error),
        }
    } else {
        match Xclient::parse(argument) {
            Ok(told) => client(told),
            Err(error) => refused(&error),
        }
    }
}

fn client(told: Xclient) {
    for text in [told.name, told.helo, told.login].into_iter().flatten().filter_map(Told::value) {
        printable(&text);
    }
}

fn forwarded(told: &Xforward) {
    let pairs: Vec<String> = told
        .facts()
        .iter()
        .map(|(name, value)| {
            printable(value);
            let six = *name == "addr" && value.contains(':');
            format!("{name}={}{}", if six { "IPV6:" } else { "" }, xtext::encode(value))
        })
        .collect();
    let facts = told.facts();
    if !facts.is_empty() {
        let mut again = Xforward::parse(&pairs.join(" ")).unwrap_or_else(|e| panic!("{pairs:?}: {e}"));
        assert_eq!(again.facts(), facts);
        again.take(told.clone());
        assert_eq!(again.facts(), facts);
    }
}

fn refused(error: &BadAttribute) {
    printable(&error.to_string());
}

fn printable(text: &str) {
    assert!(
        !text.is_empty() && text.len() <= 300 && text.bytes().all(|octet| matches!(octet, b' '..=b'~')),
        "{text:?}"
    );
}
