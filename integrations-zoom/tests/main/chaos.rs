//! Whatever happens, and in whatever order: once Zoom answers again, the sink is what Zoom has.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use integrations_core::Connection;
use integrations_core::sync::SyncRequest;
use integrations_testkit::Fault;
use integrations_testkit::zoom::FakeZoomBuilder;
use integrations_zoom::meetings::{MEETINGS, PAST_MEETINGS};
use serde_json::{Value, json};

use crate::host::{Host, MINUTE};

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() { None } else { Some(all[self.below(all.len())]) }
    }
}

/// Polls a future so many times, then drops it, as a host does that is shut down.
async fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

const CALLS: &[&str] = &[
    "meetings.list",
    "meetings.get",
    "recordings.list",
    "recordings.get",
    "pastMeetings.instances",
    "pastMeetings.get",
    "pastMeetings.participants",
];

/// What somebody does.
fn act(host: &Host, random: &mut Random, live: &mut Vec<u64>) {
    host.clock.advance(Duration::from_secs(1));
    let ids = host.fake.meeting_ids();
    let idle: Vec<_> = ids.iter().copied().filter(|id| !live.contains(id)).collect();
    let topic = format!("No. {}", random.below(1_000));
    let day = 2 + random.below(20);
    match random.below(12) {
        0 if idle.len() > 6 => {
            let id = random.of(&idle).unwrap();
            host.fake.delete_meeting(id);
        }
        1 => {
            let series = json!({
                "topic": topic, "type": 8, "start_time": format!("2026-03-{day:02}T10:00:00"), "timezone": "Europe/London",
                "recurrence": {"type": 1, "repeat_interval": 1 + random.below(3), "end_times": 2 + random.below(9)},
            });
            host.fake.create_meeting(series);
        }
        2 => drop(host.fake.create_meeting(json!({"topic": topic, "type": 2 + random.below(2)}))),
        3 | 4 => {
            if let Some(id) = random.of(&ids) {
                host.fake.update_meeting(id, json!({"topic": topic}));
            }
        }
        5 => {
            if let Some(id) = random.of(&ids) {
                let occurrences = host.fake.occurrence_ids(id);
                if !occurrences.is_empty() {
                    host.fake.delete_occurrence(id, &occurrences[random.below(occurrences.len())]);
                }
            }
        }
        6 => {
            if let Some(id) = random.of(&idle) {
                host.fake.start_meeting(id);
                live.push(id);
            }
        }
        // Held, and over at once.
        7 | 8 => {
            if let Some(id) = random.of(&idle) {
                host.hold_again(id, MINUTE);
            }
        }
        9 => {
            if let Some(id) = live.pop() {
                host.clock.advance(Duration::from_secs(60 * random.below(30) as u64));
                host.fake.join_meeting(id, json!({"name": "Guest"}));
                host.clock.advance(MINUTE);
                host.fake.end_meeting(id);
            }
        }
        _ => {
            let held: Vec<_> = ids.iter().flat_map(|id| host.fake.session_uuids(*id)).collect();
            if let Some(index) = random.of(&(0..held.len()).collect::<Vec<_>>()) {
                let uuid = &held[index];
                if host.fake.recording(uuid).is_some() {
                    host.fake.add_recording_file(uuid, json!({}));
                } else {
                    host.fake.record(uuid);
                    host.fake.finish_recording(uuid);
                }
            }
        }
    }
}

fn trouble(host: &Host, random: &mut Random) {
    let nth = 1 + random.below(4) as u64;
    let on = Fault::on(CALLS[random.below(CALLS.len())]).nth(nth);
    match random.below(8) {
        0 => host.fake.expire_page_tokens(),
        1 => host.fake.expire_access_tokens(),
        2 => drop(host.fake.fault(on.status(503))),
        3 => drop(host.fake.fault(on.status(429))),
        4 => drop(host.fake.fault(on.truncate(150))),
        5 => drop(host.fake.fault(on.reset())),
        6 => drop(host.fake.fault(Fault::on("token.refresh").status(500))),
        _ => host.clock.advance(Duration::from_secs(60 * random.below(20) as u64)),
    }
}

/// What Zoom has that is planned: of what is repeated, also which of its times take place.
fn planned(host: &Host) -> BTreeMap<String, Value> {
    let shown = |id: u64| {
        let meeting = host.fake.meeting(id).unwrap();
        let times = meeting["occurrences"].as_array().cloned().unwrap_or_default();
        let takes_place = |one: &Value| (one["status"] == "available").then(|| one["occurrence_id"].clone());
        let times: Vec<_> = times.iter().filter_map(takes_place).collect();
        json!([meeting["topic"], meeting["status"] == "started", times])
    };
    host.fake.meeting_ids().into_iter().map(|id| (id.to_string(), shown(id))).collect()
}

