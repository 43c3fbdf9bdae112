//! How is JSON from a provider read without trusting it?

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Deserializer, Visitor};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Raw;
use crate::normalize::ItemError;

/// Reads a string and makes something of it, without a copy of the string.
pub fn text<'de, D, T>(deserializer: D, make: impl FnOnce(&str) -> T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    try_text(deserializer, "a string", |text| Some(make(text)))
}

/// Reads a string and makes something of it that not every string can give.
///
/// `expected` names what the string should have been.
pub fn try_text<'de, D, T>(
    deserializer: D,
    expected: &'static str,
    make: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    struct Text<F, T>(&'static str, F, PhantomData<T>);

    impl<F: FnOnce(&str) -> Option<T>, T> Visitor<'_> for Text<F, T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            // The message names what was expected and not what was found: that belongs to the user.
            (self.1)(text).ok_or_else(|| E::custom(format_args!("invalid value, expected {}", self.0)))
        }
    }

    deserializer.deserialize_str(Text(expected, make, PhantomData))
}

/// Reads an RFC 3339 time.
pub fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    try_text(deserializer, "an RFC 3339 time", |text| {
        DateTime::parse_from_rfc3339(text).ok().map(|time| Some(time.to_utc()))
    })
}

/// Declares a function for `deserialize_with` that reads a word through a table from a provider's words to
/// those of the model. Any other word is kept.
///
/// ```
/// use integrations_core::model::TaskStatus;
///
/// integrations_core::words!(status -> TaskStatus {
///     "needsAction" => Open,
///     "completed" => Completed,
/// });
///
/// #[derive(serde::Deserialize)]
/// struct Task {
///     #[serde(deserialize_with = "status")]
///     status: TaskStatus,
/// }
///
/// let task: Task = serde_json::from_str(r#"{"status":"postponed"}"#)?;
/// assert_eq!(task.status, TaskStatus::Other("postponed".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! words {
    ($name:ident -> $type:ident { $($word:literal => $variant:ident,)* }) => {
        fn $name<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<$type, D::Error> {
            $crate::json::text(deserializer, |word| match word {
                $($word => $type::$variant,)*
                other => $type::Other(other.into()),
            })
        }
    };
}

/// Cuts the items of a page out of it, without a copy, and reads the rest of the page.
///
/// `field` names the array of the items on the top level of the page. The page is walked just to find
/// where each item ends: whether it is sound is for [`decode_item`] to say, so that one that is not harms
/// itself only. `T` sees the array empty; declare it as `[IgnoredAny; 0]`, and a page whose items were
/// not found is refused instead of taken for empty.
///
/// `None` when the page cannot be read.
pub fn cut_items<T: DeserializeOwned>(page: &Bytes, field: &str) -> Option<(T, Vec<Raw>)> {
    let cut = Cut::of(page, field)?;
    Some((serde_json::from_slice(&cut.rest).ok()?, cut.items))
}

/// Reads a page of a provider that always names its items: these as they are, and the rest of the page, as
/// [`cut_items`] does. `T` need not mention them.
///
/// # Errors
/// [`ErrorKind::DataFormat`] with what could not be read, also of a page that has no such items; the body is not
/// shown.
pub fn page<T: DeserializeOwned>(
    body: &Bytes,
    field: &str,
    operation: &'static str,
) -> Result<(T, Vec<Raw>)> {
    match Cut::of(body, field) {
        Some(Cut { found: true, items, rest }) => Ok((decode(&rest, operation)?, items)),
        Some(_) => Err(Error::new(ErrorKind::DataFormat, format!("the answer has no list `{field}`"))
            .with_operation(operation)),
        None => Err(unreadable::<serde::de::IgnoredAny>(body, operation)),
    }
}

/// Cuts the items out of a page that is nothing but their array, as [`cut_items`] does.
///
/// `None` when the page cannot be read.
pub fn cut_array(page: &Bytes) -> Option<Vec<Raw>> {
    let mut walk = Walk { text: page, at: 0 };
    walk.next_if(b'[')?;
    let items = walk.items(page)?;
    walk.next_if(b']')?;
    // Behind the array there is nothing.
    walk.peek().is_none().then_some(items)
}

