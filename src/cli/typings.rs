//! `mailsluice events --typings`: what a script sees, as TypeScript declarations.
//!
//! Which function there is for an event, what it may return and which edits it may make comes from the catalogue; the members of
//! the objects are in `typings/model.d.ts`. What is printed is kept as `sinks/script-host/mailsluice.d.ts`, for editors.

use crate::event::catalogue::{CATALOGUE, EditKind, Event, Kind, Spec};
use serde::Serialize;
use std::fmt::Write as _;

const HEAD: &str = "\
// What a Mailsluice script sees. Made by `mailsluice events --typings` from the catalogue of events: don't edit.
//
// Put it beside the script and begin the script with `/// <reference path=\"./mailsluice.d.ts\" />`; then
//
//   /** @type {import(\"mailsluice\").OnArrival} */
//   export function onArrival(message, ctx) {
//
// gives an editor everything. TypeScript's own libraries: { \"lib\": [\"es2023\"], \"types\": [] }.

declare module \"mailsluice\" {
";

const GLOBALS: &str = "\
global {
  var console: Record<\"debug\" | \"log\" | \"info\" | \"warn\" | \"error\", (...values: unknown[]) => void>;
  /** HTTP to the origins that `allow.http` names. Redirects are not followed. */
  function fetch(url: string, request?: Request): Promise<Response>;
  function atob(text: string): string;
  function btoa(text: string): string;
  function structuredClone<T>(value: T): T;
  class TextEncoder {
    encode(text?: string): Uint8Array;
  }
  class TextDecoder {
    constructor(charset?: string, options?: { fatal?: boolean });
    decode(data?: ArrayBuffer | ArrayBufferView): string;
  }
";

/// The verdicts that are functions, by their names in scripts.
const VERDICTS: [&str; 8] = ["next", "skipRest", "answer", "reject", "defer", "disconnect", "discard", "hold"];

/// The declarations.
pub(super) fn text() -> String {
    let mut text = HEAD.to_owned();
    let mut line = |line: &str| text.extend([line, "\n"]);
    let edits: Vec<_> = every_edit().iter().map(quoted).collect();
    line(&format!("  /** The kinds of changes; each event allows some. */\n  type Edit = {};\n", edits.join(" | ")));
    include_str!("typings/model.d.ts").lines().for_each(|each| match each {
        "" => line(""),
        each => line(&format!("  {each}")),
    });
    VERDICTS.iter().for_each(|name| line(&format!("  export const {name}: Verdicts[\"{name}\"];")));
    CATALOGUE.iter().map(event).for_each(|event| line(&format!("\n{event}")));
    line("\n  /** The script's name of `transport.submit`. */\n  export type OnArrival = TransportSubmit;");
    line(
        "  export type { Claims, Command, Credentials, SelfTest, Context, Leg, Message, Outbound, Outcome, Question, Recipient, Resolution, Session };\n",
    );
    GLOBALS.lines().for_each(|each| line(&format!("  {each}")));
    VERDICTS.iter().for_each(|name| line(&format!("    var {name}: Verdicts[\"{name}\"];")));
    line("  }\n}");
    text
}

/// The type of the function for an event.
fn event(spec: &Spec) -> String {
    let subject = subject(spec.event);
    let edits = match spec.edits {
        [] => "never".to_owned(),
        edits => edits.iter().map(quoted).collect::<Vec<_>>().join(" | "),
    };
    let verdicts = match spec.kind {
        Kind::Notify => "\"next\"".to_owned(),
        Kind::Decide => ["\"next\"".to_owned(), "\"skip-rest\"".to_owned()]
            .into_iter()
            .chain(spec.verdicts.iter().map(quoted))
            .collect::<Vec<_>>()
            .join(" | "),
    };
    let parameters = match subject {
        Subject::None => format!("ctx: Context<{edits}>"),
        Subject::Is(name, kind) => format!("{name}: {kind}<{edits}>, ctx: Context<{edits}>"),
    };
    let mut text = format!("  /** `{}`: {}. */\n", spec.name, spec.about);
    // Writing to a String does not fail.
    let _ = write!(text, "  export type {:?} = ({parameters}) => Returned<{verdicts}>;", spec.event);
    text
}

/// What a function gets first.
enum Subject {
    /// Nothing: `ctx` comes first.
    None,
    /// A parameter's name and type.
    Is(&'static str, &'static str),
}

fn subject(event: Event) -> Subject {
    match event {
        Event::InConnect | Event::InTls | Event::InDisconnect => Subject::Is("session", "Session"),
        Event::InAuth => Subject::Is("credentials", "Credentials"),
        Event::InHelo | Event::InCommand => Subject::Is("command", "Command"),
        Event::InRcpt | Event::TransportCategorize => Subject::Is("rcpt", "Recipient"),
        Event::InReply => Subject::Is("reply", "Reply"),
        Event::TransportOversize => Subject::Is("excess", "Excess"),
        Event::InMail | Event::InData | Event::InHeaders | Event::InMessage => Subject::Is("message", "Message"),
        Event::TransportSubmit
        | Event::TransportPreCategorize
        | Event::TransportPostCategorize
        | Event::TransportDsn => Subject::Is("message", "Message"),
        Event::TransportRoute
        | Event::TransportDeliver
        | Event::TransportDelivered
        | Event::TransportDeferred
        | Event::TransportFailed
        | Event::OutQuit
        | Event::OutDisconnect => Subject::Is("leg", "Leg"),
        Event::OutConnect
        | Event::OutHelo
        | Event::OutMessage
        | Event::OutMail
        | Event::OutRcpt
        | Event::OutData
        | Event::OutReply => Subject::Is("outbound", "Outbound"),
        Event::DnsResolve => Subject::Is("question", "Question"),
        Event::Track => Subject::Is("step", "Step"),
        Event::ServerStart | Event::ServerReload | Event::ServerShutdown => Subject::None,
    }
}

/// The kinds of edits that some event allows, each once.
fn every_edit() -> Vec<EditKind> {
    let mut every = Vec::new();
    for edit in CATALOGUE.iter().flat_map(|spec| spec.edits) {
        if !every.contains(edit) {
            every.push(*edit);
        }
    }
    every
}

/// The name under which serde writes a word of the catalogue, as a type.
fn quoted(word: &impl Serialize) -> String {
    serde_json::to_string(word).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_is_made() {
        let kept = include_str!("../../sinks/script-host/mailsluice.d.ts");
        assert!(kept == text(), "run: mailsluice events --typings > sinks/script-host/mailsluice.d.ts");
    }

    #[test]
    fn a_function_has_the_edits_and_verdicts_of_its_event() {
        let rcpt = event(Event::InRcpt.spec());
        assert!(rcpt.contains("rcpt: Recipient<\"delay\" | \"rewrite\" | \"add-recipient\" | \"vouch\""), "{rcpt}");
        assert!(rcpt.contains("Returned<\"next\" | \"skip-rest\" | \"reject\""), "{rcpt}");
    }
}
