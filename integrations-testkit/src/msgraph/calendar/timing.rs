//! When does an event take place?
//!
//! Times are local times of a zone, as Outlook keeps them, so that an occurrence stays at its hour when the
//! clocks change. An all-day event has no zone: it covers the same days wherever it is read.

use std::borrow::Cow;

use chrono::{Datelike as _, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::recurrence::Rule;
use crate::msgraph::errors::Refusal;
use crate::msgraph::text::{put, put_json, put_local};
use crate::msgraph::zones;

/// From when to when, in local times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: NaiveDateTime,
    pub(super) end: NaiveDateTime,
}

/// A window in milliseconds of the epoch.
pub(in crate::msgraph) type Window = (i64, i64);

/// When an event takes place; of a series, the first time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timing {
    pub(super) all_day: bool,
    pub(super) zone: Tz,
    /// The names of the zones that start and end were written in.
    pub(super) zone_names: [Cow<'static, str>; 2],
    pub(super) span: Span,
    pub(super) rule: Option<Rule>,
}

impl Timing {
    /// Reads `start`, `end`, `isAllDay` and `recurrence` of an event.
    pub(super) fn read(event: &Map<String, Value>) -> Result<Self, Refusal> {
        let all_day = event.get("isAllDay").and_then(Value::as_bool).unwrap_or(false);
        let (start, start_zone, start_name) = read(event, "start")?;
        let (end, end_zone, end_name) = read(event, "end")?;
        let recurrence = event.get("recurrence").filter(|recurrence| !recurrence.is_null());
        let rule = recurrence.map(Rule::parse).transpose()?;
        // The days of a series are those of its own zone, where it has one.
        let own = recurrence.and_then(|recurrence| recurrence["range"]["recurrenceTimeZone"].as_str());
        let zone = match own.filter(|name| !name.is_empty()) {
            Some(name) => zones::asked(name)?,
            None => start_zone,
        };
        let moved =
            |time, from: Tz| if all_day || from == zone { time } else { local(utc(from, time), zone) };
        let span = Span { start: moved(start, start_zone), end: moved(end, end_zone) };
        let midnight = |time: NaiveDateTime| time.time() == NaiveTime::MIN;
        if all_day && !(midnight(span.start) && midnight(span.end) && span.start < span.end) {
            let text = "The Event.Start and Event.End properties of an all-day event need to be set to midnight, a day or more apart.";
            return Err(Refusal::new(400, "ErrorInvalidRequest", text));
        }
        if span.start > span.end {
            let text = "The end of the event must not be before its start.";
            return Err(Refusal::new(400, "ErrorCalendarEndDateIsEarlierThanStartDate", text));
        }
        if let Some(rule) = &rule
            && (rule.first != span.start.date() || !rule.has(rule.first))
        {
            let text = "A series begins with its first occurrence: range.startDate is the day of start, and the pattern has it.";
            return Err(Refusal::new(400, "ErrorInvalidRecurrenceRange", text));
        }
        // Outlook tells the zone's name as it was first written, even where it is none that Graph takes.
        let original =
            |field: &str, name| event.get(field).and_then(Value::as_str).map_or(name, str::to_owned);
        let zone_names = [
            Cow::Owned(original("originalStartTimeZone", start_name)),
            Cow::Owned(original("originalEndTimeZone", end_name)),
        ];
        Ok(Self { all_day, zone, zone_names, span, rule })
    }

    /// The name of the zone whose days a series goes by: the start's, unless it has one of its own.
    pub(super) fn recurrence_zone(&self) -> &str {
        let start = &self.zone_names[0];
        if zones::zone(start).is_some_and(|zone| zone != self.zone) { self.zone.name() } else { start }
    }

    /// The time of the occurrence on this day.
    pub(super) fn on(&self, date: NaiveDate) -> Span {
        let start = date.and_time(self.span.start.time());
        Span { start, end: start + (self.span.end - self.span.start) }
    }

    /// How many days an occurrence reaches beyond its first.
    pub(super) fn reach(&self) -> TimeDelta {
        self.span.end - self.span.start + TimeDelta::days(2)
    }

    /// Whether a span of this event lies in a window, if only in part.
    pub(super) fn meets(&self, span: Span, window: Window) -> bool {
        let (start, end) = self.milliseconds(span);
        start < window.1 && (end > window.0 || (start == end && start >= window.0))
    }

    pub(super) fn milliseconds(&self, span: Span) -> (i64, i64) {
        let ms = |time| utc(self.zone, time).and_utc().timestamp_millis();
        (ms(span.start), ms(span.end))
    }

    /// Appends a time as a `dateTimeTimeZone` of the zone that was asked for.
    pub(super) fn put(&self, out: &mut Vec<u8>, time: NaiveDateTime, zone: Tz, zone_name: &str) {
        put!(out, r#"{"dateTime":""#);
        let same = self.all_day || zone == self.zone;
        put_local(out, if same { time } else { local(utc(self.zone, time), zone) });
        put!(out, r#"","timeZone":"#);
        put_json(out, zone_name);
        put!(out, "}");
    }
}

fn read(event: &Map<String, Value>, field: &str) -> Result<(NaiveDateTime, Tz, String), Refusal> {
    let written = event.get(field).unwrap_or(&Value::Null);
    let time = written["dateTime"].as_str().and_then(|text| {
        let date = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN));
        text.trim_end_matches('Z').parse::<NaiveDateTime>().ok().or_else(date)
    });
    let time = time.ok_or_else(|| {
        Refusal::new(400, "ErrorInvalidRequest", format!("The value of {field}.dateTime is not valid."))
    })?;
    let name = written["timeZone"].as_str().unwrap_or("UTC");
    Ok((time, zones::asked(name)?, name.to_owned()))
}

