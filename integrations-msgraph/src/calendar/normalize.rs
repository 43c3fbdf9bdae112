//! How does an event of Outlook's become one of the model?

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use chrono_tz::Tz;
use integrations_core::json;
use integrations_core::model::{
    Attendee, Change, Entity, Event, EventKind, EventStatus, EventTime, PersonRef, Raw, Record, Recurrence,
    Reminder, ReminderMethod, Reminders, ResponseStatus, Series, Source, Transparency, Visibility, Zone,
    ZonedTime,
};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer, PageContext, Stages};
use integrations_core::sync::StreamKey;

use super::conference::conference;
use super::recurrence::{exdate, original_day, rule};
use super::wire::{
    Instant, WireAddress, WireAttendee, WireDateTime, WireError, WireEvent, WireId, WireLocation,
    WireRecipient, WireTime,
};
use crate::zones::time_zone;

/// Maps events.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventNormalizer;

impl Normalizer for EventNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let read =
            json::decode_item(item.as_bytes()).and_then(|event: WireEvent| change(event, item, context));
        read.map_err(|error| {
            let id = serde_json::from_slice(item.as_bytes()).ok().map(|WireId { id }| id);
            error.with_id(id)
        })
    }
}

/// Whether an item becomes a record, or a deletion.
pub(super) fn is_readable(item: &Raw) -> bool {
    let nobody = StreamKey { owner: "".into(), service: "".into(), connection: "".into(), stream: "".into() };
    let normalized = Stages::new(Arc::new(EventNormalizer)).run(
        std::slice::from_ref(item),
        &nobody,
        &PageContext::default(),
    );
    normalized.quarantined.is_empty()
}

/// From when to when an event takes place; days from midnight to midnight in UTC. `None` for what cannot be read.
pub(super) fn span(item: &Raw) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let event: WireEvent = serde_json::from_slice(item.as_bytes()).ok()?;
    let utc = |time: &WireTime| at(time, &Zone::Offset, "$").ok().map(|time| time.at.to_utc());
    let start = utc(event.start.as_ref()?)?;
    Some((start, event.end.as_ref().and_then(utc).unwrap_or(start)))
}

fn change(mut wire: WireEvent, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
    if wire.removed.is_some() {
        return Ok(Change::Delete { id: wire.id });
    }
    if let Some(error) = &wire.error {
        return Err(refused(error));
    }
    let zones = Zones::of(&wire, context.page.time_zone);
    let all_day = wire.is_all_day.unwrap_or(false);
    let time = |time: &WireTime, zone: &Zone, path| {
        if all_day {
            Ok(EventTime::day(time.date_time.date()))
        } else {
            at(time, zone, path).map(EventTime::At)
        }
    };
    let Some(start) = &wire.start else { return Err(ItemError::new("$.start", "missing")) };
    let start = time(start, &zones.start, "$.start")?;
    let end = wire.end.as_ref().map(|end| time(end, &zones.end, "$.end")).transpose()?;
    let mut event = Event::new(std::mem::take(&mut wire.id), &context.stream.stream, start);
    event.end = end;
    event.series = series(&mut wire, &event.start, &zones);
    event.recurrence = recurrence(&wire, &event.start, &zones);
    event.ical_uid = wire.i_cal_u_id.take();
    event.title = text(wire.subject.take());
    event.description = text(wire.body.take().and_then(|body| body.content));
    event.location = location(wire.location.take(), wire.locations.take().unwrap_or_default());
    let is_own = wire.is_organizer.unwrap_or(false);
    event.organizer =
        wire.organizer.take().and_then(organizer).map(|person| PersonRef { is_self: is_own, ..person });
    event.attendees = wire.attendees.take().unwrap_or_default().into_iter().map(attendee).collect();
    mark_organizer(&mut event);
    // The organiser sees all of them; the others see themselves.
    event.attendees_omitted = wire.hide_attendees.unwrap_or(false) && !is_own;
    event.reminders = reminders(&wire);
    (event.kind, event.transparency) = shown_as(wire.show_as.as_deref());
    event.status = status(&wire);
    event.visibility = sensitivity(wire.sensitivity.as_deref());
    event.conference = conference(&mut wire);
    event.created_at = wire.created_date_time.and_then(|Instant(at)| at);
    event.updated_at = wire.last_modified_date_time.and_then(|Instant(at)| at);
    let source = Source {
        service: context.stream.service.clone(),
        id: event.id.clone(),
        version: wire.etag.or(wire.change_key),
        link: wire.web_link,
        modified_at: event.updated_at,
    };
    Ok(Change::Upsert(Record { entity: Entity::Event(Box::new(event)), source, raw: item.clone() }))
}

