//! Reading JSON from strangers.
//!
//! [`parse`] takes a document only where it has one meaning: no key twice, no NUL or other control character but line breaks
//! and tabs, no more than [`DEEPEST`] levels. [`decode`] turns an object into a type and says with a JSON pointer what did not
//! fit. Neither quotes the document in its errors.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::FieldError;

/// The most levels that objects and lists may be nested.
pub const DEEPEST: usize = 32;

/// Parses a document strictly.
///
/// # Errors
/// One fault, with code `malformed_json`, `duplicate_field`, `control_character` or `too_deep`.
pub fn parse(text: &str) -> Result<Value, FieldError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut fault = None;
    let parsed = Strict {
        pointer: String::new(),
        depth: 0,
        fault: &mut fault,
    }
    .deserialize(&mut deserializer);
    let parsed = parsed.and_then(|value| deserializer.end().map(|()| value));
    parsed.map_err(|error| {
        fault.unwrap_or_else(|| {
            let place = format!("line {} column {}", error.line(), error.column());
            FieldError::new("", "malformed_json", format!("the body is not JSON: see {place}"))
        })
    })
}

/// Decodes an object into `T`.
///
/// # Errors
/// One fault with a pointer, and code `missing_field`, `unknown_field`, `duplicate_field`, `wrong_type` or `invalid_value`.
pub fn decode<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| {
        let pointer = pointer(error.path());
        field_error(&pointer, &error.into_inner().to_string())
    })
}

/// Escapes one token of a JSON pointer (RFC 6901 section 3).
#[must_use]
pub fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// Marks where, inside a value that is read through [`Value`], something did not fit: the outer error keeps the inner path.
const INNER: char = '\u{1}';

/// Carries an inner decoding error outwards with its path.
pub(crate) fn inner_error<E: serde::de::Error>(error: serde_path_to_error::Error<serde_json::Error>) -> E {
    let pointer = pointer(error.path());
    E::custom(format!("{INNER}{pointer}{INNER}{}", error.into_inner()))
}

/// Reads serde's sentence. What the sender wrote stands before the last `, expected`; only what follows is quoted.
fn field_error(outer: &str, message: &str) -> FieldError {
    if let Some((inner, message)) = message.strip_prefix(INNER).and_then(|rest| rest.split_once(INNER)) {
        return field_error(&format!("{outer}{inner}"), message);
    }
    let named = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?.strip_prefix('`')?;
        let end = rest
            .find("`, expected")
            .or_else(|| rest.find("`, there are"))
            .or_else(|| rest.rfind('`'))?;
        Some(format!("{outer}/{}", escape(&rest[..end])))
    };
    if let Some(pointer) = named("missing field ") {
        return FieldError::new(pointer, "missing_field", "this field is required");
    }
    if let Some(pointer) = named("unknown field ") {
        // The path has entered the field before serde finds that it does not know it.
        let pointer = if outer.is_empty() { pointer } else { outer.to_owned() };
        return FieldError::new(pointer, "unknown_field", "there is no such field");
    }
    if let Some(pointer) = named("duplicate field ") {
        return FieldError::new(pointer, "duplicate_field", "this field stands twice");
    }
    let expected = message
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected.to_owned());
    let code = if message.starts_with("invalid type") {
        "wrong_type"
    } else {
        "invalid_value"
    };
    let sentence = match expected {
        Some(expected) => format!("expected {}", in_words(&expected)),
        // Our own types' sentences are constants; serde's and the libraries' may quote the value.
        None if message.starts_with("expected ") || message.starts_with("a ") || message.starts_with("an ") => {
            message.to_owned()
        }
        None => "the value does not have the right form".to_owned(),
    };
    FieldError::new(outer, code, sentence)
}

/// What serde expected, as whoever does not write Rust says it.
fn in_words(expected: &str) -> String {
    let whole = |most: u64| format!("a whole number from 0 to {most}");
    match expected {
        "f32" | "f64" => "a number".to_owned(),
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" => whole(u32::MAX.into()),
        "u64" => "a whole number from 0 on".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "a string" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        // Ours: what a type is called in the code says nothing to its sender.
        named if named.starts_with("struct ") || named.starts_with("internally tagged enum ") => "an object".to_owned(),
        other => other.to_owned(),
    }
}