/// A local time in UTC. One that does not exist moves on by the gap; of one that is twice, it is the first.
pub(super) fn utc(zone: Tz, time: NaiveDateTime) -> NaiveDateTime {
    match zone.from_local_datetime(&time) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.naive_utc(),
        MappedLocalTime::None => {
            let before = time - TimeDelta::days(1);
            zone.from_local_datetime(&before)
                .earliest()
                .map_or(time, |at| at.naive_utc() + TimeDelta::days(1))
        }
    }
}

/// A time in UTC as a local one.
pub(super) fn local(time: NaiveDateTime, zone: Tz) -> NaiveDateTime {
    zone.from_utc_datetime(&time).naive_local()
}

/// A day as a number that is never 0.
pub(in crate::msgraph) fn day_number(date: NaiveDate) -> u32 {
    date.num_days_from_ce().unsigned_abs()
}

pub(in crate::msgraph) fn day_of_number(day: u32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn timing(event: Value) -> Result<Timing, Refusal> {
        let Value::Object(event) = event else { panic!("an object") };
        Timing::read(&event)
    }

    fn written(timing: &Timing, time: NaiveDateTime, zone: Tz) -> String {
        let mut out = Vec::new();
        timing.put(&mut out, time, zone, "asked");
        serde_json::from_slice::<Value>(&out).unwrap()["dateTime"].as_str().unwrap().to_owned()
    }

    #[test]
    fn an_occurrence_stays_at_its_hour_when_the_clocks_change() {
        let at = |text: &str| json!({"dateTime": text, "timeZone": "W. Europe Standard Time"});
        let series =
            timing(json!({"start": at("2026-03-23T09:00:00"), "end": at("2026-03-23T10:00:00")})).unwrap();
        let span = series.on("2026-03-30".parse().unwrap());
        assert_eq!(written(&series, series.span.start, Tz::UTC), "2026-03-23T08:00:00.0000000");
        assert_eq!(written(&series, span.start, Tz::UTC), "2026-03-30T07:00:00.0000000");
        assert_eq!(written(&series, span.end, Tz::America__New_York), "2026-03-30T04:00:00.0000000");
        let gap = "2026-03-29T02:30:00".parse().unwrap();
        assert_eq!(utc(Tz::Europe__Berlin, gap).to_string(), "2026-03-29 01:30:00");
    }

    #[test]
    fn a_series_may_go_by_the_days_of_another_zone() {
        let at = |text: &str| json!({"dateTime": text, "timeZone": "UTC"});
        let series = |zone: &str| {
            let range = json!({"type": "noEnd", "startDate": "2026-03-24", "recurrenceTimeZone": zone});
            let recurrence = json!({"pattern": {"type": "daily", "interval": 1}, "range": range});
            let (start, end) = (at("2026-03-23T22:00:00"), at("2026-03-23T23:00:00"));
            timing(json!({"start": start, "end": end, "recurrence": recurrence}))
        };
        let tokyo = series("Tokyo Standard Time").unwrap();
        assert_eq!(
            (tokyo.recurrence_zone(), tokyo.span.start.to_string().as_str()),
            ("Asia/Tokyo", "2026-03-24 07:00:00")
        );
        assert_eq!(series("UTC").unwrap_err().code, "ErrorInvalidRecurrenceRange");
    }

    #[test]
    fn an_all_day_event_is_midnight_everywhere() {
        let at = |text: &str| json!({"dateTime": text, "timeZone": "Tokyo Standard Time"});
        let day = json!({"isAllDay": true, "start": at("2026-03-08"), "end": at("2026-03-09T00:00:00")});
        let day = timing(day).unwrap();
        for zone in [Tz::UTC, Tz::America__New_York] {
            assert_eq!(written(&day, day.span.start, zone), "2026-03-08T00:00:00.0000000");
        }
        let noon =
            json!({"isAllDay": true, "start": at("2026-03-08T12:00:00"), "end": at("2026-03-09T12:00:00")});
        assert_eq!(timing(noon).unwrap_err().code, "ErrorInvalidRequest");
    }

    #[test]
    fn a_window_holds_what_reaches_into_it() {
        let at = |text: &str| json!({"dateTime": text, "timeZone": "UTC"});
        let event = |start: &str, end: &str| timing(json!({"start": at(start), "end": at(end)})).unwrap();
        let ms = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_millis();
        let window = (ms("2026-03-02T00:00:00"), ms("2026-03-03T00:00:00"));
        for (start, end, inside) in [
            ("2026-03-01T23:00:00", "2026-03-02T00:00:00", false),
            ("2026-03-01T23:00:00", "2026-03-02T00:00:01", true),
            ("2026-03-02T00:00:00", "2026-03-02T00:00:00", true),
            ("2026-03-02T23:59:59", "2026-03-04T00:00:00", true),
            ("2026-03-03T00:00:00", "2026-03-03T01:00:00", false),
        ] {
            let event = event(start, end);
            assert_eq!(event.meets(event.span, window), inside, "{start} {end}");
        }
    }
}
