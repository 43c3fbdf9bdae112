//! What happens to meetings?

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::meeting;
use crate::given::Given;
use crate::patch::merge;
use crate::zoom::FakeZoom;
use crate::zoom::meeting::{Kind, Meeting, Occurrence};
use crate::zoom::recurrence::Recurrence;
use crate::zoom::state::State;
use crate::zoom::time::{self, whole};

/// Adds a meeting; returns its number.
pub(in crate::zoom) fn create(state: &mut State, new: Value, now: DateTime<Utc>) -> u64 {
    let now = whole(now);
    let mut given = Given::new("a meeting", new);
    let host = given
        .text("host")
        .map(|named| state.user_named(&named).unwrap_or_else(|| panic!("no user {named:?} in this fake")));
    let host = host.unwrap_or(0);
    let kind = given.take("type", |kind| Kind::of(kind.as_u64()?)).unwrap_or(Kind::Scheduled);
    assert!(kind != Kind::Personal, "everybody has one personal room: see personal_room");
    let id = given.number("id").unwrap_or_else(|| state.mint_id());
    assert!(!state.meetings.contains_key(&id), "there is a meeting {id} already");
    let zone = given.take("timezone", zone).unwrap_or(state.users[host].zone);
    let start = given.take("start_time", |start| time::read(start.as_str()?, zone));
    let uuid = given.text("uuid").unwrap_or_else(|| state.mint_uuid());
    let mut made = Meeting {
        id,
        host,
        uuid,
        kind,
        topic: given.text("topic").unwrap_or_else(|| "Zoom Meeting".to_owned()),
        agenda: given.text("agenda").unwrap_or_default(),
        // Zoom takes now for a start that is not given.
        start: match kind {
            Kind::NoFixedTime => None,
            Kind::Instant => Some(now),
            _ => Some(start.unwrap_or(now)),
        },
        duration: given.take("duration", minutes).unwrap_or(60),
        zone,
        created: now,
        password: given.text("password").unwrap_or_else(|| format!("{:06}", id % 1_000_000)),
        use_pmi: false,
        recurrence: given.take("recurrence", Recurrence::parse),
        occurrences: Vec::new(),
        settings: json!({}),
        live: None,
        last_start: None,
        patches: Vec::new(),
    };
    set_settings(&mut made, &mut given);
    given.end();
    assert_eq!(
        made.recurrence.is_some(),
        kind == Kind::FixedTime,
        "a meeting of type 8, and no other, has a recurrence"
    );
    made.expand();
    state.meetings.insert(id, made);
    if kind == Kind::Instant {
        super::sessions::start(state, id, now);
    }
    id
}

fn zone(name: &Value) -> Option<Tz> {
    name.as_str()?.parse().ok()
}

fn minutes(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

fn set_settings(meeting: &mut Meeting, given: &mut Given) {
    let Some(settings) = given.take("settings", |settings| settings.is_object().then(|| settings.clone()))
    else {
        return;
    };
    if let Some(use_pmi) = settings["use_pmi"].as_bool() {
        meeting.use_pmi = use_pmi;
    }
    merge(&mut meeting.settings, settings);
}

fn occurrence<'a>(meeting: &'a mut Meeting, id: &str) -> &'a mut Occurrence {
    let number = meeting.id;
    let found = meeting.occurrences.iter_mut().find(|occurrence| occurrence.id.to_string() == id);
    found.unwrap_or_else(|| panic!("no occurrence {id:?} of meeting {number} in this fake"))
}

/// Meetings. Methods that name one panic when there is no such meeting.
impl FakeZoom {
    /// Schedules a meeting; returns its number. Fields: `topic`, `type` (2 if not given; 1 starts at once),
    /// `start_time` (with `Z` in UTC, without in the zone), `duration`, `timezone`, `agenda`, `password`,
    /// `recurrence`, `settings`, and beside what Zoom takes `host` (an address or id), `id` and `uuid`.
    ///
    /// # Panics
    /// When a field is not one of these, or cannot be so.
    pub fn create_meeting(&self, meeting: Value) -> u64 {
        let now = self.zoom.now();
        self.write(|state| create(state, meeting, now))
    }