/// A page and its items, taken apart.
struct Cut {
    items: Vec<Raw>,
    /// The page with no items in it.
    rest: Vec<u8>,
    found: bool,
}

impl Cut {
    fn of(page: &Bytes, field: &str) -> Option<Self> {
        let mut cut = Self { items: Vec::new(), rest: Vec::new(), found: false };
        let mut rest_from = 0;
        let mut walk = Walk { text: page, at: 0 };
        walk.next_if(b'{')?;
        // What stands around the items is checked when the rest is read.
        while walk.peek()? != b'}' {
            let key = walk.value()?;
            walk.next_if(b':')?;
            let is_field = page[key].strip_prefix(b"\"")?.strip_suffix(b"\"")? == field.as_bytes();
            if is_field && cut.found {
                return None;
            }
            if is_field && walk.next_if(b'[').is_some() {
                cut.rest.extend_from_slice(&page[rest_from..walk.at]);
                cut.items = walk.items(page)?;
                rest_from = walk.at;
                cut.found = true;
                walk.next_if(b']')?;
            } else {
                walk.value()?;
            }
            if walk.next_if(b',').is_none() {
                break;
            }
        }
        cut.rest.extend_from_slice(&page[rest_from..]);
        Some(cut)
    }
}

/// Walks over JSON text that is not known to be sound, from value to value.
struct Walk<'a> {
    text: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))?;
        Some(self.text[self.at])
    }

    fn next_if(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// The items of an array whose beginning is passed, up to its end.
    fn items(&mut self, page: &Bytes) -> Option<Vec<Raw>> {
        let mut items = Vec::new();
        if self.peek()? != b']' {
            items.push(Raw::new(page.slice(self.value()?)));
            while self.next_if(b',').is_some() {
                items.push(Raw::new(page.slice(self.value()?)));
            }
        }
        Some(items)
    }

    /// Where the next value lies.
    fn value(&mut self) -> Option<Range<usize>> {
        let mut depth = 0_usize;
        let first = self.peek()?;
        let start = self.at;
        if !matches!(first, b'{' | b'[' | b'"') {
            let rest = &self.text[start..];
            self.at +=
                rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r'))?;
            return (self.at > start).then_some(start..self.at);
        }
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => self.string()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => continue,
            }
            if depth == 0 {
                return Some(start..self.at);
            }
        }
    }

    /// Goes behind the end of a string whose beginning is passed.
    fn string(&mut self) -> Option<()> {
        loop {
            self.at += quote_or_backslash(self.text.get(self.at..)?)? + 1;
            if self.text[self.at - 1] == b'"' {
                return Some(());
            }
            self.at += 1;
        }
    }
}

/// Where the first quote or backslash is. Eight bytes at once: most strings in JSON are short, and a call
/// of a vectorised search costs more than it saves.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (chunks, rest) = text.as_chunks();
    for (index, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        // The lowest top bit that is left stands in the first byte that is zero (Mycroft's test).
        let zeros = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
        let found = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let tail = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(text.len() - rest.len() + tail)
}

/// Reads an answer whose shape the caller relies on.
///
/// # Errors
/// [`ErrorKind::DataFormat`] with the path that could not be read; the body is not shown.
pub fn decode<T: DeserializeOwned>(body: &[u8], operation: &'static str) -> Result<T> {
    serde_json::from_slice(body).map_err(|_| unreadable::<T>(body, operation))
}

/// Says why an answer could not be read as a `T`, by reading it again with its path.
#[cold]
pub fn unreadable<T: DeserializeOwned>(body: &[u8], operation: &'static str) -> Error {
    let reason = match explain::<T>(body) {
        Some((path, reason)) => format!("the answer cannot be read: {reason} at {path}"),
        None if looks_like_html(body) => {
            "the answer is an HTML page where JSON was expected: a proxy or a login page may stand in between"
                .into()
        }
        None => "the answer is not whole or not JSON".into(),
    };
    Error::new(ErrorKind::DataFormat, reason).with_operation(operation)
}

