//! What is a meeting?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::Settings;
use super::recurrence::Recurrence;
use super::time::{after, text};
use super::user::User;
use crate::patch::{merge, merge_all};

/// Zoom cuts the agenda in a listing.
const SHORT_AGENDA: usize = 250;

/// What Zoom's numbers say of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Instant,
    Scheduled,
    /// Recurring, whenever somebody starts it.
    NoFixedTime,
    /// The host's personal room.
    Personal,
    /// Recurring by a rule.
    FixedTime,
}

impl Kind {
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Instant => 1,
            Self::Scheduled => 2,
            Self::NoFixedTime => 3,
            Self::Personal => 4,
            Self::FixedTime => 8,
        }
    }

    pub(super) fn of(number: u64) -> Option<Self> {
        let all = [Self::Instant, Self::Scheduled, Self::NoFixedTime, Self::Personal, Self::FixedTime];
        all.into_iter().find(|kind| kind.number() == number)
    }

    /// Whether listings show it.
    pub(super) const fn is_listed(self) -> bool {
        matches!(self, Self::Scheduled | Self::NoFixedTime | Self::FixedTime)
    }
}

/// One meeting of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// When it was to start, in milliseconds.
    pub(super) id: i64,
    pub(super) start: DateTime<Utc>,
    pub(super) duration: u32,
    pub(super) agenda: Option<String>,
    pub(super) deleted: bool,
}

/// A meeting, or a series of them.
#[derive(Debug)]
pub(super) struct Meeting {
    pub(super) id: u64,
    /// The host, by place.
    pub(super) host: usize,
    /// Of the session that is under way, or else of the next one.
    pub(super) uuid: String,
    pub(super) kind: Kind,
    pub(super) topic: String,
    pub(super) agenda: String,
    /// Nothing for a meeting without a fixed time.
    pub(super) start: Option<DateTime<Utc>>,
    /// In minutes.
    pub(super) duration: u32,
    pub(super) zone: Tz,
    pub(super) created: DateTime<Utc>,
    pub(super) password: String,
    pub(super) use_pmi: bool,
    pub(super) recurrence: Option<Recurrence>,
    /// In the order of the rule.
    pub(super) occurrences: Vec<Occurrence>,
    /// What a test said about the settings.
    pub(super) settings: Value,
    /// The session that is under way, by place.
    pub(super) live: Option<usize>,
    pub(super) last_start: Option<DateTime<Utc>>,
    /// What a test said about what is shown, in order.
    pub(super) patches: Vec<Value>,
}

impl Meeting {
    /// Makes the occurrences anew from the rule; what was said about single ones is forgotten.
    pub(super) fn expand(&mut self) {
        let (Some(rule), Some(start)) = (&self.recurrence, self.start) else {
            self.occurrences.clear();
            return;
        };
        let occurrence = |start: DateTime<Utc>| Occurrence {
            id: start.timestamp_millis(),
            start,
            duration: self.duration,
            agenda: None,
            deleted: false,
        };
        self.occurrences = rule.starts(start, self.zone).into_iter().map(occurrence).collect();
    }

    pub(super) fn occurrence(&self, id: &str) -> Option<&Occurrence> {
        self.occurrences.iter().find(|occurrence| occurrence.id.to_string() == id)
    }

    /// Whether its id is good no more.
    pub(super) fn has_expired(&self, settings: &Settings, now: DateTime<Utc>) -> bool {
        let (single, series) = settings.lives;
        let life: TimeDelta = match self.kind {
            Kind::Personal => return false,
            Kind::Instant => return self.live.is_none(),
            Kind::Scheduled => single,
            Kind::NoFixedTime | Kind::FixedTime => series,
        };
        let planned = self.occurrences.iter().map(|occurrence| occurrence.start).max().or(self.start);
        let last = planned.unwrap_or(self.created).max(self.last_start.unwrap_or(self.created));
        self.live.is_none() && last.checked_add_signed(life).is_some_and(|end| now >= end)
    }

