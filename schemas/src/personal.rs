//! Personal values: open in a command, sealed in an event, printed nowhere.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::ids::QuestionId;
use crate::sealed::{Category, Sealed, SealedOr};

/// What marks a field's category in its type.
pub trait Protection: Clone + Send + Sync + 'static {
    /// The category.
    const CATEGORY: Category;
    /// The keyword that the JSON Schema carries.
    const KEYWORD: &'static str;
}

/// Marks [`Personal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordinary {}

/// Marks [`SpecialCategory`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Special {}

impl Protection for Ordinary {
    const CATEGORY: Category = Category::Personal;
    const KEYWORD: &'static str = "x-personal";
}

impl Protection for Special {
    const CATEGORY: Category = Category::SpecialCategory;
    const KEYWORD: &'static str = "x-special-category";
}

/// Name, address, contact details, place, free text.
pub type Personal<T> = Private<T, Ordinary>;

/// Health, and whatever else UK GDPR article 9 lists.
pub type SpecialCategory<T> = Private<T, Special>;

/// A value that only those with the key may read.
///
/// Guarantees: `Debug` prints a placeholder; serialising an open value is an error, so none can slip into an event, a read
/// model or a reply. Decoding takes both forms; the command-service refuses a command that brings a sealed one.
#[derive(Clone, PartialEq, Eq)]
pub struct Private<T, P>(State<T>, PhantomData<P>);

#[derive(Clone, PartialEq, Eq)]
enum State<T> {
    Open(T),
    Sealed(Sealed),
}

impl<T, P: Protection> Private<T, P> {
    /// An open value, as a sender gave it.
    pub const fn open(value: T) -> Self {
        Self(State::Open(value), PhantomData)
    }

    /// A sealed value, as the vault made it.
    pub const fn sealed(value: Sealed) -> Self {
        Self(State::Sealed(value), PhantomData)
    }

    /// The open value, where it is not sealed yet.
    pub const fn as_open(&self) -> Option<&T> {
        match &self.0 {
            State::Open(value) => Some(value),
            State::Sealed(_) => None,
        }
    }

    /// The sealed value, where it is sealed.
    pub const fn as_sealed(&self) -> Option<&Sealed> {
        match &self.0 {
            State::Open(_) => None,
            State::Sealed(value) => Some(value),
        }
    }
}

impl<T, P> fmt::Debug for Private<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Open(_) => "[personal]",
            State::Sealed(_) => "[sealed]",
        })
    }
}

impl<T, P> Serialize for Private<T, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            State::Sealed(value) => value.serialize(serializer),
            State::Open(_) => Err(serde::ser::Error::custom(
                "a personal value must be sealed before it is written",
            )),
        }
    }
}

impl<'de, T: DeserializeOwned, P> Deserialize<'de> for Private<T, P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let state = match SealedOr::deserialize(deserializer)? {
            SealedOr::Sealed(sealed) => State::Sealed(sealed),
            SealedOr::Other(value) => {
                State::Open(serde_path_to_error::deserialize(value).map_err(crate::json::inner_error)?)
            }
        };
        Ok(Self(state, PhantomData))
    }
}

impl<T: JsonSchema, P: Protection> JsonSchema for Private<T, P> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}_{}", P::KEYWORD, T::schema_name()).into()
    }

    /// Commands (read by us) show the open form, events (written by us) the sealed one.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = if generator.contract().is_serialize() {
            generator.subschema_for::<Sealed>()
        } else {
            T::json_schema(generator)
        };
        schema.insert(P::KEYWORD.to_owned(), Value::Bool(true));
        schema
    }
}

/// The answer, of the kind that the catalogue gives for the question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AnswerValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text, a date as `YYYY-MM-DD`, or one of the question's choices.
    Text(crate::text::Text),
    /// Several of the question's choices.
    Choices(Vec<crate::text::Line>),
}

/// The answer to one of a request type's own questions.
///
/// A command brings it as [`Answer::Given`]; the command-service, which knows the catalogue, makes it open or seals it. An
/// answer still as given can't be serialised.
#[derive(Clone, PartialEq)]
pub enum Answer {
    /// As the sender gave it. Personal until the command-service, which knows the catalogue, says otherwise.
    Given(AnswerValue, Category),
    /// In clear: the catalogue marks the question `open`.
    Open(AnswerValue),
    /// Sealed, as every other answer is.
    Sealed(Sealed),
}

/// The answers of one command or event, by question.
pub type Answers = std::collections::BTreeMap<QuestionId, Answer>;

/// Reads an event's answers: what stands there in clear was opened by the catalogue before it was recorded.
pub(crate) fn recorded_answers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Answers, D::Error> {
    let mut answers = Answers::deserialize(deserializer)?;
    for answer in answers.values_mut() {
        if let Answer::Given(value, _) = answer {
            *answer = Answer::Open(value.clone());
        }
    }
    Ok(answers)
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(..) => f.write_str("[personal]"),
            Self::Open(value) => value.fmt(f),
            Self::Sealed(_) => f.write_str("[sealed]"),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Given(..) => Err(serde::ser::Error::custom(
                "an answer must be opened or sealed before it is written",
            )),
            Self::Open(value) => value.serialize(serializer),
            Self::Sealed(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match SealedOr::deserialize(deserializer)? {
            SealedOr::Sealed(sealed) => return Ok(Self::Sealed(sealed)),
            SealedOr::Other(value) => value,
        };
        let expected = "expected true or false, a whole number, text of at most 10,000 characters, or a list of texts";
        serde_json::from_value(value)
            .map(|value| Self::Given(value, Category::Personal))
            .map_err(|_| serde::de::Error::custom(expected))
    }
}

