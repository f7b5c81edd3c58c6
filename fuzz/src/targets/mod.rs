//! The targets: for each a function that takes any octets, and panics where what has to hold does not.

mod address;
mod bdat;
mod command;
mod configuration;
mod header;
mod input;
mod line;
mod manifest;
mod property_blob;
mod proxy;
mod reply;
mod rule;
mod sasl;
mod session;
mod spool_record;
mod told;
mod xclient;

/// Takes any octets.
type Target = fn(&[u8]);

/// All targets by name: that of the file in `fuzz_targets`, of the folder in `seeds`, and of the module here.
pub(crate) const TARGETS: [(&str, Target); 14] = [
    ("line", line::line),
    ("command", command::command),
    ("address", address::address),
    ("header", header::header),
    ("bdat", bdat::bdat),
    ("spool_record", spool_record::spool_record),
    ("manifest", manifest::manifest),
    ("configuration", configuration::configuration),
    ("property_blob", property_blob::property_blob),
    ("rule", rule::rule),
    ("sasl", sasl::sasl),
    ("session", session::session),
    ("proxy", proxy::proxy),
    ("xclient", xclient::xclient),
];
