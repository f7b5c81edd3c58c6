//! What a server can take of a message: all of it as it is, or a form that it carries, or nothing (RFC 6152 3, RFC 3030 3, RFC 6531 3.6).
//!
//! Asked for each server, so that one that takes more gets the message as it was sent. A server that offers 8BITMIME gets what
//! was declared 7-bit or 8-bit unlooked at, and one that offers BINARYMIME what is binary: the message is read beforehand
//! only on its way to others.

use crate::mail::mime::{Goal, NotConvertible, convert};
use crate::mail::{BodyType, Message};
use crate::smtp::client::{Offered, Trouble};

/// Messages up to this size, in octets, are looked at where we are; others keep nobody waiting.
const SMALL: u64 = 64 * 1024;

/// How a message goes out.
#[derive(Debug)]
pub(super) enum Fit {
    /// As it is, declared so.
    AsIs(BodyType),
    /// In another form, declared so.
    Converted(Message, BodyType),
}

/// What is to be done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// To be converted, whatever it holds.
    Convert(Goal, BodyType),
    /// To be converted if it has octets beyond ASCII.
    Look,
}

/// Decides. `declared` is BODY as it came with the message.
pub(super) async fn fit(message: &Message, declared: BodyType, offered: &Offered) -> Result<Fit, Trouble> {
    let work = match declared {
        BodyType::BinaryMime if offered.takes_binary() => return Ok(Fit::AsIs(declared)),
        BodyType::BinaryMime if offered.has("8BITMIME") => Work::Convert(Goal::EightBitLines, BodyType::EightBitMime),
        BodyType::BinaryMime => Work::Convert(Goal::SevenBitLines, BodyType::SevenBit),
        BodyType::SevenBit | BodyType::EightBitMime if offered.has("8BITMIME") => return Ok(Fit::AsIs(declared)),
        BodyType::SevenBit | BodyType::EightBitMime => Work::Look,
    };
    let done = if message.len() > SMALL {
        let message = message.clone();
        let join = tokio::task::spawn_blocking(move || run(&message, work)).await;
        join.map_err(|e| Trouble::Unreadable(format!("converting it was interrupted: {e}")))?
    } else {
        run(message, work)
    };
    done.map_err(|why| trouble(&why, offered))
}

fn run(message: &Message, work: Work) -> Result<Fit, NotConvertible> {
    let (goal, becomes) = match work {
        Work::Convert(goal, becomes) => (goal, becomes),
        Work::Look if is_ascii(message)? => return Ok(Fit::AsIs(BodyType::SevenBit)),
        Work::Look => (Goal::SevenBit, BodyType::SevenBit),
    };
    Ok(Fit::Converted(convert(message, goal)?, becomes))
}

fn is_ascii(message: &Message) -> Result<bool, NotConvertible> {
    let mut ascii = message.header.raw().is_ascii();
    if ascii {
        message
            .body
            .for_each_chunk(|chunk| {
                ascii &= chunk.is_ascii();
                Ok(())
            })
            .map_err(NotConvertible::Unreadable)?;
    }
    Ok(ascii)
}

fn trouble(why: &NotConvertible, offered: &Offered) -> Trouble {
    match why {
        NotConvertible::Unreadable(error) => Trouble::Unreadable(error.to_string()),
        NotConvertible::Header(_) if !offered.has("SMTPUTF8") => Trouble::NeedsSmtpUtf8,
        other => Trouble::Unconvertible(other.to_string()),
    }
}
