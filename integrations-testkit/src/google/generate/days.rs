//! How is a day written, and what is its offset in a zone?
//!
//! Looked up once for every day that generated events may name, because formatting dates and asking
//! the time zone database for each of a million events would cost more than all the rest.

use chrono::{Datelike as _, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

/// How far generated dates reach before and after the start day.
pub(super) const REACH: u16 = 1_300;

/// The days around the fake's start day.
#[derive(Debug)]
pub(in crate::google) struct Days {
    first: NaiveDate,
    first_ms: i64,
    dates: Vec<[u8; 10]>,
}

impl Days {
    pub(in crate::google) fn around(start: NaiveDate) -> Self {
        let first = start - TimeDelta::days(i64::from(REACH));
        let dates = first
            .iter_days()
            .take(usize::from(REACH) * 2 + 1)
            .map(|day| {
                let mut text = [b'-'; 10];
                text[..4].copy_from_slice(&digits4(day.year().unsigned_abs()));
                text[5..7].copy_from_slice(&digits2(day.month()));
                text[8..].copy_from_slice(&digits2(day.day()));
                text
            })
            .collect();
        let first_ms = first.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        Self { first, first_ms, dates }
    }

    /// `2026-03-08`; days are counted from the first one known.
    pub(super) fn date(&self, day: u32) -> &[u8; 10] {
        &self.dates[day as usize]
    }

    /// Midnight in UTC, in milliseconds of the epoch.
    pub(super) fn midnight(&self, day: u32) -> i64 {
        self.first_ms + i64::from(day) * 86_400_000
    }

    /// Monday is 0.
    pub(super) fn weekday(&self, day: u32) -> usize {
        (self.first.weekday().num_days_from_monday() as usize + day as usize) % 7
    }
}

/// A zone with its offset on each of the [`Days`], at noon; no zone used here shifts by day.
#[derive(Debug)]
pub(in crate::google) struct Zone {
    pub(super) name: &'static str,
    offsets: Vec<([u8; 6], i32)>,
}

impl Zone {
    pub(in crate::google) fn new(zone: Tz, days: &Days) -> Self {
        let offsets = days
            .first
            .iter_days()
            .take(days.dates.len())
            .map(|day| {
                let noon = day.and_time(NaiveTime::MIN) + TimeDelta::hours(12);
                let seconds = zone
                    .offset_from_local_datetime(&noon)
                    .earliest()
                    .map_or(0, |offset| offset.fix().local_minus_utc());
                let minutes = seconds.unsigned_abs() / 60;
                let mut text = *b"+00:00";
                text[0] = if seconds < 0 { b'-' } else { b'+' };
                text[1..3].copy_from_slice(&digits2(minutes / 60));
                text[4..].copy_from_slice(&digits2(minutes % 60));
                (text, seconds)
            })
            .collect();
        Self { name: zone.name(), offsets }
    }

    /// `+01:00`.
    pub(super) fn offset(&self, day: u32) -> &[u8; 6] {
        &self.offsets[day as usize].0
    }

    pub(super) fn offset_seconds(&self, day: u32) -> i32 {
        self.offsets[day as usize].1
    }
}

/// Two decimal digits.
pub(super) const fn digits2(number: u32) -> [u8; 2] {
    [digit(number / 10), digit(number)]
}

/// Four decimal digits.
pub(super) const fn digits4(number: u32) -> [u8; 4] {
    [digit(number / 1000), digit(number / 100), digit(number / 10), digit(number)]
}

#[allow(clippy::cast_possible_truncation, reason = "a remainder of ten")]
const fn digit(number: u32) -> u8 {
    b'0' + (number % 10) as u8
}
