//! URLs to which the server sends what is nobody else's business.

/// Whether a URL is one of HTTPS, or leads to this machine, where clear text is read by nobody; without a name and password in it.
pub(super) fn is_private(text: &str) -> bool {
    let near = |rest: &str| matches!(host(rest).as_str(), "127.0.0.1" | "localhost" | "[::1]");
    let fits = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => !host(rest).is_empty(),
        (None, Some(rest)) => near(rest),
        (None, None) => false,
    };
    fits && !text.contains(['@', ' ']) && !text.contains(char::is_control)
}

/// Empty if there is none, or its port is no number.
fn host(rest: &str) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once(':').filter(|_| !authority.ends_with(']')) {
        None => authority.to_owned(),
        Some((host, port)) => port.parse::<u16>().map_or(String::new(), |_| host.to_owned()),
    }
}
