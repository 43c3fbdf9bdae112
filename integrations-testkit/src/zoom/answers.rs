//! What is answered to each operation?

use chrono::{Datelike as _, Days, Months, NaiveDate};
use serde_json::json;

use super::Zoom;
use super::access::Caller;
use super::choices::LongWindow;
use super::cursor::Place;
use super::errors::{invalid, no_meeting, no_recording, not_paid, still_processing, unsupported};
use super::listing::{self, Listed};
use super::operation::{Asked, Operation};
use super::query::Query;
use super::recording::Stage;
use super::session::Session;
use super::state::State;
use super::time::text;
use crate::server::{Call, Reply};

/// The answer to a call that may be made.
pub(super) fn answer(zoom: &Zoom, caller: &Caller, asked: &Asked, call: &Call) -> Result<Reply, Reply> {
    if call.method != http::Method::GET {
        return Err(unsupported(call.method.as_str()));
    }
    caller.may_call(asked.row)?;
    let query = Query::of(call, asked.row)?;
    let state = zoom.state();
    if asked.row.paid && !zoom.settings.paid {
        return Err(not_paid(&state.account));
    }
    let request = Request { zoom, caller, asked, query, state: &state };
    match asked.row.operation {
        Operation::User => request.user(),
        Operation::Users => request.users(),
        Operation::Meetings => request.meetings(),
        Operation::Meeting => request.meeting(),
        Operation::PastMeeting => request.past_meeting(),
        Operation::PastInstances => request.instances(),
        Operation::PastParticipants => request.participants(),
        Operation::Recordings => request.recordings(),
        Operation::RecordingsOfMeeting => request.recordings_of_meeting(),
    }
}

/// A call that is in order, on its way to an answer.
struct Request<'a> {
    zoom: &'a Zoom,
    caller: &'a Caller,
    asked: &'a Asked,
    query: Query,
    state: &'a State,
}

impl<'a> Request<'a> {
    /// The user that the path names, by place.
    fn named_user(&self) -> Result<usize, Reply> {
        self.caller.user(self.state, self.asked.row, &self.asked.named)
    }

