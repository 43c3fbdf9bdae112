//! Which dates does the text of an UNTIL, an RDATE or an EXDATE name?

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::clock::WallClock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Zone;

/// A date of iCalendar, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// `20260301`.
    Day(NaiveDate),
    /// `20260301T090000`.
    Local(NaiveDateTime),
    /// `20260301T090000Z`.
    Utc(NaiveDateTime),
}

impl Stamp {
    /// Reads one, in upper or lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, utc) = match text.strip_suffix(['Z', 'z']) {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let Some((date, time)) = digits.split_once(['T', 't']) else {
            return if utc { None } else { date_of(text).map(Self::Day) };
        };
        let second = number(time, 4, 6)?.min(59); // a leap second, which chrono does not hold
        if time.len() != 6 || number(time, 4, 6)? > 60 {
            return None;
        }
        let wall = date_of(date)?.and_hms_opt(number(time, 0, 2)?, number(time, 2, 4)?, second)?;
        Some(if utc { Self::Utc(wall) } else { Self::Local(wall) })
    }

    /// The day that is written there.
    pub(super) fn date(self) -> NaiveDate {
        match self {
            Self::Day(date) => date,
            Self::Local(wall) | Self::Utc(wall) => wall.date(),
        }
    }
}

fn date_of(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 {
        return None;
    }
    let year = i32::try_from(number(text, 0, 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(text, 4, 6)?, number(text, 6, 8)?)
}

fn number(text: &str, from: usize, to: usize) -> Option<u32> {
    let digits = text.get(from..to)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The dates of an RDATE or EXDATE line, with the clock that its local times are read by.
#[derive(Debug)]
pub(super) struct DateLine {
    pub(super) stamps: Vec<Stamp>,
    pub(super) clock: WallClock,
}

impl DateLine {
    /// Reads a line from its parameters on.
    ///
    /// # Errors
    ///
    /// `recurrence_invalid` if one of its dates cannot be read: what is excluded must not come back
    /// because its neighbour is garbage.
    pub(super) fn parse(line: &str, series: WallClock) -> Result<Self> {
        let (parameters, values) = split_line(line);
        let clock = parameters
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("TZID"))
            .and_then(|(_, name)| Zone::from_name(name.trim().trim_matches('"')).iana())
            .map_or(series, WallClock::Iana);
        let stamps = values
            .split(',')
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(|value| {
                // A PERIOD is its start, `/`, and its end or length.
                let start = value.split('/').next().unwrap_or(value);
                Stamp::parse(start).ok_or_else(|| invalid("a date of an RDATE or EXDATE cannot be read"))
            })
            .collect::<Result<_>>()?;
        Ok(Self { stamps, clock })
    }

    /// The instant of one of its times that are not days.
    pub(super) fn instant(&self, stamp: Stamp) -> Option<DateTime<Utc>> {
        match stamp {
            Stamp::Day(_) => None,
            Stamp::Local(wall) => Some(self.clock.instant(wall)),
            Stamp::Utc(wall) => Some(wall.and_utc()),
        }
    }
}

/// Splits `;TZID=…:values`; the colon may also stand within the quotes of a parameter.
fn split_line(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (index, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b':' if !quoted => return (&line[..index], &line[index + 1..]),
            _ => {}
        }
    }
    ("", line)
}

/// The error for what cannot be read.
pub(super) fn invalid(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::DataFormat, why).with_code("recurrence_invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<String> {
        let line = DateLine::parse(line, WallClock::Iana(chrono_tz::Europe::Berlin)).unwrap();
        let show = |stamp: &Stamp| match line.instant(*stamp) {
            Some(at) => at.format("%Y%m%dT%H%M%SZ").to_string(),
            None => stamp.date().to_string(),
        };
        line.stamps.iter().map(show).collect()
    }

    #[test]
    fn a_line_is_read_in_every_form_that_providers_send() {
        for (line, expected) in [
            (":20260302T090000Z", vec!["20260302T090000Z"]),
            (":20260302t090000z", vec!["20260302T090000Z"]),
            (":20260302T090000", vec!["20260302T080000Z"]),
            ("20260302T090000", vec!["20260302T080000Z"]),
            (";TZID=America/New_York:20260302T090000", vec!["20260302T140000Z"]),
            (";tzid=\"America/New_York\":20260302T090000", vec!["20260302T140000Z"]),
            (";TZID=Romance Standard Time:20260302T090000", vec!["20260302T080000Z"]),
            (";TZID=\"(UTC+01:00) Paris\":20260302T090000", vec!["20260302T080000Z"]),
            (";VALUE=DATE:20260302,20260303", vec!["2026-03-02", "2026-03-03"]),
            (":20260302T090000Z, 20260303T090000Z,", vec!["20260302T090000Z", "20260303T090000Z"]),
            (";VALUE=PERIOD:20260302T090000Z/PT1H", vec!["20260302T090000Z"]),
            (":20160331T235960Z", vec!["20160331T235959Z"]),
            (":", vec![]),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        for text in ["", "2026", "20260230", "20260302T0900", "20260302Z", "20260302T250000", "+2026030"] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
        let error = DateLine::parse(":20260302,tomorrow", WallClock::Iana(chrono_tz::UTC)).unwrap_err();
        assert_eq!(error.provider_code(), Some("recurrence_invalid"));
    }
}