/// What stands in the place of an event that Graph mentions and does not give.
fn refused(error: &WireError) -> ItemError {
    let mut reason = "Graph gives an error and no event".to_owned();
    let is_word = |word: &&str| {
        word.len() <= 60 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let status = error.status.map(|status| status.to_string());
    for part in [status.as_deref(), error.code.as_deref().filter(is_word)].into_iter().flatten() {
        reason = reason + ": " + part;
    }
    ItemError::new("$.error", reason)
}

/// The zones in which start and end are planned. A series has one, in which it repeats.
struct Zones {
    start: Zone,
    end: Zone,
}

impl Zones {
    fn of(wire: &WireEvent, mailbox: Option<Tz>) -> Self {
        let repeats = wire.recurrence.as_ref().and_then(|recurrence| recurrence.range.as_ref());
        let repeats = repeats.and_then(|range| range.recurrence_time_zone.as_deref()).and_then(time_zone);
        let zone = |name: &Option<String>, time: &Option<WireTime>| {
            let shown = || time.as_ref().and_then(|time| time.time_zone.as_deref());
            planned(name.as_deref().or_else(shown), mailbox)
        };
        let start = zone(&wire.original_start_time_zone, &wire.start);
        let end = zone(&wire.original_end_time_zone, &wire.end);
        Self { start: repeats.map_or(start, Zone::Iana), end }
    }
}

/// A zone by its name. One that nobody knows is that of the mailbox, which is the best guess there is; without
/// that, the name stays.
fn planned(name: Option<&str>, mailbox: Option<Tz>) -> Zone {
    let name = name.unwrap_or_default().trim();
    match time_zone(name).or(mailbox) {
        Some(zone) => Zone::Iana(zone),
        None => Zone::from_name(name),
    }
}

/// An instant, seen in the zone it is planned in.
fn at(time: &WireTime, zone: &Zone, path: &'static str) -> Result<ZonedTime, ItemError> {
    let at = match (time.date_time, time.time_zone.as_deref().map_or(Some(Tz::UTC), time_zone)) {
        (WireDateTime::Instant(at), _) => at,
        (WireDateTime::Wall(wall), Some(zone)) => ZonedTime::at_wall(wall, zone).at,
        (WireDateTime::Wall(_), None) => {
            return Err(ItemError::new(
                format!("{path}.timeZone"),
                "a local time in a zone that is not known",
            ));
        }
    };
    Ok(in_zone(at, zone))
}

fn in_zone(at: DateTime<FixedOffset>, zone: &Zone) -> ZonedTime {
    match zone.iana() {
        Some(zone) => ZonedTime::in_iana(at.to_utc(), zone),
        None => ZonedTime::new(at, zone.clone()),
    }
}

/// Which occurrence it was. Without its original start, that is where it stands.
fn series(wire: &mut WireEvent, start: &EventTime, zones: &Zones) -> Option<Series> {
    let id = wire.series_master_id.take().filter(|id| !id.is_empty())?;
    let original = wire.original_start.and_then(|Instant(at)| at);
    let original_start = match (original, start) {
        (None, start) => start.clone(),
        (Some(at), EventTime::Day { .. }) => {
            EventTime::day(original_day(at, zone_of(wire.original_start_time_zone.as_deref())))
        }
        (Some(at), EventTime::At(_)) => EventTime::At(in_zone(at.fixed_offset(), &zones.start)),
    };
    Some(Series { id, original_start })
}

fn zone_of(name: Option<&str>) -> Option<Tz> {
    name.and_then(time_zone)
}

/// The rule, and the days on which the series does not take place: those that were cancelled, and those whose
/// exceptions cannot be told from the rule's own days, since only one of the two lasts all day.
fn recurrence(wire: &WireEvent, start: &EventTime, zones: &Zones) -> Recurrence {
    let mut recurrence = Recurrence::default();
    let Some(pattern) = &wire.recurrence else { return recurrence };
    recurrence.rrule.push(rule(pattern, start));
    let cancelled = wire.cancelled_occurrences.iter().flatten().map(|day| day.0);
    let exceptions = wire.exception_occurrences.iter().flatten();
    let of_another_kind =
        exceptions.filter(|exception| exception.is_all_day.unwrap_or(false) != start.is_all_day());
    let days = of_another_kind.filter_map(|exception| {
        let Instant(at) = exception.original_start?;
        let zone = zone_of(exception.original_start_time_zone.as_deref());
        Some(match start {
            EventTime::Day { .. } => original_day(at?, zone),
            EventTime::At(_) => in_zone(at?.fixed_offset(), &zones.start).at.date_naive(),
        })
    });
    let days: Vec<NaiveDate> = cancelled.chain(days).collect();
    if let Some(line) = exdate(days) {
        recurrence.push_line(line);
    }
    recurrence
}

/// A text that says something.
fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The name that Outlook shows for the place, or the names of all places.
fn location(first: Option<WireLocation>, all: Vec<WireLocation>) -> Option<String> {
    text(first.and_then(|place| place.display_name)).or_else(|| {
        let names: Vec<_> = all.into_iter().filter_map(|place| text(place.display_name)).collect();
        text(Some(names.join("; ")))
    })
}

fn person(address: WireAddress) -> PersonRef {
    PersonRef { email: text(address.address), name: text(address.name), ..PersonRef::default() }
}

fn organizer(wire: WireRecipient) -> Option<PersonRef> {
    let person = person(wire.email_address?);
    (person.email.is_some() || person.name.is_some()).then_some(person)
}

fn attendee(wire: WireAttendee) -> Attendee {
    let mut attendee = Attendee::new(wire.email_address.map(person).unwrap_or_default());
    let is = |kind: &str| wire.kind.as_deref().is_some_and(|word| word.eq_ignore_ascii_case(kind));
    (attendee.optional, attendee.resource) = (is("optional"), is("resource"));
    let response = wire.status.and_then(|status| status.response);
    attendee.organizer = response.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("organizer"));
    attendee.response = answered(response.as_deref());
    attendee
}

