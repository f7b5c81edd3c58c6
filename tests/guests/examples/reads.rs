//! Reads what is not there: past the end, from far behind it, more than there is, parts that don't exist; and byte by byte.

use mailsluice_guests::{Fault, Said, Submitted, act as told, guest, unknown, well};
use mailsluice_sink::Part;

fn part(index: u32) -> Part {
    let content_type = "text/plain".to_owned();
    Part {
        index,
        parent: None,
        content_type,
        charset: None,
        file_name: None,
        content_id: None,
        size: u64::MAX,
        is_attachment: false,
        is_multipart: false,
    }
}

fn act(heard: &mut Submitted<'_>) -> Said {
    let body = heard.body();
    let same = |is: bool, what: &str| if is { well() } else { Err(Fault::error(what)) };
    match told(heard).as_str() {
        "past" => {
            let size = body.size();
            let last = body.range(size - 1, 10)?;
            same(last == b"\n" && body.range(size, 10)?.is_empty(), "past the end")
        }
        "far" => same(body.range(u64::MAX, u32::MAX)?.is_empty(), "far behind the end"),
        "all" => same(body.range(0, u32::MAX)?.len() as u64 == body.size(), "all at once"),
        "bytes" => {
            let whole = body.range(0, u32::MAX)?;
            let bytes: Result<Vec<u8>, Fault> = (0..body.size()).map(|n| Ok(body.range(n, 1)?[0])).collect();
            same(bytes? == whole, "byte by byte")
        }
        "forever" => loop {
            body.range(0, 1)?;
        },
        "part" => same(heard.part(&part(4_000_000_000)).range(0, 1).is_err(), "a part that is not there"),
        "edit" => {
            heard.remove_part(&part(4_000_000_000));
            well()
        }
        other => unknown(other),
    }
}

guest!(act);
