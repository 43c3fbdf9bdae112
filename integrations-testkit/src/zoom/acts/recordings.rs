//! What happens to recordings?

use serde_json::Value;

use crate::given::Given;
use crate::zoom::FakeZoom;
use crate::zoom::recording::{File, Recording, Stage};
use crate::zoom::state::State;

fn session(state: &State, uuid: &str) -> usize {
    state.session_by_uuid(uuid).unwrap_or_else(|| panic!("no session {uuid:?} in this fake"))
}

fn recording<'a>(state: &'a mut State, uuid: &str) -> &'a mut Recording {
    let place = session(state, uuid);
    state.recordings.get_mut(&place).unwrap_or_else(|| panic!("nobody has recorded {uuid:?}"))
}

/// Recordings, by the uuid of the session. Methods panic when there is no such session or recording.
impl FakeZoom {
    /// Somebody records a session in the cloud. Zoom works on it until
    /// [`finish_recording`](Self::finish_recording): it is in no listing, and by itself answers 404 with code
    /// 3310. It has a video and a sound file.
    pub fn record(&self, uuid: &str) {
        self.write(|state| {
            let place = session(state, uuid);
            let files = vec![
                File::new(uuid, "MP4", "shared_screen_with_speaker_view", 1_048_576),
                File::new(uuid, "M4A", "audio_only", 65_536),
            ];
            let recording =
                Recording { session: place, stage: Stage::Processing, files, patches: Vec::new() };
            let before = state.recordings.insert(place, recording);
            assert!(before.is_none(), "{uuid:?} is recorded already");
        });
    }

    /// Zoom has finished a recording: it appears, under the day on which the session began.
    pub fn finish_recording(&self, uuid: &str) {
        self.write(|state| recording(state, uuid).stage = Stage::There);
    }

    /// A further file of a recording comes, as a transcript does, later than the others: `file_type`,
    /// `recording_type`, `file_size`, `status`.
    ///
    /// # Panics
    /// When a field is not one of these.
    pub fn add_recording_file(&self, uuid: &str, file: Value) {
        self.write(|state| {
            let mut given = Given::new("a file of a recording", file);
            let file_type = given.text("file_type").unwrap_or_else(|| "TRANSCRIPT".to_owned());
            let kind = given.text("recording_type").unwrap_or_else(|| "audio_transcript".to_owned());
            let mut file = File::new(uuid, &file_type, &kind, given.number("file_size").unwrap_or(1_024));
            if let Some(status) = given.text("status") {
                file.status = status;
            }
            given.end();
            recording(state, uuid).files.push(file);
        });
    }

    /// Puts a recording into the trash: it is listed with `trash=true` only.
    pub fn trash_recording(&self, uuid: &str) {
        self.write(|state| recording(state, uuid).stage = Stage::Trashed);
    }

    /// Takes a recording out of the trash.
    pub fn recover_recording(&self, uuid: &str) {
        self.write(|state| recording(state, uuid).stage = Stage::There);
    }

    /// Deletes a recording for good.
    pub fn delete_recording(&self, uuid: &str) {
        self.write(|state| {
            recording(state, uuid);
            let place = session(state, uuid);
            state.recordings.remove(&place);
        });
    }

    /// Merges a patch into a recording wherever it is shown: null removes a field.
    pub fn patch_recording(&self, uuid: &str, patch: Value) {
        self.write(|state| recording(state, uuid).patches.push(patch));
    }

    /// Ends what [`patch_recording`](Self::patch_recording) did.
    pub fn unpatch_recording(&self, uuid: &str) {
        self.write(|state| recording(state, uuid).patches.clear());
    }

    /// Serves this text as the last item of the first user's recordings, whatever the window, as it is.
    pub fn raw_recording(&self, raw_json_text: &str) {
        self.write(|state| state.raw_recordings.push(raw_json_text.to_owned()));
    }

    /// The sessions whose recordings can be listed, the oldest first.
    pub fn recorded(&self) -> Vec<String> {
        let state = self.zoom.state();
        let there = state.recordings.values().filter(|one| one.stage == Stage::There);
        let mut sessions: Vec<_> = there.map(|one| &state.sessions[one.session]).collect();
        sessions.sort_by_key(|session| session.start);
        sessions.iter().map(|session| session.uuid.clone()).collect()
    }

    /// A recording as a listing shows it.
    pub fn recording(&self, uuid: &str) -> Option<Value> {
        let state = self.zoom.state();
        let (recording, session) = state.recording(uuid)?;
        let (host, canary) = (&state.users[session.host], &self.zoom.settings.canary);
        Some(recording.object(session, host, &state.account, canary, self.zoom.now(), true))
    }
}
