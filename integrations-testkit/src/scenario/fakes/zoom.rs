//! How does the fake Zoom look as a user who plans meetings, or who holds them?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use integrations_core::clock::{Clock as _, ManualClock};
use integrations_core::connection::StreamId;
use integrations_core::model::Record;
use serde_json::{Value, json};

use crate::scenario::{Answer, Fake, FakeServer, NotHere, ODD_WORD, SetUp};
use crate::zoom::FakeZoom;

/// A fake Zoom whose user plans meetings, or holds them: then an item is a meeting that was held, and what changes
/// of it is what was recorded.
#[derive(Debug)]
pub struct Zoom {
    account: FakeZoom,
    clock: ManualClock,
    held: bool,
    /// How often something has happened; no two topics are the same.
    happened: AtomicUsize,
    malformed: Mutex<BTreeSet<String>>,
}

impl Zoom {
    /// Starts one whose meetings are planned.
    ///
    /// # Errors
    /// None: what a scenario wants of its fake, this one has.
    pub async fn planned(set_up: SetUp) -> Answer<Self> {
        Self::start(set_up, false).await
    }

    /// Starts one whose meetings were held.
    ///
    /// # Errors
    /// None: what a scenario wants of its fake, this one has.
    pub async fn held(set_up: SetUp) -> Answer<Self> {
        Self::start(set_up, true).await
    }

    async fn start(set_up: SetUp, held: bool) -> Answer<Self> {
        let account = FakeZoom::builder()
            .clock(Arc::new(set_up.clock.clone()))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .start()
            .await;
        Ok(Self {
            account,
            clock: set_up.clock,
            held,
            happened: AtomicUsize::new(0),
            malformed: Mutex::default(),
        })
    }

    /// The fake Zoom.
    pub const fn zoom(&self) -> &FakeZoom {
        &self.account
    }

    fn malformed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.malformed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn topic(&self) -> String {
        format!("No. {}", self.happened.fetch_add(1, Ordering::SeqCst))
    }

    /// Plans a meeting as of now; one that is held is over at once.
    fn meet(&self) -> String {
        let start = self.clock.now().to_rfc3339();
        let minutes = if self.held { 0 } else { 30 };
        let topic = self.topic();
        let id =
            self.account.create_meeting(json!({"topic": topic, "start_time": start, "duration": minutes}));
        if !self.held {
            return id.to_string();
        }
        self.account.start_meeting(id);
        self.account.end_meeting(id)
    }

    /// What was recorded of a meeting that was held.
    fn files(&self, uuid: &str) -> usize {
        let recording = self.account.recording(uuid);
        recording.and_then(|recording| recording["recording_files"].as_array().map(Vec::len)).unwrap_or(0)
    }

    /// Something more is recorded of it.
    fn record(&self, uuid: &str) {
        if self.account.recording(uuid).is_some() {
            self.account.add_recording_file(uuid, json!({}));
        } else {
            self.account.record(uuid);
            self.account.finish_recording(uuid);
        }
    }

    /// Lets Zoom send a meeting otherwise, or what was recorded of it.
    fn patch(&self, id: &str, planned: Value, held: Value) {
        if self.held {
            if self.account.recording(id).is_none() {
                self.record(id);
            }
            self.account.patch_recording(id, held);
        } else {
            self.account.patch_meeting(number(id), planned);
        }
    }
}

fn number(id: &str) -> u64 {
    id.parse().unwrap_or_else(|_| panic!("{id:?} is no number of a meeting"))
}

impl Fake for Zoom {
    fn server(&self) -> &dyn FakeServer {
        &self.account
    }

    fn stream(&self) -> StreamId {
        if self.held { "past_meetings".into() } else { "meetings".into() }
    }

    fn listing(&self) -> &'static [&'static str] {
        if self.held {
            &[
                "meetings.list",
                "pastMeetings.instances",
                "pastMeetings.get",
                "pastMeetings.participants",
                "recordings.get",
                "recordings.list",
            ]
        } else {
            &["meetings.list", "meetings.get"]
        }
    }

    fn changes(&self) -> &'static [&'static str] {
        if self.held { &["recordings.list"] } else { &["meetings.list"] }
    }

    fn sweeps(&self) -> Answer {
        if self.held {
            Err(NotHere("what was held is kept: Zoom shows the last months alone"))
        } else {
            Ok(())
        }
    }

    fn add(&self, _: &StreamId) -> String {
        self.meet()
    }

    fn change(&self, id: &str) {
        if self.held {
            self.record(id);
        } else {
            self.account.update_meeting(number(id), json!({"topic": self.topic()}));
        }
    }

    fn delete(&self, id: &str) {
        if self.held {
            self.account.forget_session(id);
        } else {
            self.account.delete_meeting(number(id));
        }
    }

    fn there(&self, _: &StreamId) -> BTreeMap<String, String> {
        let malformed = self.malformed();
        let mut there = BTreeMap::new();
        for id in self.account.meeting_ids() {
            if self.held {
                for uuid in self.account.session_uuids(id) {
                    let Some(session) = self.account.past_meeting(&uuid) else { continue };
                    let mark = format!("{}, {} files", session["topic"], self.files(&uuid));
                    there.insert(uuid, mark);
                }
            } else if let Some(meeting) = self.account.meeting(id) {
                there.insert(id.to_string(), meeting["topic"].to_string());
            }
        }
        there.retain(|id, _| !malformed.contains(id));
        there
    }

    fn mark(&self, record: &Record) -> String {
        let Some(meeting) = record.entity.as_meeting() else { return String::new() };
        let topic = json!(meeting.title);
        if self.held { format!("{topic}, {} files", meeting.recordings.len()) } else { topic.to_string() }
    }

    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        let now = self.clock.now();
        self.clock.set_wall(at);
        let id = self.meet();
        self.clock.set_wall(now);
        Ok(id)
    }

    fn malform(&self, id: &str) -> Answer {
        self.patch(
            id,
            json!({"topic": ["no", "text"]}),
            json!({"recording_files": [{"file_type": ["no", "text"]}]}),
        );
        self.malformed().insert(id.to_owned());
        Ok(())
    }

    fn mend(&self, id: &str) {
        if self.held {
            self.account.unpatch_recording(id);
        } else {
            self.account.unpatch_meeting(number(id));
        }
        self.malformed().remove(id);
        self.change(id);
    }

    fn odd_word(&self, id: &str) -> Answer {
        let file = json!({"id": "1", "file_type": "MP4", "recording_type": ODD_WORD, "status": "completed"});
        self.patch(id, json!({"status": ODD_WORD}), json!({"recording_files": [file]}));
        Ok(())
    }

    fn repeat(&self, _: &str) -> Answer {
        Err(NotHere("the rows of one meeting are one item"))
    }

    fn forget_positions(&self) -> Answer {
        Err(NotHere("a position is the adapter's own, and not Zoom's"))
    }

    fn forget_pages(&self) -> Answer {
        self.account.expire_page_tokens();
        Ok(())
    }
}
