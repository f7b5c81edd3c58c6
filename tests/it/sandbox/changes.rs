//! What guests want of messages and replies: half of a change, fields that are none, addresses that are none, replies that say
//! something else than their verdict.

use super::arena::{Act, LONG, SHORT, arena};

#[test]
fn who_fails_half_way_has_changed_nothing() {
    arena(
        &[
            Act::fault("halfway", "panic", "panic: it panicked; it said: panicked at examples/halfway.rs"),
            Act::fault("halfway", "fault", "half way"),
            Act::fault("halfway", "spin", "overrun: it used"),
            Act::fault("halfway", "illegal", "illegal: "),
        ],
        SHORT,
    );
}

#[test]
fn nothing_is_smuggled_into_messages() {
    arena(
        &[
            Act::harmless("smuggles", "fields"),
            Act::harmless("smuggles", "8-bit"),
            Act::harmless("smuggles", "dots"),
            Act::harmless("smuggles", "bare"),
            Act::fault("smuggles", "huge", "the field `X-A`: the value for `X-A` is too long"),
            Act::fault("smuggles", "flood", "limit: its changes carry over 1048576 octets (`limits.output`)"),
        ],
        LONG,
    );
}

#[test]
fn envelopes_stay_envelopes() {
    arena(
        &[
            Act::harmless("envelope", "none"),
            Act::harmless("envelope", "null"),
            Act::harmless("envelope", "again"),
            Act::harmless("envelope", "nobody"),
            Act::harmless("envelope", "twice"),
            Act::fault("envelope", "long", "`xxxxx"),
            Act::fault("envelope", "million", "limit: over 10000 changes in one call"),
        ],
        LONG,
    );
}

#[test]
fn replies_say_what_the_verdict_says() {
    arena(
        &[
            Act::reply("replies", "250", "550 "),
            Act::reply("replies", "354", "550 "),
            Act::reply("replies", "999", "554 beyond"),
            Act::reply("replies", "65535", "554 far beyond"),
            Act::reply("replies", "lines", "550 "),
            Act::reply("replies", "letters", "550 "),
            Act::reply("replies", "long", "550 "),
            Act::reply("replies", "reason", "250 "),
            Act::fault("replies", "novel", "limit: "),
            Act::fault("replies", "essay", "limit: "),
        ],
        LONG,
    );
}
