//! How does a meeting of Zoom's become one of the model?
//!
//! Its stream says what it is: one that is planned, or one that was held (`held.rs`).

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use integrations_core::json;
use integrations_core::model::{
    Change, EventTime, Meeting, MeetingKind, MeetingOccurrence, PersonRef, Raw, Record, Source, Zone,
    ZonedTime,
};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};

use super::recurrence::Rule;
use super::wire::{Number, WireId, WireMeeting, WireOccurrence, WireTime, WireUuid, filled};
use super::{held, sync};

/// A meeting that repeats without a time.
const NO_FIXED_TIME: i64 = 3;
/// An occurrence that is further from the start that its id tells was not moved there.
const FAR: TimeDelta = TimeDelta::days(366);
/// Of what Zoom does not give.
const REFUSED: &str = "Zoom refuses to give this meeting";

/// Maps meetings.
#[derive(Debug, Clone, Copy, Default)]
pub struct ZoomNormalizer;

impl Normalizer for ZoomNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let text = item.as_bytes();
        let record = if sync::is_past(&context.stream.stream) {
            let id = || serde_json::from_slice(text).ok().map(|WireUuid { uuid }| uuid);
            json::decode_item(text)
                .and_then(|wire| held::record(wire, item, context))
                .map_err(|error| error.with_id(id()))
        } else {
            let id = || serde_json::from_slice(text).ok().map(|WireId { id }| id);
            json::decode_item(text)
                .and_then(|wire| record(wire, item, context))
                .map_err(|error| error.with_id(id()))
        };
        record.map(Change::Upsert)
    }
}

fn record(wire: WireMeeting, item: &Raw, context: &ItemContext<'_>) -> Result<Record, ItemError> {
    if wire.refused.is_some() {
        return Err(refused());
    }
    let zone = zone(wire.timezone.as_deref());
    let mut meeting = Meeting::new(wire.id, kind(wire.kind));
    let fixed = wire.kind != Some(Number(NO_FIXED_TIME));
    let start = wire.start_time.filter(|_| fixed);
    let mut start = start.map(|time| instant(time, &zone, "$.start_time")).transpose()?;
    if let Some(recurrence) = wire.recurrence.as_ref().filter(|_| fixed) {
        let until = recurrence.end_date_time;
        let until = until.map(|time| instant(time, &zone, "$.recurrence.end_date_time")).transpose()?;
        if let Some(rule) = Rule::of(recurrence, until.map(|until| until.to_utc())) {
            start = first(start, &rule, &wire.occurrences, &zone)?;
            meeting.recurrence.rrule.extend(start.is_some().then(|| rule.text()));
        }
    }
    let length = minutes(wire.duration);
    meeting.status = wire.status;
    meeting.title = filled(wire.topic);
    meeting.agenda = filled(wire.agenda);
    meeting.end = start.zip(length).map(|(start, length)| at(start + length, &zone));
    meeting.start = start.map(|start| at(start, &zone));
    for (index, one) in wire.occurrences.into_iter().enumerate() {
        meeting.occurrences.extend(occurrence(one, index, length, &zone)?);
    }
    meeting.host = host(wire.host_id, wire.host_email, None);
    meeting.join_url = filled(wire.join_url);
    meeting.passcode = filled(wire.password);
    meeting.created_at = wire.created_at;
    // People join a meeting in its host's own room by the room's number.
    let own_room = wire.settings.and_then(|settings| settings.use_pmi).unwrap_or_default();
    meeting.code = wire.pmi.filter(|_| own_room).or_else(|| Some(meeting.id.clone()));
    let source = Source {
        service: context.stream.service.clone(),
        id: meeting.id.clone(),
        version: None,
        link: None,
        modified_at: None,
    };
    Ok(Record { entity: meeting.into(), source, raw: item.clone() })
}

/// The start of a series: that of its first time, as the rule gives it. An occurrence that was moved still tells
/// by its id when it would have been.
fn first(
    start: Option<DateTime<FixedOffset>>,
    rule: &Rule,
    occurrences: &[WireOccurrence],
    zone: &Zone,
) -> Result<Option<DateTime<FixedOffset>>, ItemError> {
    let mut originals = Vec::new();
    for (index, one) in occurrences.iter().enumerate() {
        let Some(now) = one.start_time else { continue };
        let now = instant(now, zone, &format!("$.occurrences[{index}].start_time"))?;
        let told = one.occurrence_id.parse().ok().and_then(DateTime::from_timestamp_millis);
        let original = told.filter(|told| (*told - now.to_utc()).abs() <= FAR);
        originals.push(original.map_or(now, |told| seen_in(told, zone)));
    }
    // What the rule does not give is no time of the series, where its times are known.
    let given = start.filter(|start| originals.is_empty() || rule.gives(start.date_naive()));
    Ok(originals.into_iter().chain(given).min())
}

