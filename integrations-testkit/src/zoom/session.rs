//! What is known of a meeting that took place?

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::meeting::Kind;
use super::time::text;
use super::user::User;

/// Somebody who was there, once for each time of coming in.
#[derive(Debug, Clone)]
pub(super) struct Participant {
    /// Empty for a guest who is not signed in.
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) name: String,
    pub(super) email: String,
    /// Whether the participant is of the host's account.
    pub(super) internal: bool,
    pub(super) join: DateTime<Utc>,
    /// Nothing while the participant is there.
    pub(super) leave: Option<DateTime<Utc>>,
}

impl Participant {
    pub(super) fn show(&self, end: DateTime<Utc>) -> Value {
        let leave = self.leave.unwrap_or(end);
        json!({
            "id": self.id,
            "name": self.name,
            "user_id": self.user_id,
            "registrant_id": "",
            "user_email": self.email,
            "join_time": text(self.join),
            "leave_time": text(leave),
            "duration": (leave - self.join).num_seconds(),
            "failover": false,
            "status": "in_meeting",
            "internal_user": self.internal,
        })
    }
}

/// A session of a meeting.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) meeting: u64,
    pub(super) uuid: String,
    /// The host, by place.
    pub(super) host: usize,
    pub(super) kind: Kind,
    pub(super) topic: String,
    pub(super) zone: Tz,
    pub(super) start: DateTime<Utc>,
    /// Nothing while it is under way.
    pub(super) end: Option<DateTime<Utc>>,
    pub(super) participants: Vec<Participant>,
}

impl Session {
    /// How long it took, in minutes that have begun.
    pub(super) fn minutes(&self, now: DateTime<Utc>) -> i64 {
        (self.end.unwrap_or(now) - self.start).num_seconds().max(0).unsigned_abs().div_ceil(60).cast_signed()
    }

    pub(super) fn object(&self, host: &User, now: DateTime<Utc>) -> Value {
        let end = self.end.unwrap_or(now);
        let seconds =
            |participant: &Participant| (participant.leave.unwrap_or(end) - participant.join).num_seconds();
        let total: i64 = self.participants.iter().map(seconds).sum();
        json!({
            "uuid": self.uuid,
            "id": self.meeting,
            "host_id": host.id,
            "type": self.kind.number(),
            "topic": self.topic,
            "user_name": host.name,
            "user_email": host.email,
            "start_time": text(self.start),
            "end_time": text(end),
            "duration": self.minutes(now),
            "total_minutes": total.max(0).unsigned_abs().div_ceil(60),
            "participants_count": self.participants.len(),
            "dept": "",
            "source": "Zoom",
        })
    }
}
