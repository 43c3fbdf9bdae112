//! How is text written that need not be kept?
//!
//! Objects of GitHub's are full of addresses. They are written straight into the answer, without a value
//! in between.

use std::fmt;

use chrono::DateTime;
use serde::{Serialize, Serializer};

/// Text that is put together on the way out.
pub(super) struct Text<'a>(pub(super) fmt::Arguments<'a>);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

macro_rules! text {
    ($($part:tt)+) => { $crate::github::json::Text(format_args!($($part)+)) };
}
pub(super) use text;

/// Writes the entries of a map.
macro_rules! entries {
    ($map:expr, { $($name:literal: $value:expr),+ $(,)? }) => {
        $($map.serialize_entry($name, &$value)?;)+
    };
}
pub(super) use entries;

/// A point in time, in seconds of the epoch; GitHub's times have whole seconds.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) i64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::from_timestamp(self.0, 0).unwrap_or_default();
        write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a time of GitHub's.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp())
}
