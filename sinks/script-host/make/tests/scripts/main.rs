//! The script host as it is kept, with scripts for each of its rules: what they do, and how what is wrong with them reads.

mod rig;
mod stub;

use rig::Script;

#[test]
fn the_readme_s_first_sink_works() {
    let mut script = Script::of(
        r#"export function onArrival(message, ctx) {
             message.setHeader("Subject", "[tag] " + message.subject);
             if (message.recipients.length > 5) return reject("Too many");
           }"#,
    );
    assert_eq!(script.events, ["transport.submit"]);
    assert_eq!(script.raise("transport.submit"), Ok("next".to_owned()));
    assert_eq!(script.done(), ["set Subject: [tag] Hello"]);
    assert_eq!(script.world().handles, 0, "every handle is given back");
}