    /// A row of a listing. `at` says when, where that is not the meeting's own time.
    pub(super) fn row(&self, host: &User, at: Option<&Occurrence>) -> Value {
        let mut row = json!({
            "uuid": self.uuid,
            "id": self.id,
            "host_id": host.id,
            "topic": self.topic,
            "type": self.kind.number(),
            "duration": at.map_or(self.duration, |at| at.duration),
            "timezone": self.zone.name(),
            "created_at": text(self.created),
            "join_url": self.join_url(),
        });
        if let Some(start) = at.map(|at| at.start).or(self.start) {
            row["start_time"] = json!(text(start));
        }
        let agenda = at.and_then(|at| at.agenda.as_ref()).unwrap_or(&self.agenda);
        if !agenda.is_empty() {
            row["agenda"] = json!(agenda.chars().take(SHORT_AGENDA).collect::<String>());
        }
        if self.use_pmi {
            row["pmi"] = json!(host.pmi.to_string());
        }
        self.patched(row)
    }

    /// The whole meeting, or one of a series.
    pub(super) fn object(
        &self,
        host: &User,
        settings: &Settings,
        one: Option<&Occurrence>,
        from: Option<DateTime<Utc>>,
    ) -> Value {
        let mut object = json!({
            "uuid": self.uuid,
            "id": self.id,
            "host_id": host.id,
            "host_email": host.email,
            "assistant_id": "",
            "topic": self.topic,
            "type": self.kind.number(),
            "status": if self.live.is_some() { "started" } else { "waiting" },
            "timezone": self.zone.name(),
            "agenda": one.and_then(|one| one.agenda.as_ref()).unwrap_or(&self.agenda),
            "created_at": text(self.created),
            "start_url": format!("https://us02web.zoom.us/s/{}?zak=start-{}{}", self.id, settings.canary, host.id),
            "join_url": self.join_url(),
            "password": self.password,
            "h323_password": self.password,
            "pstn_password": self.password,
            "encrypted_password": self.encrypted_password(),
            "pre_schedule": false,
            "settings": self.settings_object(),
        });
        let start = one.map(|one| one.start).or(self.start);
        let is_series = self.kind == Kind::FixedTime && one.is_none();
        if let Some(start) = start.filter(|_| settings.series_start || !is_series) {
            object["start_time"] = json!(text(start));
        }
        if settings.series_start || !is_series {
            object["duration"] = json!(one.map_or(self.duration, |one| one.duration));
        }
        if self.use_pmi {
            object["pmi"] = json!(host.pmi.to_string());
        }
        if let Some(rule) = &self.recurrence {
            object["recurrence"] = rule.show();
            if one.is_none() {
                let shown = |occurrence: &&Occurrence| {
                    from.is_none_or(|from| after(occurrence.start, occurrence.duration) > from)
                        && (settings.deleted_occurrences || !occurrence.deleted)
                };
                object["occurrences"] = self.occurrences.iter().filter(shown).map(show).collect();
            }
        }
        self.patched(object)
    }

    fn patched(&self, mut object: Value) -> Value {
        merge_all(&mut object, &self.patches);
        object
    }

    fn encrypted_password(&self) -> String {
        format!("{}.1", URL_SAFE_NO_PAD.encode(&self.password))
    }

    fn join_url(&self) -> String {
        let url = format!("https://us02web.zoom.us/j/{}", self.id);
        if self.password.is_empty() { url } else { format!("{url}?pwd={}", self.encrypted_password()) }
    }

    fn settings_object(&self) -> Value {
        let number = |city: &str, number: &str| json!({"city": city, "country": "US", "country_name": "US", "number": number, "type": "toll"});
        let mut settings = json!({
            "host_video": false,
            "participant_video": false,
            "cn_meeting": false,
            "in_meeting": false,
            "join_before_host": true,
            "jbh_time": 0,
            "mute_upon_entry": false,
            "watermark": false,
            "use_pmi": self.use_pmi,
            "approval_type": 2,
            "audio": "both",
            "auto_recording": "none",
            "enforce_login": false,
            "enforce_login_domains": "",
            "alternative_hosts": "",
            "close_registration": false,
            "registrants_confirmation_email": true,
            "registrants_email_notification": true,
            "waiting_room": false,
            "meeting_authentication": false,
            "global_dial_in_countries": ["US"],
            "global_dial_in_numbers": [number("New York", "+1 6465588656"), number("San Jose", "+1 6699006833")],
            "breakout_room": {"enable": false},
            "meeting_invitees": [],
            "email_notification": true,
        });
        merge(&mut settings, self.settings.clone());
        settings
    }
}

fn show(occurrence: &Occurrence) -> Value {
    json!({
        "occurrence_id": occurrence.id.to_string(),
        "start_time": text(occurrence.start),
        "duration": occurrence.duration,
        "status": if occurrence.deleted { "deleted" } else { "available" },
    })
}
