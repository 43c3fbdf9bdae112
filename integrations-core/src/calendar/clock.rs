//! Which instant is a wall time in the zone of a series, and the other way round?

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::{EventTime, Zone, ZonedTime};

/// The wall clock that a series repeats by.
#[derive(Debug, Clone, Copy)]
pub(super) enum WallClock {
    Iana(Tz),
    /// Also that of all-day series: at offset 0 a day is always 24 hours, and no zone of the host or
    /// of the window can shift it.
    Fixed(FixedOffset),
}

impl WallClock {
    /// The clock of a series that starts then.
    pub(super) fn of(start: &EventTime) -> Self {
        match start {
            EventTime::Day { .. } => Self::Fixed(Utc.fix()),
            EventTime::At(ZonedTime { zone: Zone::Iana(zone), .. }) => Self::Iana(*zone),
            EventTime::At(time) => Self::Fixed(*time.at.offset()),
        }
    }

    /// What it shows at an instant.
    pub(super) fn wall(self, at: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Iana(zone) => at.with_timezone(&zone).naive_local(),
            Self::Fixed(offset) => at.with_timezone(&offset).naive_local(),
        }
    }

    /// When it shows this. A wall time that comes twice is the first of the two; one that is skipped
    /// is read with the offset before the gap (RFC 5545, 3.3.5), and so moves on by its length.
    pub(super) fn instant(self, wall: NaiveDateTime) -> DateTime<Utc> {
        let zone = match self {
            Self::Fixed(offset) => return (wall - offset).and_utc(),
            Self::Iana(zone) => zone,
        };
        if let Some(at) = zone.from_local_datetime(&wall).earliest() {
            return at.to_utc();
        }
        // The widest gap ever is a whole day: Samoa had no 30 December 2011.
        (1..=50)
            .map(|halves| TimeDelta::minutes(30 * halves))
            .find_map(|back| {
                let before = zone.from_local_datetime(&(wall - back)).latest()?;
                Some(before.to_utc() + back)
            })
            .unwrap_or_else(|| wall.and_utc())
    }

    /// An instant as the time of an event whose master starts like this.
    pub(super) fn event_time(self, at: DateTime<Utc>, like: &EventTime) -> EventTime {
        let EventTime::At(like) = like else { return EventTime::day(at.date_naive()) };
        let at = match self {
            Self::Iana(zone) => at.with_timezone(&zone).fixed_offset(),
            Self::Fixed(offset) => at.with_timezone(&offset),
        };
        EventTime::At(ZonedTime::new(at, like.zone.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn wall(month: u32, day: u32, hour: u32, minute: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap().and_hms_opt(hour, minute, 0).unwrap()
    }

    fn shown(zone: Tz, wall: NaiveDateTime) -> String {
        WallClock::Iana(zone).instant(wall).with_timezone(&zone).to_rfc3339()
    }

    #[test]
    fn a_skipped_wall_time_moves_on_by_the_gap() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(shown(berlin, wall(3, 29, 2, 15)), "2026-03-29T03:15:00+02:00");
        let new_york = chrono_tz::America::New_York;
        assert_eq!(shown(new_york, wall(3, 8, 2, 30)), "2026-03-08T03:30:00-04:00");
        // Lord Howe's gap is half an hour.
        let lord_howe = chrono_tz::Australia::Lord_Howe;
        assert_eq!(shown(lord_howe, wall(10, 4, 2, 10)), "2026-10-04T02:40:00+11:00");
        let apia = chrono_tz::Pacific::Apia;
        let lost = NaiveDate::from_ymd_opt(2011, 12, 30).unwrap().and_hms_opt(9, 0, 0).unwrap();
        assert_eq!(shown(apia, lost), "2011-12-31T09:00:00+14:00");
    }

    #[test]
    fn a_wall_time_that_comes_twice_is_the_first() {
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(shown(berlin, wall(10, 25, 2, 30)), "2026-10-25T02:30:00+02:00");
        let lord_howe = chrono_tz::Australia::Lord_Howe;
        assert_eq!(shown(lord_howe, wall(4, 5, 1, 45)), "2026-04-05T01:45:00+11:00");
    }
}
