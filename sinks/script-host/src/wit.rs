//! The interfaces as Rust types and traits, made from the WIT files.

#![expect(unsafe_code, reason = "what crosses is read and written by hand, in code that is generated")]

use crate::Host;

wit_bindgen::generate!({
    path: ["../../wit/1.0", "../../wit/script"],
    world: "mailsluice:script/script-host",
    generate_all,
});

export!(Host);
