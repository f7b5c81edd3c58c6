//! A rule as it would be written on one line.

use crate::config::{Node, Value};

/// The value as inline TOML.
pub(super) fn inline(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::String(text) => toml_edit::Value::from(text.as_str()).to_string(),
        Value::Datetime(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Table(fields) => {
            let pairs =
                fields.iter().map(|field| format!("{} = {}", toml_edit::Key::new(&field.key), inline(&field.node)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Diagnostics, parse};

    #[test]
    fn as_it_would_be_written() {
        let mut found = Diagnostics::default();
        let text = "[when]\nsender = ['*@x', '<>']\nnot.header = { \"X Y\" = 'a\"b' }\nsize = 5\nany = [{ auth = true }, {}]\n";
        let id = found.sources.add("f.toml", text);
        let root = parse(id, &mut found).unwrap();
        let when = &root.as_table().unwrap().get("when").unwrap().node;
        let want = "{ sender = [\"*@x\", \"<>\"], not = { header = { \"X Y\" = 'a\"b' } }, size = 5, any = [{ auth = true }, {}] }";
        assert_eq!(inline(when), want);
    }
}