impl JsonSchema for Answer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Answer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<AnswerValue>();
        if generator.contract().is_serialize() {
            let sealed = generator.subschema_for::<Sealed>();
            json_schema!({ "anyOf": [value, sealed], "description": "In clear where the catalogue marks the question open, otherwise sealed." })
        } else {
            let mut schema = value;
            schema.insert("x-personal".to_owned(), Value::Bool(true));
            schema
        }
    }
}

/// One personal field on its way to be sealed.
pub struct OpenField<'a> {
    /// JSON pointer into the command's data.
    pub pointer: &'a str,
    /// What protection it needs.
    pub category: Category,
    /// The value's JSON text.
    pub json: &'a str,
}

/// Why a command's personal fields could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealFieldError<E> {
    /// The sender brought a sealed value; only the service seals.
    #[error("{pointer} is sealed already: send it open")]
    AlreadySealed {
        /// Where it is.
        pointer: String,
    },
    /// The value has no JSON form.
    #[error("{pointer} could not be written as JSON")]
    Unwritable {
        /// Where it is.
        pointer: String,
    },
    /// The vault could not seal it.
    #[error(transparent)]
    Vault(E),
}

/// Seals what is personal in a command, field by field.
pub trait SealFields {
    /// Calls `seal` once for each open personal field and puts the sealed value in its place.
    ///
    /// # Errors
    /// The first field that can't be sealed; the command is then partly sealed and must be dropped.
    fn seal_fields<E>(
        &mut self,
        seal: &mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>,
    ) -> Result<(), SealFieldError<E>>;
}

impl<T: Serialize, P: Protection> Private<T, P> {
    /// Seals the value at `pointer`.
    ///
    /// # Errors
    /// See [`SealFields::seal_fields`].
    pub fn seal_at<E>(
        &mut self,
        pointer: &str,
        seal: &mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>,
    ) -> Result<(), SealFieldError<E>> {
        let value = self.as_open().ok_or_else(|| SealFieldError::AlreadySealed {
            pointer: pointer.to_owned(),
        })?;
        let json = serde_json::to_string(value).map_err(|_| SealFieldError::Unwritable {
            pointer: pointer.to_owned(),
        })?;
        let sealed = seal(OpenField {
            pointer,
            category: P::CATEGORY,
            json: &json,
        })
        .map_err(SealFieldError::Vault)?;
        *self = Self::sealed(sealed);
        Ok(())
    }
}

impl Answer {
    /// Seals an answer that is still as given; leaves an open one open.
    ///
    /// # Errors
    /// See [`SealFields::seal_fields`].
    pub fn seal_at<E>(
        &mut self,
        pointer: &str,
        seal: &mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>,
    ) -> Result<(), SealFieldError<E>> {
        let (value, category) = match self {
            Self::Open(_) => return Ok(()),
            Self::Sealed(_) => {
                return Err(SealFieldError::AlreadySealed {
                    pointer: pointer.to_owned(),
                });
            }
            Self::Given(value, category) => (value, *category),
        };
        let json = serde_json::to_string(value).map_err(|_| SealFieldError::Unwritable {
            pointer: pointer.to_owned(),
        })?;
        *self = Self::Sealed(
            seal(OpenField {
                pointer,
                category,
                json: &json,
            })
            .map_err(SealFieldError::Vault)?,
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_value_is_neither_printed_nor_written() {
        let name: Personal<String> = serde_json::from_str("\"Ada Lovelace\"").unwrap();
        assert_eq!(format!("{name:?}"), "[personal]");
        assert!(serde_json::to_string(&name).is_err());
        let answer: Answer = serde_json::from_str("\"asthma\"").unwrap();
        assert_eq!(format!("{answer:?}"), "[personal]");
        assert!(serde_json::to_string(&answer).is_err());
    }

    #[test]
    fn a_sealed_value_keeps_its_form() {
        let json = r#"{"sealed":"AQ"}"#;
        let name: Personal<String> = serde_json::from_str(json).unwrap();
        assert!(name.as_sealed().is_some());
        assert_eq!(serde_json::to_string(&name).unwrap(), json);
    }

    #[test]
    fn sealing_hands_over_the_value_once_and_refuses_a_sealed_one() {
        let mut name = Personal::open("Ada".to_owned());
        let mut seen = Vec::new();
        name.seal_at("/name", &mut |field| -> Result<Sealed, ()> {
            seen.push((field.pointer.to_owned(), field.category, field.json.to_owned()));
            Ok(Sealed::from_token("AQ".into()))
        })
        .unwrap();
        assert_eq!(seen, [("/name".to_owned(), Category::Personal, "\"Ada\"".to_owned())]);
        let again = name.seal_at("/name", &mut |_| -> Result<Sealed, ()> {
            Ok(Sealed::from_token("AQ".into()))
        });
        assert!(matches!(again, Err(SealFieldError::AlreadySealed { .. })));
    }
}
