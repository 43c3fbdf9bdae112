//! Every field that Zoom has for a meeting, and where it goes.

use bytes::Bytes;
use integrations_core::model::{Change, Entity, Raw, Record};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_zoom::meetings::{MEETINGS, PAST_MEETINGS};
use integrations_zoom::{Zoom, ZoomConfig};
use serde_json::{Value, json};

/// The record, or why there is none.
pub(crate) fn normalise(stream: &str, wire: &Value) -> Result<Record, String> {
    let adapter = Zoom::new(ZoomConfig::builder().client("id", "secret").build().unwrap()).unwrap();
    let stream = StreamKey {
        owner: "ada".into(),
        service: "zoom".into(),
        connection: "cn_1".into(),
        stream: stream.into(),
    };
    let raw = Raw::new(Bytes::from(wire.to_string()));
    let mut done = Stages::new(adapter.normalizer()).run(&[raw], &stream, &PageContext::default());
    match done.quarantined.pop() {
        Some(item) => Err(format!("{}: {}", item.path, item.reason)),
        None => match done.changes.pop() {
            Some(Change::Upsert(record)) => {
                // What a store keeps comes back as it was.
                let stored = serde_json::to_string(&record.entity).unwrap();
                assert_eq!(serde_json::from_str::<Entity>(&stored).unwrap(), record.entity);
                Ok(record)
            }
            other => panic!("{other:?}"),
        },
    }
}

fn shown(stream: &str, wire: &Value) -> Value {
    let record = normalise(stream, wire).unwrap();
    json!({"entity": record.entity, "source": record.source})
}

/// Without the expression, which only repeats the test.
macro_rules! snapshot {
    ($value:expr) => {
        insta::with_settings!({omit_expression => true}, { insta::assert_json_snapshot!($value) })
    };
}

#[test]
fn a_series_with_everything() {
    snapshot!(shown(
        MEETINGS,
        &json!({
            "assistant_id": "kFFvsJc-Q1OSxaJQLvaa_A",
            "uuid": "aDYlohsHRtCd4ii1uC2+hA==",
            "id": 97_763_643_886_u64,
            "host_id": "30R7kT7bTIKSNUFEuH_Qlg",
            "host_email": "jchill@example.com",
            "topic": "My Meeting",
            "type": 8,
            "status": "waiting",
            "start_time": "2026-03-25T07:29:00Z",
            "duration": 60,
            "timezone": "America/Los_Angeles",
            "agenda": "My agenda",
            "created_at": "2026-03-25T07:29:29Z",
            "start_url": null,
            "join_url": "https://example.com/j/11111?pwd=8pEkRweVXPV3Ob2KJYgFTRlDtl1gSn.1",
            "password": "123456",
            "h323_password": "123456",
            "encrypted_password": "8pEkRweVXPV3Ob2KJYgFTRlDtl1gSn.1",
            "pmi": "97891943927",
            "recurrence": {"type": 2, "repeat_interval": 2, "weekly_days": "4,6", "end_times": 3},
            "occurrences": [
                {"occurrence_id": "1774423740000", "start_time": "2026-03-25T07:29:00Z", "duration": 60, "status": "available"},
                {"occurrence_id": "1774596540000", "start_time": "2026-03-28T09:00:00Z", "duration": 30, "status": "available"},
                {"occurrence_id": "1775633340000", "start_time": "2026-04-08T07:29:00Z", "duration": 60, "status": "deleted"}
            ],
            "settings": {"use_pmi": false, "alternative_hosts": "jchill@example.com;thill@example.com"},
        })
    ));
}

#[test]
fn a_single_meeting_at_a_local_time_in_the_own_room() {
    snapshot!(shown(
        MEETINGS,
        &json!({
            "id": "85746065", "topic": "", "type": 2, "status": "started", "start_time": "2026-03-29T02:30:00",
            "timezone": "Europe/Berlin", "duration": 45, "pmi": 97_891_943_927_u64, "settings": {"use_pmi": true},
        })
    ));
}

#[test]
fn words_and_numbers_that_nobody_knows_are_kept() {
    snapshot!(shown(
        MEETINGS,
        &json!({
            "id": 85_746_065, "type": 10, "status": "paused", "start_time": "2026-03-29T02:30:00Z", "timezone": "Moon/Sea",
            "recurrence": {"type": 9, "repeat_interval": 1},
            "occurrences": [{"occurrence_id": 1, "start_time": "2026-03-29T02:30:00Z", "status": "postponed"}],
        })
    ));
}