    /// Changes a meeting, or the whole series: `topic`, `agenda`, `start_time`, `duration`, `timezone`,
    /// `password`, `recurrence`, `settings`. Another time or rule makes the occurrences anew; another duration
    /// is that of every occurrence.
    ///
    /// # Panics
    /// When a field is not one of these, or cannot be so.
    pub fn update_meeting(&self, id: u64, changes: Value) {
        self.write(|state| {
            let meeting = meeting(state, id);
            let mut given = Given::new("a change of a meeting", changes);
            if let Some(topic) = given.text("topic") {
                meeting.topic = topic;
            }
            if let Some(agenda) = given.text("agenda") {
                meeting.agenda = agenda;
            }
            if let Some(password) = given.text("password") {
                meeting.password = password;
            }
            if let Some(duration) = given.take("duration", minutes) {
                meeting.duration = duration;
                for occurrence in &mut meeting.occurrences {
                    occurrence.duration = duration;
                }
            }
            let new_zone = given.take("timezone", zone);
            let zone = new_zone.unwrap_or(meeting.zone);
            let start = given.take("start_time", |start| time::read(start.as_str()?, zone));
            let rule = given.take("recurrence", Recurrence::parse);
            set_settings(meeting, &mut given);
            given.end();
            if new_zone.is_some() || start.is_some() || rule.is_some() {
                meeting.zone = zone;
                meeting.start = start.or(meeting.start);
                meeting.recurrence = rule.or(meeting.recurrence);
                meeting.expand();
            }
        });
    }

    /// Deletes a meeting, or the whole series. Its sessions and recordings stay.
    pub fn delete_meeting(&self, id: u64) {
        self.write(|state| {
            meeting(state, id);
            state.meetings.remove(&id);
        });
    }

    /// Changes one meeting of a series: `start_time`, `duration`, `agenda`. Its `occurrence_id` stays.
    ///
    /// # Panics
    /// When there is no such occurrence, or a field is not one of these.
    pub fn update_occurrence(&self, id: u64, occurrence_id: &str, changes: Value) {
        self.write(|state| {
            let meeting = meeting(state, id);
            let zone = meeting.zone;
            let occurrence = occurrence(meeting, occurrence_id);
            let mut given = Given::new("a change of an occurrence", changes);
            if let Some(start) = given.take("start_time", |start| time::read(start.as_str()?, zone)) {
                occurrence.start = start;
            }
            if let Some(duration) = given.take("duration", minutes) {
                occurrence.duration = duration;
            }
            occurrence.agenda = given.text("agenda").or(occurrence.agenda.take());
            given.end();
        });
    }

    /// Deletes one meeting of a series.
    ///
    /// # Panics
    /// When there is no such occurrence.
    pub fn delete_occurrence(&self, id: u64, occurrence_id: &str) {
        self.write(|state| occurrence(meeting(state, id), occurrence_id).deleted = true);
    }

    /// Merges a patch into a meeting wherever it is shown, by itself and in rows: null removes a field. So a
    /// test makes one that Zoom would not send.
    pub fn patch_meeting(&self, id: u64, patch: Value) {
        self.write(|state| meeting(state, id).patches.push(patch));
    }

    /// Ends what [`patch_meeting`](Self::patch_meeting) did.
    pub fn unpatch_meeting(&self, id: u64) {
        self.write(|state| meeting(state, id).patches.clear());
    }

    /// Serves this text as the last row of the first user's listings, as it is.
    pub fn raw_meeting(&self, raw_json_text: &str) {
        self.write(|state| state.raw_meetings.push(raw_json_text.to_owned()));
    }

    /// Lets a meeting of the first user's come once more, at the end of each listing.
    pub fn repeat_meeting(&self, id: u64) {
        self.write(|state| {
            let meeting = &*meeting(state, id);
            let (host, first) = (meeting.host, meeting.occurrences.first().cloned());
            let row = state.meetings[&id].row(&state.users[host], first.as_ref()).to_string();
            state.raw_meetings.push(row);
        });
    }

    /// The whole meeting, with the occurrences that are over, as the API shows it to its host; none when it
    /// has expired.
    pub fn meeting(&self, id: u64) -> Option<Value> {
        let state = self.zoom.state();
        let meeting = state.meetings.get(&id)?;
        let (settings, now) = (&self.zoom.settings, self.zoom.now());
        let host = &state.users[meeting.host];
        (!meeting.has_expired(settings, now)).then(|| meeting.object(host, settings, None, None))
    }

    /// The meetings of all users that have not expired and that listings may show, by number.
    pub fn meeting_ids(&self) -> Vec<u64> {
        let (settings, now) = (&self.zoom.settings, self.zoom.now());
        let state = self.zoom.state();
        let there = state.meetings.values();
        let there = there.filter(|one| one.kind.is_listed() && !one.has_expired(settings, now));
        there.map(|meeting| meeting.id).collect()
    }

    /// The uuid of the session of a meeting that is under way, or else of the next one.
    pub fn uuid(&self, id: u64) -> String {
        self.write(|state| meeting(state, id).uuid.clone())
    }

    /// The ids of the occurrences of a series, those included that were deleted.
    pub fn occurrence_ids(&self, id: u64) -> Vec<String> {
        self.write(|state| meeting(state, id).occurrences.iter().map(|one| one.id.to_string()).collect())
    }

    /// The number of a user's personal room.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn personal_room(&self, user: &str) -> u64 {
        let state = self.zoom.state();
        let Some(user) = state.user_named(user) else { panic!("no user {user:?} in this fake") };
        state.users[user].pmi
    }
}
