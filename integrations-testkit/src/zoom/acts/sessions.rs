//! What happens when a meeting takes place?

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::meeting;
use crate::given::Given;
use crate::random::mix;
use crate::zoom::FakeZoom;
use crate::zoom::session::{Participant, Session};
use crate::zoom::state::State;
use crate::zoom::time::whole;

/// Starts a meeting; returns the uuid of the session.
pub(super) fn start(state: &mut State, id: u64, now: DateTime<Utc>) -> String {
    let place = state.sessions.len();
    let meeting = meeting(state, id);
    assert!(meeting.live.is_none(), "meeting {id} is under way already");
    meeting.live = Some(place);
    meeting.last_start = Some(now);
    let uuid = meeting.uuid.clone();
    let session = Session {
        meeting: id,
        uuid: uuid.clone(),
        host: meeting.host,
        kind: meeting.kind,
        topic: meeting.topic.clone(),
        zone: meeting.zone,
        start: now,
        end: None,
        participants: Vec::new(),
    };
    state.add_session(session);
    uuid
}

fn live(state: &mut State, id: u64) -> &mut Session {
    let place = meeting(state, id).live.unwrap_or_else(|| panic!("meeting {id} is not under way"));
    &mut state.sessions[place]
}

fn join(state: &mut State, id: u64, new: Value, now: DateTime<Utc>) {
    let mut given = Given::new("a participant", new);
    let email = given.text("user_email").unwrap_or_default();
    let known =
        state.user_named(&email).map(|user| (state.users[user].id.clone(), state.users[user].name.clone()));
    let name = given.text("name").or_else(|| known.as_ref().map(|(_, name)| name.clone()));
    let user_id = (mix(state.mint()) % 90_000_000 + 10_000_000).to_string();
    given.end();
    let participant = Participant {
        // Zoom tells the address of its own account's users only.
        email: if known.is_some() { email } else { String::new() },
        internal: known.is_some(),
        id: known.map(|(id, _)| id).unwrap_or_default(),
        user_id,
        name: name.unwrap_or_else(|| "Guest".to_owned()),
        join: now,
        leave: None,
    };
    live(state, id).participants.push(participant);
}

/// Sessions.
impl FakeZoom {
    /// The host starts a meeting; returns the uuid of the session. The host comes in.
    ///
    /// # Panics
    /// When there is no such meeting, or it is under way.
    pub fn start_meeting(&self, id: u64) -> String {
        let now = whole(self.zoom.now());
        self.write(|state| {
            let uuid = start(state, id, now);
            let host = live(state, id).host;
            let email = state.users[host].email.clone();
            join(state, id, serde_json::json!({"user_email": email}), now);
            uuid
        })
    }

    /// Somebody comes in: `name`, `user_email`. Who comes in twice stands there twice. The address of one who
    /// is not of the account is not told.
    ///
    /// # Panics
    /// When the meeting is not under way, or a field is not one of these.
    pub fn join_meeting(&self, id: u64, participant: Value) {
        let now = whole(self.zoom.now());
        self.write(|state| join(state, id, participant, now));
    }

    /// Somebody leaves.
    ///
    /// # Panics
    /// When nobody of that name is there.
    pub fn leave_meeting(&self, id: u64, name: &str) {
        let now = whole(self.zoom.now());
        self.write(|state| {
            let there = live(state, id).participants.iter_mut();
            let mut named = there.filter(|one| one.name == name && one.leave.is_none());
            let Some(one) = named.next() else { panic!("nobody called {name:?} is in meeting {id}") };
            one.leave = Some(now);
        });
    }

    /// The meeting ends, and everybody leaves; returns the uuid of the session. The meeting has another uuid
    /// from now on.
    ///
    /// # Panics
    /// When the meeting is not under way.
    pub fn end_meeting(&self, id: u64) -> String {
        let now = whole(self.zoom.now());
        self.write(|state| {
            let place = state.end(id, now);
            let place = place.unwrap_or_else(|| panic!("meeting {id} is not under way"));
            state.sessions[place].uuid.clone()
        })
    }

    /// Zoom forgets a session that is over, and what was recorded of it: whatever names it answers 404 with code
    /// 3001.
    ///
    /// # Panics
    /// When there is no such session.
    pub fn forget_session(&self, uuid: &str) {
        self.write(|state| {
            assert!(state.forget(uuid), "no session {uuid:?} in this fake");
        });
    }

    /// A session that is over, as the API shows it.
    pub fn past_meeting(&self, uuid: &str) -> Option<Value> {
        let state = self.zoom.state();
        let (_, session) = state.past(uuid)?;
        Some(session.object(&state.users[session.host], self.zoom.now()))
    }

    /// The uuids of the sessions of a meeting that are over, the oldest first.
    pub fn session_uuids(&self, id: u64) -> Vec<String> {
        self.zoom.state().sessions_of(id).map(|(_, session)| session.uuid.clone()).collect()
    }

    /// The names of those who were in a session, once for each time of coming in.
    ///
    /// # Panics
    /// When there is no such session.
    pub fn participants(&self, uuid: &str) -> Vec<String> {
        let state = self.zoom.state();
        let Some(place) = state.session_by_uuid(uuid) else { panic!("no session {uuid:?} in this fake") };
        state.sessions[place].participants.iter().map(|one| one.name.clone()).collect()
    }
}
