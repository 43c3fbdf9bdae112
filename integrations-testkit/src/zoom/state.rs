//! What is in the account?

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::ids;
use super::meeting::{Kind, Meeting};
use super::recording::Recording;
use super::session::Session;
use super::user::User;
use crate::random::mix;

/// Users, meetings, sessions and recordings.
#[derive(Debug)]
pub(super) struct State {
    pub(super) seed: u64,
    pub(super) account: String,
    /// Whether every uuid has to be encoded twice.
    pub(super) awkward: bool,
    minted: u64,
    pub(super) users: Vec<User>,
    pub(super) meetings: BTreeMap<u64, Meeting>,
    /// In the order in which they began to be; none is ever taken out.
    pub(super) sessions: Vec<Session>,
    by_uuid: HashMap<String, usize>,
    by_meeting: HashMap<u64, Vec<usize>>,
    /// By session.
    pub(super) recordings: BTreeMap<usize, Recording>,
    /// Text of the test, served as it is at the end of listings.
    pub(super) raw_meetings: Vec<String>,
    pub(super) raw_recordings: Vec<String>,
}

impl State {
    pub(super) fn new(seed: u64, account: &str, awkward: bool) -> Self {
        Self {
            seed,
            account: account.to_owned(),
            awkward,
            minted: 0,
            users: Vec::new(),
            meetings: BTreeMap::new(),
            sessions: Vec::new(),
            by_uuid: HashMap::new(),
            by_meeting: HashMap::new(),
            recordings: BTreeMap::new(),
            raw_meetings: Vec::new(),
            raw_recordings: Vec::new(),
        }
    }

    /// A number that has not been there.
    pub(super) const fn mint(&mut self) -> u64 {
        self.minted += 1;
        mix(self.seed) ^ mix(self.minted)
    }

    pub(super) fn mint_uuid(&mut self) -> String {
        let key = self.mint();
        ids::uuid(key, self.awkward)
    }

    /// The number of a meeting that nobody has.
    pub(super) fn mint_id(&mut self) -> u64 {
        loop {
            let id = ids::meeting(self.mint());
            if !self.meetings.contains_key(&id) && !self.by_meeting.contains_key(&id) {
                return id;
            }
        }
    }

    /// Adds a user and the personal room.
    pub(super) fn add_user(&mut self, user: User) {
        let known = self.user_named(&user.id).or_else(|| self.user_named(&user.email));
        assert!(known.is_none(), "there is a user {:?} already", user.email);
        let room = Meeting {
            id: user.pmi,
            host: self.users.len(),
            uuid: self.mint_uuid(),
            kind: Kind::Personal,
            topic: format!("{}'s Personal Meeting Room", user.name),
            agenda: String::new(),
            start: None,
            duration: 60,
            zone: user.zone,
            created: user.created,
            password: "123456".to_owned(),
            use_pmi: true,
            recurrence: None,
            occurrences: Vec::new(),
            settings: json!({}),
            live: None,
            last_start: None,
            patches: Vec::new(),
        };
        self.meetings.insert(room.id, room);
        self.users.push(user);
    }

    /// A user by id or address, by place.
    pub(super) fn user_named(&self, named: &str) -> Option<usize> {
        self.users.iter().position(|user| user.id == named || user.email.eq_ignore_ascii_case(named))
    }

    /// Adds a session; returns its place.
    pub(super) fn add_session(&mut self, session: Session) -> usize {
        let place = self.sessions.len();
        self.by_uuid.insert(session.uuid.clone(), place);
        self.by_meeting.entry(session.meeting).or_default().push(place);
        self.sessions.push(session);
        place
    }

    /// The sessions of a meeting, the oldest first, those that are over.
    pub(super) fn sessions_of(&self, meeting: u64) -> impl DoubleEndedIterator<Item = (usize, &Session)> {
        let places = self.by_meeting.get(&meeting).map(Vec::as_slice).unwrap_or_default();
        let mut sessions: Vec<_> = places
            .iter()
            .map(|&place| (place, &self.sessions[place]))
            .filter(|(_, session)| session.end.is_some())
            .collect();
        sessions.sort_by_key(|(_, session)| session.start);
        sessions.into_iter()
    }

    pub(super) fn session_by_uuid(&self, uuid: &str) -> Option<usize> {
        self.by_uuid.get(uuid).copied()
    }

    /// Takes a session out of all that finds it; whether there was one.
    pub(super) fn forget(&mut self, uuid: &str) -> bool {
        let Some(place) = self.by_uuid.remove(uuid) else { return false };
        self.recordings.remove(&place);
        for places in self.by_meeting.values_mut() {
            places.retain(|other| *other != place);
        }
        true
    }

    /// The session that is over and that a path names: by uuid, or the latest of a meeting.
    pub(super) fn past(&self, named: &str) -> Option<(usize, &Session)> {
        let place = match named.parse::<u64>() {
            Ok(meeting) => return self.sessions_of(meeting).next_back(),
            Err(_) => self.session_by_uuid(named)?,
        };
        let session = &self.sessions[place];
        session.end.is_some().then_some((place, session))
    }

    /// The recording that a path names: of a session by uuid, or of the latest session of a meeting that has
    /// one.
    pub(super) fn recording(&self, named: &str) -> Option<(&Recording, &Session)> {
        let place = match named.parse::<u64>() {
            Ok(meeting) => {
                let mut recorded = self.sessions_of(meeting).rev().map(|(place, _)| place);
                recorded.find(|place| self.recordings.contains_key(place))?
            }
            Err(_) => self.session_by_uuid(named)?,
        };
        Some((self.recordings.get(&place)?, &self.sessions[place]))
    }

    /// Ends the session of a meeting that is under way; returns its place.
    pub(super) fn end(&mut self, meeting: u64, now: DateTime<Utc>) -> Option<usize> {
        let uuid = self.mint_uuid();
        let meeting = self.meetings.get_mut(&meeting)?;
        let place = meeting.live.take()?;
        meeting.uuid = uuid;
        let session = &mut self.sessions[place];
        session.end = Some(now);
        for participant in &mut session.participants {
            participant.leave.get_or_insert(now);
        }
        Some(place)
    }
}
