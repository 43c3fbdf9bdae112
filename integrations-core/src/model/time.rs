//! When is it: at an instant in a zone, or on a day?

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The start or end of an event: an instant in a zone, or a whole day. Never one for the other.
///
/// JSON: `{"date_time": "2026-03-01T09:00:00+01:00", "zone": "Europe/Berlin"}` or
/// `{"date": "2026-03-01"}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum EventTime {
    /// An instant, seen in a zone.
    At(ZonedTime),
    /// A day of the calendar, whatever the zone. As an end it is exclusive: the day after the last.
    Day {
        /// The day.
        date: NaiveDate,
    },
}

impl EventTime {
    /// A whole day.
    pub fn day(date: NaiveDate) -> Self {
        Self::Day { date }
    }

    /// Whether it is a whole day.
    pub fn is_all_day(&self) -> bool {
        matches!(self, Self::Day { .. })
    }

    /// The instant, or for a day its midnight in UTC: good for sorting and filtering, nothing else.
    pub fn earliest_utc(&self) -> DateTime<Utc> {
        match self {
            Self::At(time) => time.at.to_utc(),
            Self::Day { date } => date.and_time(NaiveTime::MIN).and_utc(),
        }
    }

    /// The instant at which it begins for somebody in this zone.
    pub fn in_zone(&self, zone: Tz) -> DateTime<Tz> {
        match self {
            Self::At(time) => time.at.with_timezone(&zone),
            Self::Day { date } => start_of_day(*date, zone),
        }
    }

    /// The day it falls on for somebody in this zone; a whole day is that day everywhere.
    pub fn date_in(&self, zone: Tz) -> NaiveDate {
        match self {
            Self::At(time) => time.at.with_timezone(&zone).date_naive(),
            Self::Day { date } => *date,
        }
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => write!(f, "{}[{}]", time.at.to_rfc3339(), time.zone),
            Self::Day { date } => write!(f, "{date}"),
        }
    }
}

/// The first instant of a day in a zone; where midnight is skipped, the first instant after the gap.
fn start_of_day(date: NaiveDate, zone: Tz) -> DateTime<Tz> {
    let midnight = date.and_time(NaiveTime::MIN);
    (0..=4 * 24)
        .find_map(|quarter| {
            zone.from_local_datetime(&(midnight + TimeDelta::minutes(15 * quarter))).earliest()
        })
        .unwrap_or_else(|| zone.from_utc_datetime(&midnight))
}

/// An instant, with the zone in which the event is planned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ZonedTime {
    /// The instant, with the offset that the provider gave.
    #[serde(rename = "date_time", serialize_with = "to_the_minute")]
    pub at: DateTime<FixedOffset>,
    /// The zone in which the event is planned. A series repeats in it.
    #[serde(default, skip_serializing_if = "Zone::is_offset")]
    pub zone: Zone,
}

/// Writes an instant at an offset of whole minutes: RFC 3339 has no seconds there, and local mean times, which
/// zones had until about 1900, do.
fn to_the_minute<S: Serializer>(at: &DateTime<FixedOffset>, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = at.offset().local_minus_utc();
    match FixedOffset::east_opt(seconds - seconds % 60) {
        Some(offset) if seconds % 60 != 0 => at.with_timezone(&offset).serialize(serializer),
        _ => at.serialize(serializer),
    }
}

impl ZonedTime {
    /// An instant in a zone.
    pub fn new(at: DateTime<FixedOffset>, zone: Zone) -> Self {
        Self { at, zone }
    }

    /// The instant at which the clock on the wall of an IANA zone shows this: the first of two where the clocks
    /// go back, and where they go forward the one that the offset before the gap gives (RFC 5545, 3.3.5).
    pub fn at_wall(wall: NaiveDateTime, zone: Tz) -> Self {
        let at = zone.from_local_datetime(&wall).earliest().or_else(|| {
            let day = TimeDelta::days(1);
            zone.from_local_datetime(&(wall - day)).earliest().map(|before| before + day)
        });
        let at = at.unwrap_or_else(|| zone.from_utc_datetime(&wall));
        Self { at: at.fixed_offset(), zone: Zone::Iana(zone) }
    }

    /// An instant in an IANA zone.
    pub fn in_iana(at: DateTime<Utc>, zone: Tz) -> Self {
        Self { at: at.with_timezone(&zone).fixed_offset(), zone: Zone::Iana(zone) }
    }
}

