//! Changes who a message is from and for, as it must not: too many recipients, such as are none, its own again and again.

use mailsluice_guests::{Fault, Said, Submitted, act as told, guest, unknown, well};

/// Texts, none of which is an address.
const NONE: [&str; 9] = [
    "",
    "alice",
    "alice@",
    "@example.com",
    "a@b@c",
    "alice@example.com>\r\nRCPT TO:<bob@example.com",
    "alice@example.com bob@example.com",
    "\"alice@example.com",
    "alice@exam\0ple.com",
];

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "million" => {
            for n in 0..1_000_000 {
                heard.add_recipient(&format!("r{n}@example.com"))?;
            }
            well()
        }
        "none" => {
            let passed = NONE.into_iter().find(|text| heard.add_recipient(text).is_ok());
            let passed = passed.or(NONE[1..].iter().copied().find(|text| heard.set_sender(Some(text)).is_ok()));
            passed.map_or_else(well, |text| Err(Fault::error(format!("{text:?} passed for an address"))))
        }
        "long" => heard.add_recipient(&format!("{}@example.com", "x".repeat(5000))).and_then(|()| well()),
        "null" => heard.set_sender(None).and_then(|()| well()),
        "again" => {
            for _ in 0..20 {
                heard.add_recipient("alice@example.com")?;
            }
            well()
        }
        "nobody" => {
            heard.recipients().iter().for_each(|recipient| heard.remove_recipient(recipient));
            well()
        }
        "twice" => {
            let recipients = heard.recipients();
            for _ in 0..2 {
                recipients.iter().for_each(|recipient| heard.remove_recipient(recipient));
            }
            well()
        }
        other => unknown(other),
    }
}

guest!(act);