fn held(host: &Host, ever: &[u64]) -> BTreeMap<String, Value> {
    let shown = |uuid: &String| {
        let files =
            host.fake.recording(uuid).map_or(0, |one| one["recording_files"].as_array().unwrap().len());
        let session = host.fake.past_meeting(uuid).unwrap();
        let people = host.fake.participants(uuid).len();
        json!([session["topic"], people, files])
    };
    let sessions = ever.iter().flat_map(|id| host.fake.session_uuids(*id));
    sessions.map(|uuid| (uuid.clone(), shown(&uuid))).collect()
}

/// The same of what the sink has.
fn ours(host: &Host, connection: &Connection, stream: &str) -> BTreeMap<String, Value> {
    let shown = |record: &integrations_core::model::Record| {
        let meeting = record.entity.as_meeting().unwrap();
        if stream == PAST_MEETINGS {
            return json!([meeting.title, meeting.participants.len(), meeting.recordings.len()]);
        }
        let times: Vec<_> = meeting
            .occurrences
            .iter()
            .filter(|one| one.status.as_str() == "scheduled")
            .map(|one| &one.id)
            .collect();
        json!([meeting.title, meeting.status.as_str() == "started", times])
    };
    host.records(connection, stream).iter().map(|record| (record.id().to_owned(), shown(record))).collect()
}

#[tokio::test]
async fn the_sink_becomes_what_zoom_has() {
    let seeds = std::env::var("CHAOS_SEED").ok().map_or(0..40, |seed| {
        let seed: u64 = seed.parse().unwrap();
        seed..seed + 1
    });
    for seed in seeds {
        let mut random = Random(seed);
        let host = Host::with(
            FakeZoomBuilder::with_lone_participants,
            |config| config.rechecks(100),
            |gateway| gateway,
        )
        .await;
        for number in 0..8 {
            host.fake.create_meeting(json!({"topic": format!("meeting {number}")}));
        }
        let connection = host.connect().await;
        let mut ever = host.fake.meeting_ids();
        let (mut dropped, mut live) = (0, Vec::new());
        for _ in 0..50 {
            let stream = [MEETINGS, PAST_MEETINGS][random.below(2)].into();
            let request = if random.below(6) == 0 { SyncRequest::full() } else { SyncRequest::incremental() };
            let run = host.gateway.sync_stream(&connection.id, &stream, request);
            match random.below(6) {
                0..=2 => act(&host, &mut random, &mut live),
                3 => trouble(&host, &mut random),
                4 => dropped += u64::from(!dropped_after(random.below(40), run).await),
                _ => drop(run.await),
            }
            ever.extend(host.fake.meeting_ids());
        }
        ever.sort_unstable();
        ever.dedup();
        host.fake.clear_faults();
        // A refresh that has failed is not tried again at once, and what was planned for now is over.
        host.clock.advance(61 * MINUTE);
        // The first run ends what was under way; the second brings what happened meanwhile.
        for stream in [MEETINGS, PAST_MEETINGS] {
            for _ in 0..2 {
                let request = SyncRequest::incremental().accept_shrink();
                let report = host.gateway.sync_stream(&connection.id, &stream.into(), request).await;
                assert!(report.is_ok(), "CHAOS_SEED={seed}: {report:?}");
            }
        }
        // A series without any time left is not listed: who does not know it has no way to.
        let (known, mut there) = (ours(&host, &connection, MEETINGS), planned(&host));
        let is_empty = |id: &String| host.fake.meeting(id.parse().unwrap()).unwrap()["type"] == 8;
        there.retain(|id, shown| known.contains_key(id) || shown[2] != json!([]) || !is_empty(id));
        assert_eq!(known, there, "CHAOS_SEED={seed}");
        let (ours, theirs) = (ours(&host, &connection, PAST_MEETINGS), held(&host, &ever));
        for (uuid, session) in &ours {
            assert_eq!(theirs.get(uuid), Some(session), "CHAOS_SEED={seed}");
        }
        // What is missing was held early, of a meeting whose time is still to come or that was deleted; or the
        // meeting is held again right now, and not past.
        let missing: Vec<_> = theirs.keys().filter(|uuid| !ours.contains_key(*uuid)).collect();
        for uuid in &missing {
            let id = host.fake.past_meeting(uuid).unwrap()["id"].as_u64().unwrap();
            let is_not_past = |meeting: Value| meeting["type"] == 8 || meeting["status"] == "started";
            let later = host.fake.meeting(id).is_none_or(is_not_past);
            assert!(later, "CHAOS_SEED={seed}: {uuid} of {id} is missing");
        }
        println!(
            "CHAOS_SEED={seed}: {dropped} runs were dropped, {} sessions, {} of them unknown",
            theirs.len(),
            missing.len()
        );
    }
}
