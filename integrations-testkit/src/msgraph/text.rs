//! How is JSON written straight into an answer?
//!
//! A page of a thousand items is thousands of small texts; built as a tree of values first, they would
//! cost several times as much.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime, Timelike as _};
use serde::Serialize;

macro_rules! put {
    ($out:expr, $($part:expr),+ $(,)?) => {{ $($out.extend_from_slice(AsRef::<[u8]>::as_ref(&$part));)+ }};
}
pub(super) use put;

/// Appends a value as JSON.
pub(super) fn put_json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Writing texts, numbers and their trees into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

pub(super) const fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Appends decimal digits, at least so many.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while number > 0 || digits.len() - first < least {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends `2026-03-08`.
pub(super) fn put_date(out: &mut Vec<u8>, date: &impl chrono::Datelike) {
    put_number(out, u64::from(date.year().unsigned_abs()), 4);
    out.push(b'-');
    put_number(out, u64::from(date.month()), 2);
    out.push(b'-');
    put_number(out, u64::from(date.day()), 2);
}

/// Appends `2026-03-08T09:00:00`.
pub(super) fn put_seconds(out: &mut Vec<u8>, time: NaiveDateTime) {
    put_date(out, &time);
    for (mark, part) in [(b'T', time.hour()), (b':', time.minute()), (b':', time.second())] {
        out.push(mark);
        put_number(out, u64::from(part), 2);
    }
}

/// Appends `2026-03-08T09:00:00.0000000`, as a `dateTimeTimeZone` has it.
pub(super) fn put_local(out: &mut Vec<u8>, time: NaiveDateTime) {
    put_seconds(out, time);
    out.push(b'.');
    put_number(out, u64::from(time.nanosecond() % 1_000_000_000 / 100), 7);
}

/// Milliseconds of the epoch as a time in UTC.
pub(super) fn moment(ms: i64) -> NaiveDateTime {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().naive_utc()
}

/// `2026-03-08T09:00:00Z`, as messages have it.
pub(super) fn instant(ms: i64) -> String {
    let mut out = Vec::with_capacity(20);
    put_seconds(&mut out, moment(ms));
    out.push(b'Z');
    String::from_utf8_lossy(&out).into_owned()
}

/// The text of an HTML document, roughly as Exchange makes it.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&entities(&rest[..start]));
        let Some(length) = rest[start..].find('>') else {
            rest = "";
            break;
        };
        let tag = rest[start + 1..start + length].trim_end_matches('/').trim().to_ascii_lowercase();
        rest = &rest[start + length + 1..];
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name {
            "br" | "/p" | "/div" | "/li" | "/tr" => text.push_str("\r\n"),
            "head" | "style" | "script" => {
                let end = rest.to_ascii_lowercase().find(&format!("</{name}"));
                rest = end.map_or("", |end| &rest[end..]);
            }
            _ => {}
        }
    }
    text.push_str(&entities(rest));
    text
}

fn entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let pairs =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    Cow::Owned(pairs.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

/// A text as an HTML document.
pub(super) fn html(text: &str) -> String {
    let mut escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped = escaped.replace("\r\n", "\n").replace('\n', "<br>");
    format!("<html><head></head><body><div class=\"PlainText\">{escaped}</div></body></html>")
}

/// The first 255 characters of a body's text.
pub(super) fn preview(content: &str, is_html: bool) -> String {
    let text = if is_html { Cow::Owned(plain(content)) } else { Cow::Borrowed(content) };
    text.trim().chars().take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_seven_digits_and_no_offset() {
        let mut out = Vec::new();
        put_local(&mut out, moment(1_772_960_400_123));
        assert_eq!(String::from_utf8(out).unwrap(), "2026-03-08T09:00:00.1230000");
        assert_eq!(instant(1_772_960_400_123), "2026-03-08T09:00:00Z");
    }

    #[test]
    fn numbers_are_filled_up() {
        let digits = |number, least| {
            let mut out = Vec::new();
            put_number(&mut out, number, least);
            String::from_utf8(out).unwrap()
        };
        assert_eq!([digits(0, 1), digits(7, 2), digits(1_234, 2)], ["0", "07", "1234"]);
        assert_eq!(digits(u64::MAX, 1), u64::MAX.to_string());
    }

    #[test]
    fn html_and_text_are_made_of_each_other() {
        let document = "<html><head><style>p {}</style></head><body>a &lt; b<br/>c<p>d</p></body></html>";
        assert_eq!(plain(document), "a < b\r\ncd\r\n");
        assert_eq!(plain(&html("a & b\nc")), "a & b\r\nc\r\n");
        assert_eq!(preview(document, true), "a < b\r\ncd");
        assert_eq!(preview(&"x".repeat(300), false).len(), 255);
    }
}