fn occurrence(
    wire: WireOccurrence,
    index: usize,
    length: Option<TimeDelta>,
    zone: &Zone,
) -> Result<Option<MeetingOccurrence>, ItemError> {
    let Some(start) = wire.start_time else { return Ok(None) };
    let start = instant(start, zone, &format!("$.occurrences[{index}].start_time"))?;
    let end = minutes(wire.duration).or(length).map(|length| at(start + length, zone));
    Ok(Some(MeetingOccurrence { id: wire.occurrence_id, start: at(start, zone), end, status: wire.status }))
}

pub(super) fn refused() -> ItemError {
    ItemError::new("$.refused", REFUSED)
}

/// Zoom's types by their numbers; one that is not known here is kept.
pub(super) fn kind(kind: Option<Number>) -> MeetingKind {
    match kind.map(|Number(kind)| kind) {
        None | Some(2) => MeetingKind::Scheduled,
        Some(1) => MeetingKind::Instant,
        Some(NO_FIXED_TIME | 8) => MeetingKind::Recurring,
        Some(4) => MeetingKind::Personal,
        Some(5 | 6 | 9) => MeetingKind::Webinar,
        Some(other) => MeetingKind::Other(other.to_string().into()),
    }
}

pub(super) fn host(id: Option<String>, email: Option<String>, name: Option<String>) -> Option<PersonRef> {
    let host = PersonRef { id: filled(id), email: filled(email), name: filled(name), ..PersonRef::default() };
    (host != PersonRef::default()).then_some(host)
}

/// A length that is no nonsense: Zoom has none of more than some days.
pub(super) fn minutes(minutes: Option<u64>) -> Option<TimeDelta> {
    minutes
        .filter(|minutes| *minutes <= 1_000_000)
        .and_then(|minutes| TimeDelta::try_minutes(minutes.try_into().ok()?))
}

pub(super) fn zone(name: Option<&str>) -> Zone {
    name.map(Zone::from_name).unwrap_or_default()
}

pub(super) fn at(instant: DateTime<FixedOffset>, zone: &Zone) -> EventTime {
    EventTime::At(ZonedTime::new(seen_in(instant.to_utc(), zone), zone.clone()))
}

pub(super) fn seen_in(at: DateTime<Utc>, zone: &Zone) -> DateTime<FixedOffset> {
    zone.iana().map_or_else(|| at.fixed_offset(), |zone| at.with_timezone(&zone).fixed_offset())
}

fn instant(time: WireTime, zone: &Zone, path: &str) -> Result<DateTime<FixedOffset>, ItemError> {
    match (time, zone.iana()) {
        (WireTime::Instant(at), _) => Ok(seen_in(at, zone)),
        (WireTime::Local(wall), Some(zone)) => Ok(on_the_clock(wall, zone)),
        (WireTime::Local(_), None) => {
            Err(ItemError::new(path, "a time with neither an offset nor a known `timezone`"))
        }
    }
}

/// The instant of a wall time: the first of two where the clocks go back; where they go forward, as if they had
/// not yet.
fn on_the_clock(wall: NaiveDateTime, zone: Tz) -> DateTime<FixedOffset> {
    let day = TimeDelta::days(1);
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.fixed_offset(),
        LocalResult::None => zone
            .from_local_datetime(&(wall - day))
            .earliest()
            .map_or_else(|| zone.from_utc_datetime(&wall), |before| before + day)
            .fixed_offset(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_is_an_instant_of_its_zone() {
        let at = |text: &str| on_the_clock(text.parse().unwrap(), Tz::Europe__London).to_rfc3339();
        assert_eq!(at("2026-03-28T01:30:00"), "2026-03-28T01:30:00+00:00");
        assert_eq!(at("2026-03-29T01:30:00"), "2026-03-29T02:30:00+01:00");
        assert_eq!(at("2026-10-25T01:30:00"), "2026-10-25T01:30:00+01:00");
    }

    #[test]
    fn a_type_that_is_not_known_is_kept() {
        assert_eq!(kind(Some(Number(10))), MeetingKind::Other("10".into()));
        assert_eq!(kind(None), MeetingKind::Scheduled);
    }
}