#[test]
fn a_meeting_that_was_held_with_everything() {
    snapshot!(shown(
        PAST_MEETINGS,
        &json!({
            "uuid": "/aDYlohsHRtCd4ii1uC2+hA==",
            "past_meeting": {
                "uuid": "/aDYlohsHRtCd4ii1uC2+hA==", "id": 5_638_296_721_u64, "type": 2, "topic": "My Meeting",
                "host_id": "x1yCzABCDEfg23HiJKl4mN", "user_name": "Jill Chill", "user_email": "jchill@example.com",
                "start_time": "2026-03-15T07:40:46Z", "end_time": "2026-03-15T08:42:14Z", "duration": 61,
                "total_minutes": 122, "participants_count": 2, "dept": "Developers", "source": "Zoom",
            },
            "participants": [
                {
                    "id": "30R7kT7bTIKSNUFEuH_Qlg", "name": "Jill Chill", "user_id": "27423744", "registrant_id": "",
                    "user_email": "jchill@example.com", "join_time": "2026-03-15T07:40:46Z",
                    "leave_time": "2026-03-15T08:42:14Z", "duration": 3688, "failover": false, "status": "in_meeting",
                    "internal_user": true,
                },
                {"id": "", "name": "iPhone", "user_id": "27423745", "user_email": "", "join_time": "2026-03-15T07:41:00Z", "leave_time": ""},
            ],
            "recordings": {
                "uuid": "/aDYlohsHRtCd4ii1uC2+hA==", "timezone": "America/Los_Angeles", "share_url": "https://example.com/rec/share/x",
                "recording_files": [
                    {
                        "id": "ed6c2f27-2ae7-42f4-b3d0-835b493e4fa8", "meeting_id": "/aDYlohsHRtCd4ii1uC2+hA==",
                        "file_type": "MP4", "file_extension": "MP4", "file_size": 246_560_u64,
                        "recording_type": "shared_screen_with_speaker_view", "recording_start": "2026-03-15T07:40:50Z",
                        "recording_end": "2026-03-15T08:42:14Z", "status": "completed",
                        "play_url": "https://example.com/rec/play/x", "download_url": "https://example.com/rec/download/x",
                    },
                    {"file_type": "TIMELINE", "recording_end": "", "download_url": "https://example.com/rec/download/y"},
                ],
            },
        })
    ));
}

#[test]
fn a_meeting_that_was_held_with_next_to_nothing() {
    snapshot!(shown(
        PAST_MEETINGS,
        &json!({
            "uuid": "aDYlohsHRtCd4ii1uC2+hA==",
            "past_meeting": {"start_time": "2026-03-15T07:40:46Z", "duration": 30},
        })
    ));
}

#[test]
fn what_is_wrong_is_told_by_its_path_and_not_by_its_value() {
    for (stream, wire, reason) in [
        (MEETINGS, json!({"topic": "x"}), "$: missing field `id`"),
        (MEETINGS, json!({"id": ""}), "$.id: expected an id: a text that is not empty"),
        (
            MEETINGS,
            json!({"id": 1, "start_time": "s3cret"}),
            "$.start_time: expected an RFC 3339 time, or a local one",
        ),
        (
            MEETINGS,
            json!({"id": 1, "start_time": "2026-03-29T02:30:00", "timezone": "Moon/Sea"}),
            "$.start_time: a time with neither an offset nor a known `timezone`",
        ),
        (MEETINGS, json!({"id": 1, "topic": ["s3cret"]}), "$.topic: expected a string"),
        (MEETINGS, json!({"id": 1, "refused": "by Zoom"}), "$.refused: Zoom refuses to give this meeting"),
        (PAST_MEETINGS, json!({"uuid": "x=="}), "$: missing field `past_meeting`"),
        (
            PAST_MEETINGS,
            json!({"uuid": "x==", "past_meeting": {}, "participants": [{"name": 7}]}),
            "$.participants[0].name: expected a string",
        ),
    ] {
        assert_eq!(normalise(stream, &wire).unwrap_err(), reason, "{wire}");
    }
}
