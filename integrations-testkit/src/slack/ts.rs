//! What is a message's `ts`?
//!
//! The message's id in its channel and its time in one: `1712345678.123459`, seconds and microseconds, a
//! text of fixed width. Here it is a number of microseconds, which has the same order.

use std::fmt;

use chrono::{DateTime, Utc};

const WIDTH: usize = 17;
const MICROS: u64 = 1_000_000;

/// A point in a channel, in microseconds of the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ts(pub(super) u64);

impl Ts {
    pub(super) fn of(time: DateTime<Utc>) -> Self {
        Self(u64::try_from(time.timestamp_micros()).unwrap_or(0))
    }

    /// Reads a message's `ts`, which has six digits behind the point.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (seconds, micros) = text.split_once('.')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(seconds) || !digits(micros) || micros.len() != 6 || seconds.len() > 10 {
            return None;
        }
        Some(Self(seconds.parse::<u64>().ok()? * MICROS + micros.parse::<u64>().ok()?))
    }

    /// Reads the end of a range, which may also be whole seconds.
    pub(super) fn parse_bound(text: &str) -> Option<Self> {
        if text.contains('.') { Self::parse(text) } else { Self::parse(&format!("{text}.000000")) }
    }

    pub(super) const fn seconds(self) -> u64 {
        self.0 / MICROS
    }

    pub(super) const fn text(self) -> [u8; WIDTH] {
        let mut text = [b'.'; WIDTH];
        let mut rest = self.0;
        let mut place = WIDTH;
        while place > 0 {
            place -= 1;
            if place != WIDTH - 7 {
                text[place] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        text
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}.{:06}", self.seconds(), self.0 % MICROS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ts_comes_back_as_it_went() {
        let ts = Ts::parse("1712345678.000459").unwrap();
        assert_eq!((ts, ts.to_string().as_str()), (Ts(1_712_345_678_000_459), "1712345678.000459"));
        assert_eq!(ts.text(), *b"1712345678.000459");
        assert_eq!(Ts::parse_bound("1712345678"), Some(Ts(1_712_345_678_000_000)));
        assert_eq!(Ts::parse_bound("0"), Some(Ts(0)));
    }

    #[test]
    fn what_went_through_a_float_is_no_ts() {
        for wrong in
            ["", ".", "1712345678", "1712345678.", "1712345678.12346", "1712345678.1234590", "1e9.000000"]
        {
            assert_eq!(Ts::parse(wrong), None, "{wrong}");
        }
        for wrong in ["", "-1", "1712345678.5", "now", "1.7e9", "17123456789012"] {
            assert_eq!(Ts::parse_bound(wrong), None, "{wrong}");
        }
    }
}
