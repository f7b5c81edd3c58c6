//! Says what a reply can't be: of another class, with a code that is none, over several lines, too long, in bad letters.

use mailsluice_guests::{Ruling, Said, Submitted, act as told, guest, unknown};
use mailsluice_sink::{EnhancedCode, Reply};

fn reject(code: u16, text: &str) -> Said {
    Ok(Ruling::reject_with(Reply::new(code, EnhancedCode(2, 0, 0), text)))
}

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "250" => reject(250, "ok"),
        "354" => reject(354, "go on"),
        "999" => reject(999, "beyond"),
        "65535" => reject(u16::MAX, "far beyond"),
        "lines" => reject(550, "no\r\n250 yes\nand\0no"),
        "letters" => reject(550, "n\u{f6}\u{1f600}"),
        "long" => reject(550, &"no ".repeat(1000)),
        "novel" => reject(550, &"no ".repeat(10 << 10)),
        "reason" => Ok(Ruling::hold("because\r\nof you")),
        "essay" => Ok(Ruling::hold("because ".repeat(10 << 10))),
        other => unknown(other),
    }
}

guest!(act);
