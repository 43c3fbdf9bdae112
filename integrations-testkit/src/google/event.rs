//! What does Google fill in, keep and drop in an event that the test writes?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::listing::Window;

/// When an occurrence would have begun: the identity of an instance.
#[derive(Debug, Clone, Copy)]
pub(super) enum Original {
    Date(NaiveDate),
    Time(DateTime<Utc>),
}

impl Original {
    /// Reads `2026-03-08` or an RFC 3339 time.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(date) = text.parse() {
            return Some(Self::Date(date));
        }
        DateTime::parse_from_rfc3339(text).ok().map(|time| Self::Time(time.to_utc()))
    }

    fn suffix(&self) -> String {
        match self {
            Self::Date(date) => date.format("%Y%m%d").to_string(),
            Self::Time(time) => time.format("%Y%m%dT%H%M%SZ").to_string(),
        }
    }

    fn written(&self, zone: Tz) -> Value {
        match self {
            Self::Date(date) => json!({"date": date.to_string()}),
            Self::Time(time) => local(*time, zone),
        }
    }
}

fn local(time: DateTime<Utc>, zone: Tz) -> Value {
    let written = time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({"dateTime": written, "timeZone": zone.name()})
}

/// A text field, empty when absent.
pub(super) fn text<'a>(event: &'a Map<String, Value>, field: &str) -> &'a str {
    event.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// `2026-03-08T09:00:00.000Z`.
pub(super) fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Merges a patch (RFC 7396): null removes, arrays are replaced whole.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (field, value) in patch {
            if value.is_null() {
                target.remove(&field);
            } else {
                merge(target.entry(field).or_insert(Value::Null), value);
            }
        }
    }
}

/// Adds the fields that the server assigns, where they are missing.
pub(super) fn fill(
    mut event: Map<String, Value>,
    fresh_id: &str,
    owner: &str,
    calendar: &str,
    zone: Tz,
    now: DateTime<Utc>,
) -> Map<String, Value> {
    let id = Some(text(&event, "id")).filter(|id| !id.is_empty()).unwrap_or(fresh_id).to_owned();
    let person = json!({"email": owner, "self": true});
    let link = STANDARD_NO_PAD.encode(format!("{id} {calendar}"));
    let defaults = json!({
        "kind": "calendar#event",
        "id": id,
        "status": "confirmed",
        "htmlLink": format!("https://www.google.com/calendar/event?eid={link}"),
        "created": instant(now),
        "updated": instant(now),
        "creator": person,
        "organizer": person,
        "start": local(now, zone),
        "end": local(now + TimeDelta::hours(1), zone),
        "iCalUID": format!("{id}@google.com"),
        "sequence": 0,
        "reminders": {"useDefault": true},
        "eventType": "default",
    });
    if let Value::Object(defaults) = defaults {
        for (field, value) in defaults {
            event.entry(field).or_insert(value);
        }
    }
    event
}

/// Only these fields of a cancelled event are guaranteed, so only these are served.
pub(super) fn strip_cancelled(event: &mut Map<String, Value>) {
    const KEPT: [&str; 6] = ["kind", "etag", "id", "status", "recurringEventId", "originalStartTime"];
    event.retain(|field, _| KEPT.contains(&field.as_str()));
}

/// One occurrence of a series, unchanged.
pub(super) fn instance(
    series: &Map<String, Value>,
    original: &Original,
    calendar_zone: Tz,
) -> Map<String, Value> {
    let zone = series
        .get("start")
        .and_then(|start| start["timeZone"].as_str())
        .and_then(|name| name.parse().ok())
        .unwrap_or(calendar_zone);
    let mut instance = series.clone();
    instance.remove("recurrence");
    let end = match original {
        // Days, not hours: the day on which the clocks change is shorter.
        Original::Date(start) => {
            let days = date(series.get("end")).zip(date(series.get("start"))).map(|(end, start)| end - start);
            json!({"date": (*start + days.unwrap_or(TimeDelta::days(1))).to_string()})
        }
        Original::Time(start) => {
            let span = moment(series.get("end"), zone).zip(moment(series.get("start"), zone));
            let length =
                span.map_or(TimeDelta::hours(1), |(end, start)| TimeDelta::milliseconds(end - start));
            local(*start + length, zone)
        }
    };
    let id = format!("{}_{}", text(series, "id"), original.suffix());
    instance.insert("id".to_owned(), json!(id));
    instance.insert("recurringEventId".to_owned(), json!(text(series, "id")));
    instance.insert("originalStartTime".to_owned(), original.written(zone));
    instance.insert("start".to_owned(), original.written(zone));
    instance.insert("end".to_owned(), end);
    instance
}

/// The time an event covers. A series has no end here: the fake does not expand rules.
pub(super) fn window(event: &Map<String, Value>, calendar_zone: Tz) -> Window {
    let start = event.get("start").or_else(|| event.get("originalStartTime"));
    let min = moment(start, calendar_zone).unwrap_or(i64::MIN);
    let recurring = event.contains_key("recurrence");
    let max = moment(event.get("end"), calendar_zone).filter(|_| !recurring).unwrap_or(i64::MAX);
    Window { min, max }
}

/// A start or end in milliseconds of the epoch.
fn moment(written: Option<&Value>, zone: Tz) -> Option<i64> {
    let written = written?;
    if let Some(time) = written["dateTime"].as_str() {
        return DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_millis());
    }
    let date = date(Some(written))?;
    let midnight = zone.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest()?;
    Some(midnight.timestamp_millis())
}

fn date(written: Option<&Value>) -> Option<NaiveDate> {
    written?["date"].as_str()?.parse().ok()
}