struct Strict<'f> {
    pointer: String,
    depth: usize,
    fault: &'f mut Option<FieldError>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(&mut self, pointer: String, code: &str, message: &str) -> E {
        self.fault
            .get_or_insert_with(|| FieldError::new(pointer, code, message));
        E::custom(message)
    }

    fn text<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let pointer = self.pointer.clone();
            return Err(self.refuse(pointer, "control_character", "expected text without control characters"));
        }
        Ok(())
    }

    fn inner(&mut self, token: &str) -> Strict<'_> {
        Strict {
            pointer: format!("{}/{}", self.pointer, escape(token)),
            depth: self.depth + 1,
            fault: self.fault,
        }
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.depth >= DEEPEST {
            let pointer = self.pointer.clone();
            return Err(self.refuse(pointer, "too_deep", "objects and lists are nested too deeply"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("expected a finite number"))
    }

    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<Value, E> {
        self.text(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner(&list.len().to_string()))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.text::<A::Error>(&key)?;
            if object.contains_key(&key) {
                let pointer = format!("{}/{}", self.pointer, escape(&key));
                return Err(self.refuse(pointer, "duplicate_field", "this field stands twice"));
            }
            let value = entries.next_value_seed(self.inner(&key))?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::personal::Personal;
    use crate::text::{EmailAddress, PostalAddress};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Sample {
        email: Personal<EmailAddress>,
        address: Option<Personal<PostalAddress>>,
        count: Option<u8>,
    }

    fn fault(text: &str) -> FieldError {
        let object = match parse(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => panic!("not an object"),
            Err(fault) => return fault,
        };
        decode::<Sample>(object).unwrap_err()
    }

    #[test]
    fn every_fault_names_its_field() {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        for (text, pointer, code) in [
            ("{", "", "malformed_json"),
            ("{} {}", "", "malformed_json"),
            ("{\"email\": NaN}", "", "malformed_json"),
            ("{\"count\": 1, \"count\": 2}", "/count", "duplicate_field"),
            ("{\"email\": \"a\\u0000b@example.org\"}", "/email", "control_character"),
            (
                &format!("{{\"email\": {deep}}}"),
                &format!("/email{}", "/0".repeat(31)),
                "too_deep",
            ),
            ("{}", "/email", "missing_field"),
            (
                "{\"email\": \"ada@example.org\", \"e~/mail\": 1}",
                "/e~0~1mail",
                "unknown_field",
            ),
            ("{\"email\": 7}", "/email", "wrong_type"),
            ("{\"email\": \"ada\"}", "/email", "invalid_value"),
            (
                "{\"email\": \"ada@example.org\", \"count\": 300}",
                "/count",
                "invalid_value",
            ),
            (
                "{\"email\": \"ada@example.org\", \"address\": {\"lines\": [\"1 High St\", 7]}}",
                "/address/lines/1",
                "wrong_type",
            ),
            (
                "{\"email\": \"ada@example.org\", \"address\": {\"lines\": [\"1 High St\"], \"county\": 1}}",
                "/address/county",
                "unknown_field",
            ),
        ] {
            let fault = fault(text);
            assert_eq!(
                (fault.pointer.as_str(), fault.code.as_str()),
                (pointer, code),
                "{text}: {fault:?}"
            );
        }
    }

    #[test]
    fn what_was_expected_is_said_for_people() {
        for (text, sentence) in [
            ("{\"email\": 7}", "expected text"),
            (
                "{\"email\": \"ada@example.org\", \"count\": 300}",
                "expected a whole number from 0 to 255",
            ),
            ("{\"email\": \"ada@example.org\", \"address\": 7}", "expected an object"),
            (
                "{\"email\": \"ada@example.org\", \"address\": {\"lines\": 7}}",
                "expected a list",
            ),
        ] {
            assert_eq!(fault(text).message, sentence, "{text}");
        }
    }

    #[test]
    fn no_fault_quotes_the_value() {
        for text in [
            "{\"email\": \"Mrs Secret, expected nothing\"}",
            "{\"email\": {\"Secret\": 1}}",
            "{\"email\": \"ada@example.org\", \"count\": \"Secret, expected Secret\"}",
            "{\"email\": \"ada@example.org\", \"address\": \"Secret\"}",
        ] {
            let fault = fault(text);
            assert!(!fault.message.contains("Secret"), "{fault:?}");
        }
    }
}
