//! Tries to put line breaks, ends of data and foreign fields into messages; and a body that is full of them.

use mailsluice_guests::{Fault, Said, Submitted, act as told, guest, unknown, well};

/// Names and values, none of which is a header field.
const FIELDS: [(&str, &str); 10] = [
    ("X-A", "a\r\nBcc: b@example.com"),
    ("X-A", "a\nBcc: b@example.com"),
    ("X-A", "a\rBcc: b@example.com"),
    ("X-A", "a\0b"),
    ("X-A", "a\r\n.\r\nMAIL FROM:<b@example.com>"),
    ("X-A: b", "c"),
    ("X A", "c"),
    ("", "c"),
    ("X-\u{e4}", "c"),
    ("X-A\r\nBcc", "b@example.com"),
];

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "fields" => {
            for (name, value) in FIELDS {
                if heard.set_header(name, value).is_ok() || heard.prepend_header(name, value).is_ok() {
                    return Err(Fault::error(format!("{name:?}: {value:?} passed for a field")));
                }
            }
            well()
        }
        "8-bit" => heard.set_header("Subject", "gr\u{fc}\u{df}e").and(Ok(mailsluice_guests::Ruling::next())),
        "huge" => heard.set_header("X-A", &"x".repeat(2 << 20)).and(Ok(mailsluice_guests::Ruling::next())),
        "dots" => {
            heard.replace_body(b"before\r\n.\r\nMAIL FROM:<b@example.com>\r\n.\r\n..\r\n");
            well()
        }
        "bare" => {
            heard.replace_body(b"before\n.\nMAIL FROM:<b@example.com>\r.\rafter\0\r\n");
            well()
        }
        "flood" => {
            heard.replace_body(&vec![b'x'; 4 << 20]);
            well()
        }
        other => unknown(other),
    }
}

guest!(act);
