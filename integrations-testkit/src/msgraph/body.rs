//! In which form is a body answered?

use std::borrow::Cow;

use serde_json::Value;

use super::prefer::BodyType;
use super::text::{html, plain, put, put_json};

/// Appends a body in the form that is wanted.
pub(super) fn put_body(out: &mut Vec<u8>, stored: &Value, wanted: BodyType) {
    let is_html = stored["contentType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
    let content = stored["content"].as_str();
    let (kind, content) = match (wanted, is_html, content) {
        (BodyType::Text, true, Some(content)) => ("text", Cow::Owned(plain(content))),
        (BodyType::Html, false, Some(content)) => ("html", Cow::Owned(html(content))),
        (_, true, Some(content)) => ("html", Cow::Borrowed(content)),
        (_, false, Some(content)) => ("text", Cow::Borrowed(content)),
        (_, _, None) => return put_json(out, stored),
    };
    put!(out, r#"{"contentType":""#, kind, r#"","content":"#);
    put_json(out, content.as_ref());
    out.push(b'}');
}
