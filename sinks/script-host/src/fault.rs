//! What was thrown, as one line: `scripts/tag.js:3:17 TypeError: message.subjct does not exist (did you mean subject?)`.
//!
//! The place is that of the script's own innermost frame; the prelude's and the natives' are passed over. An error made by the
//! prelude about a place of its choosing carries it in a property.

use crate::module::OWN;
use crate::{engine, script};
use rquickjs::{CatchResultExt, Ctx, Error, Exception, Object, Value};

/// The property by which an error carries its place.
const WHERE: &str = "mailsluice:where";

/// The text of a longer message is cut here, in octets.
const TEXT_MAX: usize = 2000;

/// The line for what a call into QuickJS ended with.
pub(crate) fn caught<T>(ctx: &Ctx<'_>, result: rquickjs::Result<T>) -> Result<T, String> {
    match result {
        Ok(value) => Ok(value),
        Err(Error::Exception) => Err(of(ctx.catch())),
        Err(other) => Err(line(&script::whereabouts(ctx), &other.to_string())),
    }
}

/// The line for a thrown value.
pub(crate) fn of(thrown: Value<'_>) -> String {
    let ctx = thrown.ctx().clone();
    if engine::was_stopped() {
        let place = thrown.as_object().and_then(place_of).unwrap_or_else(|| script::whereabouts(&ctx));
        return line(&place, "stopped: the script has had its time");
    }
    if thrown.is_null() && script::is_memory_short() {
        return line(&script::whereabouts(&ctx), "InternalError: out of memory");
    }
    match thrown.as_object().filter(|object| object.is_error()) {
        Some(error) => of_error(&ctx, error),
        None => {
            let shown = shown(&ctx, &thrown);
            line(
                &script::whereabouts(&ctx),
                &format!("threw {shown}, which is no Error and does not say where it comes from"),
            )
        }
    }
}

fn of_error(ctx: &Ctx<'_>, error: &Object<'_>) -> String {
    let text = |name: &str| property(error, name).unwrap_or_default();
    let (name, message) = (text("name"), text("message"));
    let place = place_of(error).or_else(|| lack_of_export(&message)).unwrap_or_else(|| script::whereabouts(ctx));
    let is_ours = property(error, WHERE).is_some() && name == "Error";
    match (is_ours || name.is_empty(), message.is_empty()) {
        (true, _) => line(&place, &message),
        (false, true) => line(&place, &name),
        (false, false) => line(&place, &format!("{name}: {message}")),
    }
}

/// Where an error says that it comes from.
fn place_of(error: &Object<'_>) -> Option<String> {
    property(error, WHERE).or_else(|| property(error, "stack").as_deref().and_then(own_frame))
}

/// QuickJS does not say where the import of a name stands that is not exported; most often that is in the main module.
fn lack_of_export(message: &str) -> Option<String> {
    let name = message.strip_prefix("Could not find export '")?.split('\'').next()?;
    Some(script::find(name.to_owned()))
}

/// A property that is a text; a getter that throws has none.
fn property(object: &Object<'_>, name: &str) -> Option<String> {
    let value = object.get::<_, Value>(name).catch(object.ctx()).ok()?;
    value.as_string().and_then(|text| text.to_string().ok())
}

/// The first frame of a stack that is the script's: `    at onArrival (scripts/tag.js:3:17)`.
fn own_frame(stack: &str) -> Option<String> {
    stack.lines().find_map(|frame| {
        let frame = frame.trim().strip_prefix("at ")?;
        let place = match frame.rfind(" (") {
            Some(begin) => frame.get(begin + 2..)?.strip_suffix(')')?,
            None => frame,
        };
        let mut parts = place.rsplitn(3, ':');
        let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        let is_own = is_number(line) && is_number(column) && !is_prelude(file);
        is_own.then(|| place.to_owned())
    })
}

/// Whether a frame is not of a file of the script's: the prelude's modules have a name of their own, and what QuickJS reads by itself,
/// such as JSON, has one in angle brackets.
fn is_prelude(file: &str) -> bool {
    file == OWN || file.strip_prefix(OWN).is_some_and(|rest| rest.starts_with(':')) || file.starts_with('<')
}

/// A thrown value that is no error, as a reader wants it.
fn shown<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    match ctx.json_stringify(value.clone()).catch(ctx) {
        Ok(Some(json)) => json.to_string().unwrap_or_default(),
        _ => value.type_name().to_owned(),
    }
}

/// One bounded line.
fn line(place: &str, text: &str) -> String {
    let mut text: String = text.split(['\r', '\n', '\0']).collect::<Vec<_>>().join(" ");
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    format!("{place} {text}")
}

/// An error that says of itself where it comes from.
pub(crate) fn throw_at(ctx: &Ctx<'_>, place: &str, text: &str) -> Error {
    let thrown = Exception::from_message(ctx.clone(), text).and_then(|error| {
        error.set(WHERE, place)?;
        Ok(error.throw())
    });
    thrown.unwrap_or_else(|error| error)
}

/// Line and column of an offset, both counted from one.
pub(crate) fn place(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before.get(line..).unwrap_or_default().chars().count() + 1)
}
