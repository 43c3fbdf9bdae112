//! A message of Gmail's with the fields that our normaliser reads. The addresses stay as they were written, and
//! the texts are those of the first parts of their kind: less than ours, which reads the one and chooses the
//! other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub id: String,
    pub thread_id: Option<String>,
    #[serde(default)]
    pub label_ids: Vec<String>,
    pub snippet: Option<String>,
    pub history_id: Option<String>,
    pub internal_date: Option<String>,
    pub size_estimate: Option<u64>,
    pub payload: Option<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    #[serde(default)]
    pub part_id: String,
    #[serde(default)]
    pub mime_type: String,
    #[serde(default)]
    pub filename: String,
    #[serde(default)]
    pub headers: Vec<Header>,
    pub body: Option<Body>,
    #[serde(default)]
    pub parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    pub attachment_id: Option<String>,
    pub size: Option<u64>,
    #[serde(default, deserialize_with = "decoded")]
    pub data: Option<String>,
}

fn decoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    Ok(URL_SAFE.decode(text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok()))
}

#[derive(Debug, Deserialize)]
pub struct Label {
    pub id: String,
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}