    /// The session that is over and that the path names.
    fn past(&self) -> Result<&'a Session, Reply> {
        let found = self.state.past(&self.asked.named).map(|(_, session)| session);
        let seen = found.filter(|session| self.caller.sees(self.asked.row, session.host));
        seen.ok_or_else(|| no_meeting(&self.asked.named))
    }

    fn user(&self) -> Result<Reply, Reply> {
        let user = self.named_user()?;
        let object = self.state.users[user].object(&self.state.account);
        Ok(Reply::json(200, object.to_string()))
    }

    fn users(&self) -> Result<Reply, Reply> {
        let status = self.query.word("status", &["active", "inactive", "pending"])?;
        let shown = self.state.users.iter().filter(|user| !user.removed && user.status == status);
        let items = shown.zip(0_i64..).map(|(user, number)| (Place { at: number, id: 0, number }, user));
        let page = self.zoom.page(self.asked, self.caller, &self.query, items.collect())?;
        let items: Vec<_> = page.items.iter().map(|user| user.listed()).collect();
        Ok(page.answer("users", &items, ""))
    }

    fn meetings(&self) -> Result<Reply, Reply> {
        let host = self.named_user()?;
        let listed = Listed::of(self.query.word("type", &Listed::WORDS)?);
        let rows = listing::rows(self.zoom, self.state, host, listed, self.query.range()?);
        let page = self.zoom.page(self.asked, self.caller, &self.query, rows)?;
        let items: Vec<_> = page.items.iter().map(|row| row.write(self.state)).collect();
        Ok(page.answer("meetings", &items, ""))
    }

    fn meeting(&self) -> Result<Reply, Reply> {
        let named = &self.asked.named;
        let (now, settings) = (self.zoom.now(), &self.zoom.settings);
        let found = named.parse().ok().and_then(|id: u64| self.state.meetings.get(&id));
        let meeting = found
            .filter(|meeting| {
                !meeting.has_expired(settings, now) && self.caller.sees(self.asked.row, meeting.host)
            })
            .ok_or_else(|| no_meeting(named))?;
        let occurrence = match self.query.get("occurrence_id") {
            None => None,
            Some(id) => Some(meeting.occurrence(id).ok_or_else(|| no_meeting(named))?),
        };
        let from = if self.query.flag("show_previous_occurrences")? { None } else { Some(now) };
        let host = &self.state.users[meeting.host];
        Ok(Reply::json(200, meeting.object(host, settings, occurrence, from).to_string()))
    }

    fn past_meeting(&self) -> Result<Reply, Reply> {
        let session = self.past()?;
        let object = session.object(&self.state.users[session.host], self.zoom.now());
        Ok(Reply::json(200, object.to_string()))
    }

    fn instances(&self) -> Result<Reply, Reply> {
        let named = &self.asked.named;
        let id: u64 = named.parse().map_err(|_| no_meeting(named))?;
        let earliest = self.zoom.settings.instances.map(|reach| self.zoom.now() - reach);
        let sessions: Vec<_> = self
            .state
            .sessions_of(id)
            .map(|(_, session)| session)
            .filter(|session| self.caller.sees(self.asked.row, session.host))
            .collect();
        let known = self.state.meetings.get(&id);
        let known = known.is_some_and(|meeting| self.caller.sees(self.asked.row, meeting.host));
        if sessions.is_empty() && !known {
            return Err(no_meeting(named));
        }
        let meetings: Vec<_> = sessions
            .iter()
            .filter(|session| earliest.is_none_or(|earliest| session.start >= earliest))
            .map(|session| json!({"uuid": session.uuid, "start_time": text(session.start)}))
            .collect();
        let reply = Reply::json(200, json!({"meetings": meetings}).to_string());
        Ok(Reply { items: meetings.len() as u64, ..reply })
    }

    fn participants(&self) -> Result<Reply, Reply> {
        let session = self.past()?;
        let end = session.end.unwrap_or(self.zoom.now());
        // Zoom documents that it shows nobody who was alone.
        let alone = session.participants.len() == 1 && !self.zoom.settings.lone_participants;
        let shown = session.participants.iter().filter(|_| !alone);
        let items =
            shown.zip(0_i64..).map(|(one, number)| (Place { at: one.join.timestamp(), id: 0, number }, one));
        let page = self.zoom.page(self.asked, self.caller, &self.query, items.collect())?;
        let items: Vec<_> = page.items.iter().map(|one| one.show(end).to_string()).collect();
        Ok(page.answer("participants", &items, ""))
    }

    /// The first and the last day of the window that is asked for.
    fn window(&self) -> Result<(NaiveDate, NaiveDate), Reply> {
        let today = self.zoom.now().date_naive();
        let (from, to) = (self.query.date("from")?, self.query.date("to")?);
        let next = |date: NaiveDate| date.checked_add_days(Days::new(1)).unwrap_or(date);
        let from = from.unwrap_or(to.unwrap_or(today));
        let to =
            to.unwrap_or_else(|| if self.query.get("from").is_some() { today.max(from) } else { next(from) });
        if from > to {
            return Err(invalid("from", "must not be after to"));
        }
        let month = |date: NaiveDate| date.checked_add_months(Months::new(1)).unwrap_or(date);
        if month(from) >= to {
            return Ok((from, to));
        }
        match self.zoom.settings.long_window {
            LongWindow::Refused => Err(invalid("from", "the range must not be longer than a month")),
            LongWindow::Cut => Ok((to.checked_sub_months(Months::new(1)).unwrap_or(from), to)),
        }
    }

    fn recordings(&self) -> Result<Reply, Reply> {
        let host = self.named_user()?;
        self.query.word("mc", &["false"])?;
        self.query.word("trash_type", &["meeting_recordings"])?;
        let trash = self.query.flag("trash")?;
        if trash && (self.query.get("from").is_some() || self.query.get("to").is_some()) {
            return Err(unsupported("trash with from and to"));
        }
        let meeting = self.query.number("meeting_id")?;
        let (from, to) = if trash { (NaiveDate::MIN, NaiveDate::MAX) } else { self.window()? };
        let stage = if trash { Stage::Trashed } else { Stage::There };
        let mut items = Vec::new();
        for (&place, recording) in &self.state.recordings {
            let session = &self.state.sessions[recording.session];
            let day = session.start.date_naive();
            if session.host == host
                && recording.stage == stage
                && meeting.is_none_or(|meeting| meeting == session.meeting)
                && (from..=to).contains(&day)
            {
                let at = session.start.timestamp();
                let object = recording.object(
                    session,
                    &self.state.users[host],
                    &self.state.account,
                    &self.zoom.settings.canary,
                    self.zoom.now(),
                    true,
                );
                items.push((Place { at, id: place as u64, number: 0 }, object.to_string()));
            }
        }
        let raw = self.state.raw_recordings.iter().zip(0..).filter(|_| host == 0 && !trash);
        items.extend(raw.map(|(text, number)| (Place { at: i64::MAX, id: 0, number }, text.clone())));
        let page = self.zoom.page(self.asked, self.caller, &self.query, items)?;
        let dates =
            if trash { String::new() } else { format!(r#""from":"{}","to":"{}","#, day(from), day(to)) };
        Ok(page.answer("meetings", &page.items, &dates))
    }

    fn recordings_of_meeting(&self) -> Result<Reply, Reply> {
        let named = &self.asked.named;
        let Some((recording, session)) = self.state.recording(named) else {
            let meeting = named.parse().is_ok_and(|id: u64| {
                self.state.meetings.get(&id).is_some_and(|one| self.caller.sees(self.asked.row, one.host))
            });
            let session = self.state.past(named);
            let session = session.is_some_and(|(_, one)| self.caller.sees(self.asked.row, one.host));
            return Err(if meeting || session { no_recording() } else { no_meeting(named) });
        };
        if !self.caller.sees(self.asked.row, session.host) {
            return Err(no_meeting(named));
        }
        match recording.stage {
            Stage::Processing => Err(still_processing()),
            Stage::Trashed => Err(no_recording()),
            Stage::There => {
                let host = &self.state.users[session.host];
                let (account, canary) = (&self.state.account, &self.zoom.settings.canary);
                let object = recording.object(session, host, account, canary, self.zoom.now(), false);
                Ok(Reply::json(200, object.to_string()))
            }
        }
    }
}

fn day(date: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}