/// Reads one item of a page.
///
/// # Errors
/// An [`ItemError`] with the JSON path of what could not be read, found by reading the item again.
pub fn decode_item<'a, T: serde::Deserialize<'a>>(item: &'a [u8]) -> Result<T, ItemError> {
    // Text that is known to be UTF-8 as a whole is not looked at again string by string.
    let text = str::from_utf8(item).map_err(|_| ItemError::new("$", "not UTF-8"))?;
    serde_json::from_str(text).map_err(|_| {
        let (path, reason) = explain::<T>(item).unwrap_or_else(|| ("$".into(), "not JSON".into()));
        ItemError::new(path, reason)
    })
}

/// The path and the reason, without the value that was found; `None` where the text is no JSON at all.
fn explain<'a, T: serde::Deserialize<'a>>(text: &'a [u8]) -> Option<(String, String)> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    if !error.inner().is_data() {
        return None;
    }
    let path = match error.path().to_string() {
        path if path == "." => "$".to_owned(),
        path => format!("$.{path}"),
    };
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let reason = match (message.find("expected "), message.strip_prefix("missing field ")) {
        (_, Some(field)) => format!("missing field {field}"),
        (Some(start), None) => message[start..].to_owned(),
        (None, None) => "unexpected value".to_owned(),
    };
    Some((path, reason))
}

