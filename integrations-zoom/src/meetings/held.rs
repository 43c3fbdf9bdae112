//! How does a meeting that was held become one of the model?
//!
//! The item has the answers of three calls side by side, each as Zoom sent it: `past_meeting`, `participants` and
//! `recordings`; and the session's id, by which they were asked for.

use chrono::{DateTime, FixedOffset};
use integrations_core::model::{
    Meeting, MeetingStatus, Participant, PersonRef, Raw, Record, Recording, Source,
};
use integrations_core::normalize::{ItemContext, ItemError};

use super::normalize::{at, host, kind, minutes, refused, seen_in, zone};
use super::wire::{WireFile, WireHeld, WireParticipant, filled};

pub(super) fn record(wire: WireHeld, item: &Raw, context: &ItemContext<'_>) -> Result<Record, ItemError> {
    if wire.refused.is_some() {
        return Err(refused());
    }
    let past = wire.past_meeting.ok_or_else(|| ItemError::new("$", "missing field `past_meeting`"))?;
    let mut meeting = Meeting::new(wire.uuid, kind(past.kind));
    meeting.session_id = Some(meeting.id.clone());
    meeting.code = past.id;
    meeting.status = MeetingStatus::Ended;
    meeting.title = filled(past.topic);
    meeting.host = host(past.host_id, past.user_email, past.user_name);
    let (zone, link) = wire.recordings.as_ref().map_or_else(Default::default, |recordings| {
        (zone(recordings.timezone.as_deref()), filled(recordings.share_url.clone()))
    });
    let start: Option<DateTime<FixedOffset>> = past.start_time.map(|start| seen_in(start, &zone));
    let length = start.zip(minutes(past.duration));
    let end = past.end_time.map(|end| seen_in(end, &zone)).or(length.map(|(start, length)| start + length));
    meeting.end = end.filter(|_| start.is_some()).map(|end| at(end, &zone));
    meeting.start = start.map(|start| at(start, &zone));
    meeting.participants = wire.participants.into_iter().map(participant).collect();
    let files = wire.recordings.map(|recordings| recordings.recording_files).unwrap_or_default();
    meeting.recordings = files.into_iter().map(recording).collect();
    let source = Source {
        service: context.stream.service.clone(),
        id: meeting.id.clone(),
        version: None,
        link,
        modified_at: past.end_time.or(past.start_time),
    };
    Ok(Record { entity: meeting.into(), source, raw: item.clone() })
}

/// Somebody who comes twice is there twice. Guests have no id, and outsiders no address.
fn participant(wire: WireParticipant) -> Participant {
    Participant {
        person: PersonRef {
            id: filled(wire.id),
            email: filled(wire.user_email),
            name: filled(wire.name),
            ..PersonRef::default()
        },
        joined_at: wire.join_time,
        left_at: wire.leave_time,
        seconds: wire.duration,
    }
}

fn recording(wire: WireFile) -> Recording {
    Recording {
        id: filled(wire.id),
        kind: filled(wire.recording_type),
        file_type: filled(wire.file_type),
        size: wire.file_size,
        started_at: wire.recording_start,
        ended_at: wire.recording_end,
        status: filled(wire.status),
        url: filled(wire.play_url),
        content_url: filled(wire.download_url),
    }
}
