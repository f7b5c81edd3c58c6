//! Texts and octets: how they cross, and UTF-8 and what mail needs beside it.

use super::define;
use crate::module::raise;
use rquickjs::{Ctx, Exception, FromJs, Object, Result, TypedArray, Value};

pub(super) fn install<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    define!(ctx, host,
        "encode" => |ctx: Ctx<'js>, text: String| bytes(&ctx, text.into_bytes()),
        "decode" => decode,
        "find" => crate::script::find,
    )
}

/// Octets that a script hands over, as a Uint8Array.
pub(crate) struct Octets(pub(crate) Vec<u8>);

impl<'js> FromJs<'js> for Octets {
    #[expect(unsafe_code, reason = "there is no other way to copy from a Uint8Array at once")]
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        let array = TypedArray::<u8>::from_js(ctx, value)?;
        // SAFETY: no script runs until the octets are copied.
        let octets = unsafe { array.as_bytes() }.map(<[u8]>::to_vec);
        octets.map(Self).ok_or_else(|| raise(ctx, "the buffer has been transferred"))
    }
}

/// Octets for a script.
pub(super) fn bytes<'js>(ctx: &Ctx<'js>, octets: Vec<u8>) -> Result<TypedArray<'js, u8>> {
    TypedArray::new(ctx.clone(), octets)
}

/// Octets as a text. `fatal`: what is not UTF-8 is an error, and not a replacement character.
fn decode(ctx: Ctx<'_>, octets: Octets, charset: String, fatal: bool) -> Result<String> {
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => {
            let octets = octets.0.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&octets.0);
            match std::str::from_utf8(octets) {
                Ok(text) => Ok(text.to_owned()),
                Err(_) if !fatal => Ok(String::from_utf8_lossy(octets).into_owned()),
                Err(_) => Err(Exception::throw_type(&ctx, "the octets are not UTF-8")),
            }
        }
        "iso-8859-1" | "latin1" | "windows-1252" => Ok(octets.0.iter().map(|octet| western(*octet)).collect()),
        _ => Err(Exception::throw_range(&ctx, &format!("the character set {charset} is not known here"))),
    }
}

/// Windows-1252, which is what ISO 8859-1 means in mail.
fn western(octet: u8) -> char {
    const C1: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    octet.checked_sub(0x80).and_then(|place| C1.get(usize::from(place))).copied().unwrap_or(char::from(octet))
}