fn looks_like_html(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Reads a number that some providers send as a string.
pub fn lenient_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    struct Number;

    impl<'de> Visitor<'de> for Number {
        type Value = Option<u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, or a string of digits")
        }

        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }

        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
        fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
            if (0.0..1e15).contains(&number) {
                Ok(Some(number as u64))
            } else {
                Err(E::custom("invalid value, expected a number, or a string of digits"))
            }
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            text.trim().parse().map(Some).map_err(|_| E::custom("invalid value, expected a string of digits"))
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }
    }

    deserializer.deserialize_option(Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Item {
        id: String,
        inner: Inner,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        minutes: u32,
    }

    #[test]
    fn an_item_that_cannot_be_read_names_the_path_and_not_the_value() {
        let error = decode_item::<Item>(br#"{"id":"a","inner":{"minutes":"s3cret"}}"#).unwrap_err();
        assert_eq!(error.to_string(), "$.inner.minutes: expected u32");
        let error = decode_item::<Item>(br#"{"inner":{"minutes":1}}"#).unwrap_err();
        assert_eq!(error.to_string(), "$: missing field `id`");
        let error = decode_item::<Item>(b"{\"id\":\"\xff\"}").unwrap_err();
        assert_eq!(error.to_string(), "$: not UTF-8");
        let error = decode_item::<Item>(b"{").unwrap_err();
        assert_eq!(error.to_string(), "$: not JSON");
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Page {
        #[serde(default)]
        items: [serde::de::IgnoredAny; 0],
        next: Option<String>,
    }

    fn cut(page: &'static str) -> Option<(Option<String>, Vec<String>)> {
        let (page, items) = cut_items::<Page>(&Bytes::from(page), "items")?;
        Some((page.next, items.iter().map(|item| item.to_text().into_owned()).collect()))
    }

    #[test]
    fn items_are_cut_out_of_their_page_as_they_are() {
        let page = r#" { "a" : {"items":[1]}, "items" : [ {"id":"]}\\\"[{"} , 7,null ,"x", [[]],{} ] , "next":"n" } "#;
        let items = [r#"{"id":"]}\\\"[{"}"#, "7", "null", r#""x""#, "[[]]", "{}"];
        assert_eq!(cut(page), Some((Some("n".into()), items.map(str::to_owned).to_vec())));
        assert_eq!(cut(r#"{"items":[],"next":null}"#), Some((None, vec![])));
        assert_eq!(cut("{}"), Some((None, vec![])));
        assert_eq!(cut(r#"{"next":"n"}"#), Some((Some("n".into()), vec![])));
    }

    #[test]
    fn items_are_cut_out_of_a_page_that_is_their_array() {
        let cut = |page: &'static str| {
            let items = cut_array(&Bytes::from(page))?;
            Some(items.iter().map(|item| item.to_text().into_owned()).collect::<Vec<_>>())
        };
        let items = [r#"{"id":"]}\\\"[{"}"#, "7", "{\"id\":tru}", "[]"];
        let page = " [ {\"id\":\"]}\\\\\\\"[{\"} , 7,{\"id\":tru},[] ]\n";
        assert_eq!(cut(page), Some(items.map(str::to_owned).to_vec()));
        assert_eq!(cut("[]"), Some(vec![]));
        for page in [
            "",
            "[",
            "[1",
            "[1,]",
            "[1 2]",
            "[,1]",
            "[1]x",
            "[1][2]",
            "{}",
            "{\"items\":[1]}",
            "<html>",
            "null",
        ] {
            assert_eq!(cut(page), None, "{page}");
        }
    }

    #[test]
    fn a_page_that_always_has_items_is_refused_without_them() {
        #[derive(Debug, serde::Deserialize)]
        struct Rest {
            next: String,
        }
        let read = |body: &'static str| page::<Rest>(&Bytes::from(body), "items", "things.list");
        let (rest, items) = read(r#"{"items":[{"id":1},[]],"next":"n"}"#).unwrap();
        assert_eq!((rest.next.as_str(), items.len()), ("n", 2));
        assert_eq!(read(r#"{"next":"n","items":[]}"#).unwrap().1.len(), 0);
        for (body, reason) in [
            (r#"{"next":"n"}"#, "no list `items`"),
            (r#"{"next":"n","items":null}"#, "no list `items`"),
            (r#"{"items":[]}"#, "missing field `next`"),
            (r#"{"items":[{"id":"s3cret"}],"next":{"s3cret":1}}"#, "$.next"),
            (r#"{"items":[{"id":"s3cret"}"#, "not whole or not JSON"),
            (r#"{"items":[],"items":[],"next":"n"}"#, "not whole or not JSON"),
            ("<html>s3cret</html>", "HTML page"),
        ] {
            let error = read(body).unwrap_err();
            assert_eq!((error.kind(), error.operation()), (ErrorKind::DataFormat, Some("things.list")));
            let error = error.to_string();
            assert!(error.contains(reason) && !error.contains("s3cret"), "{body}: {error}");
        }
    }

    #[test]
    fn the_end_of_a_string_is_found_wherever_it_is() {
        // Neighbours of the bytes that are looked for, so that nothing may carry over from one to the next.
        for filler in [b'!', b'#', b'[', b']', 0, 0xff, 0xa2, 0xdc] {
            for length in 0..40 {
                for end in [b'"', b'\\'] {
                    let mut text = vec![filler; length];
                    assert_eq!(quote_or_backslash(&text), None);
                    text.push(end);
                    text.extend([b'"', filler, b'\\', filler]);
                    assert_eq!(quote_or_backslash(&text), Some(length), "{filler} {length}");
                }
            }
        }
    }

    #[test]
    fn an_item_that_is_no_json_leaves_the_others_whole() {
        let page = r#"{"items":[{"id":1},{"id":tru},{"id":,},{"id":3}],"next":"n"}"#;
        let items = [r#"{"id":1}"#, r#"{"id":tru}"#, r#"{"id":,}"#, r#"{"id":3}"#];
        assert_eq!(cut(page), Some((Some("n".into()), items.map(str::to_owned).to_vec())));
    }

    #[test]
    fn a_page_that_is_not_whole_or_hides_its_items_is_refused() {
        let whole = r#"{"items":[{"id":"a\\"},{"id":"b"}],"next":"n"}"#;
        assert!(cut(whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(cut(&whole[..end]), None, "{end}");
        }
        for page in [
            r#"{"items":null}"#,
            r#"{"items":{"id":1}}"#,
            r#"{"it\u0065ms":[{"id":1}]}"#,
            r#"{"items":[],"items":[]}"#,
            r#"{"items":[1,]}"#,
            r#"{"items":[1 2]}"#,
            r#"{"items":[,1]}"#,
            r#"{"items":[{]}"#,
            r#"{"items":[}]}"#,
            r#"{"items":[]]}"#,
            r#"{"items":[]}x"#,
            r#"{"next":"n""#,
            "[]",
            "{}{",
        ] {
            assert_eq!(cut(page), None, "{page}");
        }
    }

    #[test]
    fn an_html_answer_is_called_by_its_name() {
        let error = decode::<Item>(b"\n<html><body>Sign in</body></html>", "events.list").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataFormat);
        assert!(error.to_string().contains("HTML page"), "{error}");
        assert!(!error.to_string().contains("Sign in"), "{error}");
    }
}
