//! How does an event of Google's become one of the model?

use chrono_tz::Tz;
use integrations_core::json;
use integrations_core::model::{
    Attachment, Attendee, Change, Conference, ConferenceEntry, Entity, Event, EventStatus, EventTime,
    PersonRef, Raw, Record, Recurrence, Reminders, Series, Source, Zone, ZonedTime,
};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};

use super::wire::{
    WireAttachment, WireAttendee, WireConference, WireDateTime, WireEntryPoint, WireEvent, WireId,
    WireReminders, WireTime,
};

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

fn change(wire: WireEvent, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
    let cancelled = wire.status == Some(EventStatus::Cancelled);
    // A cancelled event is gone, unless it is an occurrence: that one must be kept for as long as its
    // series, or the occurrence would come back.
    if cancelled && wire.recurring_event_id.is_none() {
        return Ok(Change::Delete { id: wire.id });
    }
    let zone = context.page.time_zone;
    let original_start =
        wire.original_start_time.map(|time| moment(&time, zone, "$.originalStartTime")).transpose()?;
    let start = match (wire.start, &original_start) {
        (Some(start), _) => moment(&start, zone, "$.start")?,
        (None, Some(original)) if cancelled => original.clone(),
        (None, _) => return Err(ItemError::new("$.start", "missing")),
    };
    let mut event = Event::new(wire.id, &context.stream.stream, start);
    event.end = match wire.end {
        Some(end) if !wire.end_time_unspecified => Some(moment(&end, zone, "$.end")?),
        _ => None,
    };
    event.series = match (wire.recurring_event_id, original_start) {
        (Some(id), Some(original_start)) => Some(Series { id, original_start }),
        (Some(id), None) => Some(Series { id, original_start: event.start.clone() }),
        (None, _) => None,
    };
    event.ical_uid = wire.ical_uid;
    event.sequence = wire.sequence;
    event.kind = wire.event_type;
    event.title = wire.summary;
    event.description = wire.description;
    event.location = wire.location;
    event.recurrence = recurrence(wire.recurrence);
    event.organizer = wire.organizer;
    event.creator = wire.creator;
    event.attendees = wire.attendees.into_iter().map(attendee).collect();
    event.attendees_omitted = wire.attendees_omitted;
    event.reminders = reminders(wire.reminders, context);
    event.status = wire.status.unwrap_or_default();
    event.visibility = wire.visibility;
    event.transparency = wire.transparency;
    event.attachments = wire.attachments.into_iter().map(attachment).collect();
    event.conference = conference(wire.conference_data, wire.hangout_link);
    event.color = wire.event_label_id.or(wire.color_id);
    event.created_at = wire.created;
    event.updated_at = wire.updated;
    let source = Source {
        service: context.stream.service.clone(),
        id: event.id.clone(),
        version: wire.etag,
        link: wire.html_link,
        modified_at: wire.updated,
    };
    Ok(Change::Upsert(Record { entity: Entity::Event(Box::new(event)), source, raw: item.clone() }))
}

/// A day, or an instant with its zone: the event's own, else its calendar's.
fn moment(time: &WireTime, calendar: Option<Tz>, path: &'static str) -> Result<EventTime, ItemError> {
    let at = match (time.date, time.date_time) {
        (None, Some(at)) => at,
        (Some(date), None) => return Ok(EventTime::day(date)),
        (Some(_), Some(_)) => return Err(ItemError::new(path, "both a date and a dateTime")),
        (None, None) => return Err(ItemError::new(path, "neither a date nor a dateTime")),
    };
    let zone = time.time_zone.clone().or(calendar.map(Zone::Iana)).unwrap_or_default();
    let at = match (at, zone.iana()) {
        (WireDateTime::Instant(at), _) => at,
        (WireDateTime::Local(local), Some(zone)) => ZonedTime::at_wall(local, zone).at,
        (WireDateTime::Local(_), None) => {
            return Err(ItemError::new(path, "a dateTime with neither an offset nor a known timeZone"));
        }
    };
    Ok(EventTime::At(ZonedTime::new(at, zone)))
}

fn recurrence(lines: Vec<String>) -> Recurrence {
    let mut recurrence = Recurrence::default();
    for line in lines {
        recurrence.push_line(line);
    }
    recurrence
}

fn attendee(wire: WireAttendee) -> Attendee {
    let person = PersonRef {
        email: wire.email,
        name: wire.display_name,
        is_self: wire.is_self,
        ..PersonRef::default()
    };
    let mut attendee = Attendee::new(person);
    attendee.response = wire.response_status;
    attendee.optional = wire.optional;
    attendee.resource = wire.resource;
    attendee.organizer = wire.organizer;
    attendee.comment = wire.comment;
    attendee.additional_guests = wire.additional_guests;
    attendee
}

/// Without a word about reminders, an event follows its calendar's.
fn reminders(wire: Option<WireReminders>, context: &ItemContext<'_>) -> Reminders {
    match wire {
        Some(WireReminders { use_default: false, overrides }) => {
            Reminders { from_calendar: false, list: overrides.into_iter().map(Into::into).collect() }
        }
        _ => Reminders { from_calendar: true, list: context.page.default_reminders.clone() },
    }
}

fn attachment(wire: WireAttachment) -> Attachment {
    Attachment {
        id: wire.file_id,
        title: wire.title,
        url: wire.file_url,
        media_type: wire.mime_type,
        ..Attachment::default()
    }
}

fn conference(wire: Option<WireConference>, hangout_link: Option<String>) -> Option<Conference> {
    let Some(wire) = wire else {
        let entry = ConferenceEntry { kind: "video".into(), uri: hangout_link?, label: None, code: None };
        return Some(Conference { entries: vec![entry], ..Conference::default() });
    };
    let (solution, name) = match wire.conference_solution {
        Some(solution) => (solution.key.and_then(|key| key.kind), solution.name),
        None => (None, None),
    };
    let entries = wire.entry_points.into_iter().filter_map(entry).collect();
    Some(Conference { id: wire.conference_id, solution, name, entries, notes: wire.notes })
}

fn entry(wire: WireEntryPoint) -> Option<ConferenceEntry> {
    let code = wire.meeting_code.or(wire.access_code).or(wire.passcode).or(wire.password).or(wire.pin);
    Some(ConferenceEntry { kind: wire.entry_point_type?, uri: wire.uri?, label: wire.label, code })
}