/// The one among the attendees who organises it, and whether that is the user.
fn mark_organizer(event: &mut Event) {
    let Some(organizer) = &event.organizer else { return };
    let Some(address) = organizer.email.as_deref() else { return };
    let same =
        |person: &PersonRef| person.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(address));
    for attendee in event.attendees.iter_mut().filter(|attendee| same(&attendee.person)) {
        attendee.organizer = true;
        attendee.person.is_self = organizer.is_self;
    }
}

/// Outlook has one reminder, and no default of the calendar's.
fn reminders(wire: &WireEvent) -> Reminders {
    let minutes = wire.reminder_minutes_before_start.filter(|_| wire.is_reminder_on.unwrap_or(false));
    let list = minutes.map(|minutes_before| Reminder { method: ReminderMethod::Popup, minutes_before });
    Reminders { from_calendar: false, list: list.into_iter().collect() }
}

fn status(wire: &WireEvent) -> EventStatus {
    let own = wire.response_status.as_ref().and_then(|status| status.response.as_deref());
    let is = |word: Option<&str>, known| word.is_some_and(|word| word.eq_ignore_ascii_case(known));
    if wire.is_cancelled.unwrap_or(false) {
        EventStatus::Cancelled
    } else if is(wire.show_as.as_deref(), "tentative") || is(own, "tentativelyAccepted") {
        EventStatus::Tentative
    } else {
        EventStatus::Confirmed
    }
}

fn shown_as(word: Option<&str>) -> (EventKind, Transparency) {
    match word.unwrap_or_default() {
        "free" => (EventKind::Default, Transparency::Free),
        "oof" => (EventKind::OutOfOffice, Transparency::Busy),
        "workingElsewhere" => (EventKind::WorkingLocation, Transparency::Free),
        "" | "busy" | "tentative" | "unknown" => (EventKind::Default, Transparency::Busy),
        other => (EventKind::Default, Transparency::Other(other.into())),
    }
}

fn sensitivity(word: Option<&str>) -> Visibility {
    match word.unwrap_or_default() {
        "" | "normal" => Visibility::Default,
        "personal" | "private" => Visibility::Private,
        "confidential" => Visibility::Confidential,
        other => Visibility::Other(other.into()),
    }
}

fn answered(word: Option<&str>) -> ResponseStatus {
    match word.unwrap_or_default() {
        "" | "none" | "notResponded" => ResponseStatus::NeedsAction,
        "accepted" | "organizer" => ResponseStatus::Accepted,
        "tentativelyAccepted" => ResponseStatus::Tentative,
        "declined" => ResponseStatus::Declined,
        other => ResponseStatus::Other(other.into()),
    }
}
