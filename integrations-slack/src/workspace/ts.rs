//! What is a message's `ts`?
//!
//! Its id in its channel, and its time: `1712345678.123459`, seconds and microseconds, always as wide. Here it
//! is a whole number of microseconds, which says exactly the same; a float would lose the last digits.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use integrations_core::json;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const WIDTH: usize = 17;
const POINT: usize = 10;
const MICROS: u64 = 1_000_000;

/// A message of a channel, and a point of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ts(u64);

impl Ts {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != WIDTH || bytes[POINT] != b'.' {
            return None;
        }
        let mut micros = 0;
        for byte in bytes[..POINT].iter().chain(&bytes[POINT + 1..]) {
            micros = micros * 10 + u64::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        Some(Self(micros))
    }

    /// The last one that is not after an instant.
    pub(super) fn at(time: DateTime<Utc>) -> Self {
        Self(u64::try_from(time.timestamp_micros()).unwrap_or(0))
    }

    pub(super) fn time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(i64::try_from(self.0).ok()?)
    }

    /// The next one.
    pub(super) const fn after(self) -> Self {
        Self(self.0 + 1)
    }

    /// The one before.
    pub(super) const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// So long before.
    pub(super) fn less(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}.{:06}", self.0 / MICROS, self.0 % MICROS)
    }
}

impl fmt::Debug for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Ts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::try_text(deserializer, "a timestamp of 10 digits, a point and 6 digits", Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_comes_back() {
        for text in ["1712345678.123459", "0000000000.000000", "0000000001.000001", "9999999999.999999"] {
            let ts = Ts::parse(text).unwrap();
            assert_eq!(ts.to_string(), text);
            assert_eq!(Ts::at(ts.time().unwrap()), ts);
        }
        let ts = Ts::parse("1712345678.123459").unwrap();
        assert_eq!(ts.time().unwrap().to_rfc3339(), "2024-04-05T19:34:38.123459+00:00");
        assert_eq!(
            (ts.before().to_string(), ts.after().after().before()),
            ("1712345678.123458".into(), ts.after())
        );
        assert_eq!(ts.less(Duration::from_secs(78)).to_string(), "1712345600.123459");
        assert_eq!(Ts::parse("0000000000.000000").unwrap().before().to_string(), "0000000000.000000");
    }

    #[test]
    fn the_order_is_that_of_time() {
        let sorted = ["0999999999.999999", "1000000000.000000", "1000000000.000001", "1000000001.000000"];
        let parsed: Vec<_> = sorted.iter().map(|text| Ts::parse(text).unwrap()).collect();
        assert!(parsed.is_sorted());
    }

    #[test]
    fn what_is_not_as_wide_is_none() {
        for text in
            ["", "1712345678", "1712345678.", "1712345678.12345", "1712345678.1234590", "-712345678.123459"]
        {
            assert_eq!(Ts::parse(text), None, "{text}");
        }
        for text in ["1712345678,123459", "17123456781123459", "1712345678.12345é", "1712345678.+23459"] {
            assert_eq!(Ts::parse(text), None, "{text}");
        }
    }
}
