//! What is in an account that was made up?
//!
//! Single meetings and series around the start of the fake. What lies in the past took place.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::acts;
use super::recording::{File, Recording, Stage};
use super::session::{Participant, Session};
use super::state::State;
use super::time::{after, text};
use crate::random::{Draw, mix};

const TOPICS: &[&str] = &[
    "Stand-up",
    "Design review",
    "1:1 Ada / Grace",
    "Interview",
    "Retro ♻️",
    "週次ミーティング",
    "Café virtuel",
    "All hands",
    "Customer call",
    "Release planning",
];
const GUESTS: &[&str] = &["Grace Hopper", "Linus", "Margaret Hamilton", "Zoë", "iPhone", "Katherine J."];
const ZONES: &[Tz] =
    &[Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kolkata, Tz::Asia__Tokyo, Tz::UTC];

/// The days before and after the start of the fake.
const BEFORE: u32 = 25;
const ALL: u32 = BEFORE + 180;

/// Adds so many meetings of the first user.
pub(super) fn fill(state: &mut State, meetings: u64, now: DateTime<Utc>) {
    for number in 0..meetings {
        let mut draw = Draw::new(mix(state.seed) ^ mix(number));
        let day = now.date_naive() + TimeDelta::days(i64::from(draw.below(ALL)) - i64::from(BEFORE));
        let minute = i64::from(7 * 60 + 15 * draw.below(44));
        let start = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minute);
        let meeting = made_up(&mut draw, start);
        let id = acts::create(state, meeting, now - TimeDelta::days(i64::from(BEFORE)));
        hold(state, id, &mut draw, now);
    }
}

fn made_up(draw: &mut Draw, start: DateTime<Utc>) -> Value {
    let zone = *draw.pick(ZONES);
    let mut meeting = json!({
        "topic": draw.pick(TOPICS),
        "type": 2,
        "start_time": text(start),
        "duration": 15 * (1 + draw.below(6)),
        "timezone": zone.name(),
    });
    if draw.percent(40) {
        meeting["agenda"] = json!("What was left open the last time.\n\n- the budget\n- dates");
    }
    if draw.percent(10) {
        meeting["settings"] = json!({"use_pmi": true});
    }
    match draw.below(10) {
        0 => {
            meeting["type"] = json!(3);
            if let Some(fields) = meeting.as_object_mut() {
                fields.remove("start_time");
            }
        }
        1 | 2 => {
            meeting["type"] = json!(8);
            let times = 2 + draw.below(10);
            meeting["recurrence"] = match draw.below(4) {
                0 => json!({"type": 1, "repeat_interval": 1 + draw.below(5), "end_times": times}),
                1 => {
                    json!({"type": 3, "monthly_day": 1 + draw.below(28), "repeat_interval": 1, "end_times": times})
                }
                2 => {
                    json!({"type": 3, "monthly_week": -1, "monthly_week_day": 1 + draw.below(7), "repeat_interval": 1, "end_times": times})
                }
                _ => {
                    json!({"type": 2, "weekly_days": (1 + draw.below(7)).to_string(), "repeat_interval": 1 + draw.below(2), "end_times": times})
                }
            };
        }
        _ => {}
    }
    meeting
}

/// Lets a meeting take place at each of its times that are over.
fn hold(state: &mut State, id: u64, draw: &mut Draw, now: DateTime<Utc>) {
    let meeting = &state.meetings[&id];
    let starts: Vec<_> = match (&meeting.recurrence, meeting.start) {
        (Some(_), _) => meeting.occurrences.iter().map(|occurrence| occurrence.start).collect(),
        (None, start) => start.into_iter().collect(),
    };
    let duration = meeting.duration;
    for start in starts.into_iter().filter(|start| after(*start, duration + 15) <= now) {
        let uuid = state.mint_uuid();
        let end = after(start, duration) + TimeDelta::seconds(i64::from(draw.below(600)) - 300);
        let (host, meeting) = (&state.users[0], &state.meetings[&id]);
        let one = |id: &str, name: &str, email: &str, join: DateTime<Utc>, key: u64| Participant {
            id: id.to_owned(),
            user_id: (key % 90_000_000 + 10_000_000).to_string(),
            name: name.to_owned(),
            email: email.to_owned(),
            internal: !email.is_empty(),
            join,
            leave: Some(end),
        };
        let mut participants = vec![one(&host.id, &host.name, &host.email, start, draw.next())];
        for _ in 0..draw.below(4) {
            let guest = *draw.pick(GUESTS);
            let join = start + TimeDelta::seconds(i64::from(draw.below(120)));
            participants.push(one("", guest, "", join, draw.next()));
        }
        let session = Session {
            meeting: id,
            uuid: uuid.clone(),
            host: 0,
            kind: meeting.kind,
            topic: meeting.topic.clone(),
            zone: meeting.zone,
            start,
            end: Some(end),
            participants,
        };
        let place = state.add_session(session);
        if let Some(meeting) = state.meetings.get_mut(&id) {
            meeting.last_start = Some(start);
        }
        if draw.below(3) == 0 {
            let size = 100_000 + u64::from(draw.below(900_000_000));
            let files = vec![
                File::new(&uuid, "MP4", "shared_screen_with_speaker_view", size),
                File::new(&uuid, "CHAT", "chat_file", 1 + u64::from(draw.below(5_000))),
            ];
            let recording = Recording { session: place, stage: Stage::There, files, patches: Vec::new() };
            state.recordings.insert(place, recording);
        }
    }
}
