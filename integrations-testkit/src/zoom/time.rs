//! How does Zoom write times, and how does it read them?

use chrono::{DateTime, LocalResult, NaiveDateTime, SubsecRound as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// A point in time as Zoom writes it: UTC, in whole seconds.
pub(super) fn text(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What is so many minutes later.
pub(super) fn after(time: DateTime<Utc>, minutes: u32) -> DateTime<Utc> {
    time.checked_add_signed(TimeDelta::minutes(i64::from(minutes))).unwrap_or(time)
}

/// Reads a `start_time`: with `Z` it is UTC, without it is the time of day in the meeting's zone.
pub(super) fn read(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok()?;
    Some(in_zone(local, zone))
}

/// The point in time of a time of day; one that the clocks skip is an hour later, one that comes twice is the
/// first.
pub(super) fn in_zone(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.to_utc(),
        LocalResult::None => {
            let later = local.checked_add_signed(TimeDelta::hours(1)).unwrap_or(local);
            zone.from_local_datetime(&later).earliest().map_or(local.and_utc(), |time| time.to_utc())
        }
    }
}

/// Zoom's times have whole seconds.
pub(super) fn whole(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_z_is_one_of_the_zone() {
        let berlin = chrono_tz::Europe::Berlin;
        let rows = [
            ("2026-07-01T09:00:00Z", "2026-07-01T09:00:00Z"),
            ("2026-07-01T09:00:00", "2026-07-01T07:00:00Z"),
            ("2026-12-01T09:00:00", "2026-12-01T08:00:00Z"),
            // Skipped and repeated by the clocks.
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ];
        for (given, expected) in rows {
            assert_eq!(read(given, berlin).map(text).as_deref(), Some(expected), "{given}");
        }
        assert_eq!(read("tomorrow", berlin), None);
    }
}
