//! How is a record written as JSON, and read again by a later version?
//!
//! The rules of the form stand in the [docs of the model](super#the-json-form).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Entity, Raw, Record, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// The number of the JSON form that this version writes, and the highest that it reads.
pub const MODEL_FORMAT: u32 = 1;

const OPERATION: &str = "record.read";

impl Record {
    /// The record in its [JSON form](super#the-json-form).
    ///
    /// # Errors
    /// [`ErrorKind::DataFormat`] for a year that RFC 3339 cannot write.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|_| {
            Error::new(ErrorKind::DataFormat, "the record cannot be written as JSON")
                .with_operation("record.write")
        })
    }

    /// Reads a record from its [JSON form](super#the-json-form).
    ///
    /// # Errors
    /// [`ErrorKind::DataFormat`] with the path of what cannot be read, which shows none of the content; with
    /// code `model_format` for a number that is higher than [`MODEL_FORMAT`], or missing.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        // The number first, wherever it stands: what comes before it may be of a shape that is not known here.
        let head: Head<'_> = read(json)?;
        if head.format.is_some_and(|format| serde_json::from_str::<Format>(format.get()).is_ok()) {
            read(json)
        } else {
            Err(Error::new(ErrorKind::DataFormat, Format::refusal(head.format.map(RawValue::get)))
                .with_operation(OPERATION)
                .with_code("model_format"))
        }
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T> {
    json::decode_item(json).map_err(|error| {
        Error::new(
            ErrorKind::DataFormat,
            format!("the record cannot be read: {} at {}", error.reason, error.path),
        )
        .with_operation(OPERATION)
    })
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(default, borrow)]
    format: Option<&'a RawValue>,
}

/// The number of the form.
struct Format;

impl Format {
    /// Why a number, or what stands in its place, is refused.
    fn refusal(found: Option<&str>) -> Cow<'static, str> {
        match found.map(str::parse::<u64>) {
            Some(Ok(number)) if number > u64::from(MODEL_FORMAT) => format!(
                "the record has the format {number}, and this version reads up to {MODEL_FORMAT}: it needs a \
                 later version"
            )
            .into(),
            Some(_) => "the record's format is no number that is known".into(),
            None => "there is no format: this is not a record's JSON form".into(),
        }
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if (1..=u64::from(MODEL_FORMAT)).contains(&number) {
            Ok(Self)
        } else {
            Err(D::Error::custom(format_args!("expected a format up to {MODEL_FORMAT}")))
        }
    }
}

/// A normalised item, where it came from, and what the provider sent.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Record", extend("not" = super::schema::two_raws())))]
pub(super) struct Form {
    /// The number of this form. Within one number, fields are only added.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::format"))]
    #[allow(dead_code, reason = "checked while it is read")]
    format: Format,
    /// Where the item came from.
    source: Source,
    /// The item.
    entity: Entity,
    /// The provider's JSON, verbatim.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    raw: Option<Box<RawValue>>,
    /// What the provider sent, where that is text and not JSON.
    #[serde(default)]
    raw_text: Option<String>,
    /// What the provider sent, where that is not text: in Base64 (RFC 4648, section 4).
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("contentEncoding" = "base64", "pattern" = super::schema::BASE64)))]
    raw_base64: Option<String>,
}

/// Reads a value that is there, even if it is a null: providers may send one.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        let raw = match (form.raw, form.raw_text, form.raw_base64) {
            (None, None, None) => Raw::default(),
            (Some(json), None, None) => Raw::new(Box::<str>::from(json).into_string()),
            (None, Some(text), None) => Raw::new(text),
            (None, None, Some(bytes)) => {
                Raw::new(STANDARD.decode(bytes).map_err(|_| D::Error::custom("expected Base64"))?)
            }
            _ => return Err(D::Error::custom("expected one of raw, raw_text and raw_base64")),
        };
        Ok(Self { entity: form.entity, source: form.source, raw })
    }
}

/// The form, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    source: &'a Source,
    entity: &'a Entity,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = str::from_utf8(self.raw.as_bytes());
        // What stands around a value would be lost: such a text is kept as a text.
        let raw = text
            .ok()
            .and_then(|text| serde_json::from_str::<&RawValue>(text).ok())
            .filter(|value| value.get().len() == self.raw.len());
        let raw_text = text.ok().filter(|text| raw.is_none() && !text.is_empty());
        let raw_base64 = text.is_err().then(|| STANDARD.encode(self.raw.as_bytes()));
        let Self { entity, source, .. } = self;
        Written { format: MODEL_FORMAT, source, entity, raw, raw_text, raw_base64 }.serialize(serializer)
    }
}
