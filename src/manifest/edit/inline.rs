//! Values for a manifest that are written elsewhere: a file of settings as one inline table.

use toml_edit::DocumentMut;

/// The TOML document `text` as an inline table. Arrays keep their line ends, which TOML allows there.
pub fn inline(text: &str) -> Result<String, String> {
    let document = text.parse::<DocumentMut>().map_err(|error| error.to_string())?;
    let mut table = document.into_table().into_inline_table();
    table.fmt();
    Ok(table.to_string().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_one_value() {
        let text = "# why\na = 1 # what\n[b]\nc = \"x\"\n[[d]]\ne = [\n 1,\n 2 ]\n[[d]]\ne = []\n";
        let value = inline(text).unwrap();
        let again: toml::Value = toml::from_str(&format!("v = {value}")).unwrap();
        assert_eq!(again["v"], toml::from_str::<toml::Value>(text).unwrap());
        assert!(inline("a = ").is_err());
    }
}
