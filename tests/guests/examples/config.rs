//! Tells what it has been told in confidence: its configuration, in a header, its log, a reply and its last words.

use mailsluice_guests::{Fault, Ruling, Said, Submitted, act as told, guest, unknown, well};
use mailsluice_sink::{config, info};

fn act(heard: &mut Submitted<'_>) -> Said {
    let secret =
        || Ok::<_, Fault>(config::<std::collections::BTreeMap<String, String>>()?.remove("token").unwrap_or_default());
    match told(heard).as_str() {
        "log" => info!("the token is {}", secret()?),
        "fault" => return Err(Fault::error(format!("the token is {}", secret()?))),
        "panic" => panic!("the token is {}", secret()?),
        "reply" => return Ok(Ruling::reject(5, 7, 1, &format!("the token is {}", secret()?))),
        "length" => heard.set_header("X-Length", &secret()?.len().to_string())?,
        other => return unknown(other),
    }
    well()
}

guest!(act);
