//! `Did you mean`: the known name that an unknown one was probably meant to be.

/// The nearest of the names, if one is near enough to be worth saying.
pub fn suggest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    // One slip in three letters; in a very short word only a swap or a missing letter.
    let allowed = (word.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&word, name), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["listener", "message-size", "message-size-max", "to"];
        assert_eq!(suggest("lisener", names), Some("listener"));
        assert_eq!(suggest("message_size", names), Some("message-size"));
        assert_eq!(suggest("Mesage-Size", names), Some("message-size"));
        assert_eq!(suggest("ot", names), Some("to"));
        assert_eq!(suggest("x", names), None);
        assert_eq!(suggest("queue", names), None);
    }
}
