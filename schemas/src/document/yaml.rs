//! Writes a JSON value as YAML 1.2, block style.
//!
//! Strings and unusual keys stay in double quotes: a JSON string is a YAML string of the same meaning, whatever is in it.

use serde_json::Value;

/// The document, with a line break at its end.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// Writes `value` on lines of its own, or, where it fits on one, after what stands on the line already.
fn block(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                indent(depth, text);
                text.push_str(&key(name));
                text.push(':');
                below(member, depth + 1, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                indent(depth, text);
                text.push('-');
                below(item, depth + 1, text);
            }
        }
        scalar => {
            text.push_str(&scalar.to_string());
            text.push('\n');
        }
    }
}

fn below(value: &Value, depth: usize, text: &mut String) {
    let empty = value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    text.push(if (value.is_object() || value.is_array()) && !empty {
        '\n'
    } else {
        ' '
    });
    block(value, depth, text);
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n("  ", depth));
}

/// A plain key where no reader can take it for anything but a string.
fn key(name: &str) -> String {
    let plain =
        name.len() > 3 && name.bytes().all(|b| b.is_ascii_alphabetic()) && !matches!(name, "true" | "false" | "null");
    if plain {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_value_is_written_so_that_nothing_in_it_changes_its_meaning() {
        let value = json!({ "name": "a: \"b\" # c\n", "$ref": [1, {}, { "on": null, "list": [] }], "no": true });
        let text = r##"name: "a: \"b\" # c\n"
"$ref":
  - 1
  - {}
  -
    "on": null
    list: []
"no": true
"##;
        assert_eq!(super::write(&value), text);
    }
}
