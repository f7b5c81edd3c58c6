//! Scripts that misbehave, in the same sandbox and under the same limits, with faults in the words of their language.

use super::arena::{Act, LONG, SHORT, arena};

#[test]
fn scripts_that_never_come_back_are_stopped_where_they_are() {
    arena(
        &[
            Act::fault("hostile", "spin", "hostile.js:3:1 stopped: the script has had its time"),
            Act::fault("hostile", "spinCaught", "hostile.js:4:1 stopped: the script has had its time"),
            Act::fault("hostile", "regex", "hostile.js:5:45 stopped: the script has had its time"),
            Act::fault("hostile", "built", "hostile.js:24:17 stopped: the script has had its time"),
            Act::fault("hostile", "getter", "hostile.js:29:8 stopped: the script has had its time"),
        ],
        SHORT,
    );
}

#[test]
fn scripts_that_fail_are_told_where_and_why() {
    arena(
        &[
            Act::fault("hostile", "deeper", "hostile.js:6:30 RangeError: Maximum call stack size exceeded"),
            Act::fault("hostile", "nested", "hostile.js:7:29 RangeError: Maximum call stack size exceeded"),
            Act::fault("hostile", "hoard", "hostile.js:8:51 InternalError: out of memory"),
            Act::fault("hostile", "small", "hostile.js:"),
            Act::fault("hostile", "forever", "hostile.js:29:8 TypeError: onArrival is waiting for a promise"),
            Act::fault("hostile", "late", "hostile.js:11:38 Error: too late"),
            Act::fault("hostile", "thrown", "hostile.js:29:8 threw \"a text and no error\""),
            Act::fault("hostile", "member", "hostile.js:13:21 TypeError: message.subjct does not exist (did you mean"),
            Act::fault("hostile", "verdict", "hostile.js:14:22 TypeError: message.hold does not exist"),
            Act::fault("hostile", "made", "hostile.js:15:12 Error: reject(…) was called, but what it made was not"),
            Act::fault("hostile", "field", "hostile.js:17:28 TypeError: the field `X-A: b  Bcc`: "),
            Act::harmless("hostile", "text"),
            Act::harmless("hostile", "reach"),
            Act::harmless("hostile", "random"),
            Act::harmless("hostile", "kept"),
        ],
        LONG,
    );
}