/// The time zone of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Zone {
    /// A zone of the IANA database.
    Iana(Tz),
    /// The provider named no zone: only the offset of the instant is known.
    #[default]
    Offset,
    /// A name that is not of the IANA database, as the provider sent it.
    Unknown(Box<str>),
}

impl Zone {
    /// Reads a zone's name. A name that is not of the IANA database is kept; an empty one is none.
    pub fn from_name(name: &str) -> Self {
        match name.parse() {
            Ok(zone) => Self::Iana(zone),
            Err(_) if name.is_empty() => Self::Offset,
            Err(_) => Self::Unknown(name.into()),
        }
    }

    /// The IANA zone, if it is one.
    pub fn iana(&self) -> Option<Tz> {
        match self {
            Self::Iana(zone) => Some(*zone),
            Self::Offset | Self::Unknown(_) => None,
        }
    }

    /// The zone's name; empty where only the offset is known.
    pub fn name(&self) -> &str {
        match self {
            Self::Iana(zone) => zone.name(),
            Self::Offset => "",
            Self::Unknown(name) => name,
        }
    }

    fn is_offset(&self) -> bool {
        matches!(self, Self::Offset)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::json::text(deserializer, Self::from_name)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Zone {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Zone".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The name of a zone of the IANA database, or any other name as the provider sent it; \
                            empty where only the offset is known.",
            "type": "string",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_an_instant_keep_their_json_apart() {
        let day: EventTime = serde_json::from_str(r#"{"date":"2026-03-29"}"#).unwrap();
        assert!(day.is_all_day());
        let text = r#"{"date_time":"2026-03-29T09:00:00+02:00","zone":"Europe/Berlin"}"#;
        let at: EventTime = serde_json::from_str(text).unwrap();
        assert!(!at.is_all_day());
        assert_eq!(serde_json::to_string(&at).unwrap(), text);
        assert_eq!(serde_json::to_string(&day).unwrap(), r#"{"date":"2026-03-29"}"#);
    }

    #[test]
    fn an_unknown_zone_survives() {
        let zone = Zone::from_name("Romance Standard Time");
        assert_eq!(zone.iana(), None);
        let json = serde_json::to_string(&zone).unwrap();
        assert_eq!(serde_json::from_str::<Zone>(&json).unwrap(), zone);
    }

    #[test]
    fn an_offset_with_seconds_keeps_the_instant() {
        // Berlin's local mean time, until April 1893: 53 minutes and 28 seconds.
        let born = Utc.with_ymd_and_hms(1879, 3, 14, 10, 36, 32).unwrap();
        let time = EventTime::At(ZonedTime::in_iana(born, Tz::Europe__Berlin));
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, r#"{"date_time":"1879-03-14T11:29:32+00:53","zone":"Europe/Berlin"}"#);
        assert_eq!(serde_json::from_str::<EventTime>(&json).unwrap(), time);
    }

    #[test]
    fn a_wall_time_that_clocks_skip_or_repeat_is_an_instant_all_the_same() {
        for (wall, zone, instant) in [
            ("2026-03-29T02:30:00", Tz::Europe__Berlin, "2026-03-29T03:30:00+02:00"),
            ("2026-10-25T02:30:00", Tz::Europe__Berlin, "2026-10-25T02:30:00+02:00"),
            ("2026-10-04T02:10:00", Tz::Australia__Lord_Howe, "2026-10-04T02:40:00+11:00"),
            ("2026-03-08T09:00:00", Tz::America__New_York, "2026-03-08T09:00:00-04:00"),
        ] {
            let time = ZonedTime::at_wall(wall.parse().unwrap(), zone);
            assert_eq!((time.at.to_rfc3339().as_str(), time.zone), (instant, Zone::Iana(zone)));
        }
    }

    #[test]
    fn no_name_is_no_zone() {
        assert_eq!(Zone::from_name(""), Zone::Offset);
        assert_eq!(serde_json::from_str::<Zone>("\"\"").unwrap(), Zone::Offset);
    }

    #[test]
    fn a_day_without_midnight_begins_after_the_gap() {
        // Cuba skips from 00:00 to 01:00 when its summer time begins.
        let date = NaiveDate::from_ymd_opt(2026, 3, 8).unwrap();
        let start = EventTime::day(date).in_zone(chrono_tz::America::Havana);
        assert_eq!(start.to_rfc3339(), "2026-03-08T01:00:00-04:00");
    }
}
