//! Every field that Slack has for a message, a conversation and a person, and where it goes.

use bytes::Bytes;
use integrations_core::model::{Change, Entity, Raw};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_slack::workspace::{CHANNELS, SlackNormalizer, USERS};
use serde_json::{Value, json};

const CHANNEL: &str = "C024BE91L";

fn upsert(stream: &str, wire: &Value) -> Value {
    let stream = StreamKey {
        owner: "ada".into(),
        service: "slack".into(),
        connection: "cn_1".into(),
        stream: stream.into(),
    };
    let raw = Raw::new(Bytes::from(wire.to_string()));
    let stages = Stages::new(std::sync::Arc::new(SlackNormalizer));
    let mut done = stages.run(std::slice::from_ref(&raw), &stream, &PageContext::default());
    assert_eq!(done.quarantined, []);
    let Change::Upsert(record) = done.changes.remove(0) else { panic!("it is deleted") };
    assert_eq!(record.raw, raw);
    // What a store keeps comes back as it was.
    let stored = serde_json::to_string(&record.entity).unwrap();
    assert_eq!(serde_json::from_str::<Entity>(&stored).unwrap(), record.entity);
    json!({"entity": record.entity, "source": record.source})
}

/// Without the expression, which only repeats the test.
macro_rules! snapshot {
    ($stream:expr, $wire:tt) => {
        insta::with_settings!({omit_expression => true}, {
            insta::assert_json_snapshot!(upsert($stream, &json!($wire)))
        })
    };
}

#[test]
fn a_message_with_everything() {
    snapshot!(CHANNEL, {
        "type": "message", "client_msg_id": "7e3a1c3a-0f3a-4a36-9a46-7a1f6f5a0a11", "team": "T1",
        "user": "U012A3CDE", "ts": "1772440000.123459", "thread_ts": "1772440000.123459",
        "text": "Hello <@U2|grace>, see <https://example.com/a?x=1&amp;y=2|the plan>",
        "blocks": [{"type": "rich_text", "block_id": "b1", "elements": [
            {"type": "rich_text_section", "elements": [
                {"type": "text", "text": "Hello "}, {"type": "user", "user_id": "U2"}, {"type": "text", "text": ", see "},
                {"type": "link", "url": "https://example.com/a?x=1&y=2", "text": "the plan"},
                {"type": "text", "text": " "}, {"type": "emoji", "name": "tada", "unicode": "1f389"}, {"type": "text", "text": "\n"},
            ]},
            {"type": "rich_text_list", "style": "ordered", "indent": 0, "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "first "}, {"type": "usergroup", "usergroup_id": "S1"}]},
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "second"}]},
            ]},
        ]}],
        "files": [
            {"id": "F1", "name": "plan.pdf", "title": "The plan", "mimetype": "application/pdf", "size": 48_213, "mode": "hosted",
             "is_external": false, "url_private": "https://files.slack.com/files-pri/T1-F1/plan.pdf", "permalink": "https://x.slack.com/files/U1/F1/plan.pdf"},
            {"id": "F2", "mode": "tombstone"},
            {"id": "F3", "name": "old.png", "mode": "hidden_by_limit"},
            {"id": "F4", "name": "Sheet", "title": "", "mimetype": "application/vnd.google-apps.spreadsheet", "size": 0, "mode": "external", "is_external": true,
             "external_type": "gdrive", "url_private": "https://docs.google.com/spreadsheets/d/1", "permalink": "https://x.slack.com/files/U1/F4/sheet"},
        ],
        "upload": false,
        "attachments": [{"fallback": "what the link leads to", "from_url": "https://example.com/a"}],
        "reactions": [{"name": "+1", "users": ["U2", "U3"], "count": 5}, {"name": "eyes", "users": ["U2"], "count": 1}],
        "edited": {"user": "U012A3CDE", "ts": "1772440061.000000"},
        "reply_count": 3, "reply_users_count": 2, "latest_reply": "1772450000.000100", "reply_users": ["U2", "U3"],
        "is_locked": false, "subscribed": true, "last_read": "1772450000.000100", "is_starred": true,
        "permalink": "https://x.slack.com/archives/C024BE91L/p1772440000123459",
    });
}

#[test]
fn a_message_with_nothing_but_its_ts() {
    snapshot!(CHANNEL, {"ts": "1772440000.123459"});
}

#[test]
fn a_reply_that_was_broadcast() {
    snapshot!(CHANNEL, {
        "type": "message", "subtype": "thread_broadcast", "user": "U2", "text": "Done &amp; dusted", "ts": "1772450000.000100",
        "thread_ts": "1772440000.123459", "parent_user_id": "U012A3CDE", "root": {"ts": "1772440000.123459", "text": "the whole message that it answers"},
    });
}

#[test]
fn a_message_of_a_bot_of_former_times() {
    snapshot!(CHANNEL, {
        "type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "deploy", "icons": {"emoji": ":rocket:"}, "text": "",
        "ts": "1772440000.123459", "attachments": [
            {"id": 1, "color": "2eb886", "fallback": "unseen", "pretext": "Deployed", "title": "api", "title_link": "https://ci.example.com/1",
             "text": "in 42 s by <@U2>", "fields": [{"title": "Stage", "value": "production", "short": true}]},
        ],
    });
}

#[test]
fn a_message_of_an_app() {
    snapshot!(CHANNEL, {
        "type": "message", "bot_id": "B1", "app_id": "A1", "user": "U0BOT", "team": "T1", "ts": "1772440000.123459", "text": "notification alone",
        "bot_profile": {"id": "B1", "deleted": false, "name": "Pager", "updated": 1_700_000_000, "app_id": "A1", "team_id": "T1"},
        "blocks": [
            {"type": "header", "block_id": "h", "text": {"type": "plain_text", "text": "Incident 7", "emoji": true}},
            {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "p95 of `checkout` &gt; 800 ms, <!subteam^S1|@oncall>", "verbatim": false}},
            {"type": "context", "block_id": "c", "elements": [{"type": "mrkdwn", "text": "since <!date^1772440000^{time}|08:26>"}]},
            {"type": "actions", "block_id": "a", "elements": [
                {"type": "button", "action_id": "ack", "text": {"type": "plain_text", "text": "Acknowledge"}, "value": "7"},
                {"type": "button", "action_id": "esc", "text": {"type": "plain_text", "text": "Escalate"}},
            ]},
            {"type": "hologram", "title": "of tomorrow", "beam": 7},
        ],
    });
}

#[test]
fn a_line_of_slacks_own() {
    snapshot!(CHANNEL, {
        "type": "message", "subtype": "channel_topic", "user": "U2", "topic": "Lunch & more",
        "text": "<@U2> set the channel topic: Lunch &amp; more in <#C2|kitchen>", "ts": "1772440000.123459",
    });
}

#[test]
fn what_is_left_of_a_deleted_message() {
    snapshot!(CHANNEL, {
        "type": "message", "subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT", "hidden": true,
        "ts": "1772440000.123459", "thread_ts": "1772440000.123459", "reply_count": 1, "reply_users_count": 1,
        "latest_reply": "1772450000.000100", "reply_users": ["U2"], "is_locked": false, "subscribed": false,
    });
}

#[test]
fn a_message_of_a_subtype_from_tomorrow() {
    snapshot!(CHANNEL, {"type": "message", "subtype": "dream_share", "user": "U2", "text": "zzz", "ts": "1772440000.123459", "dream": {"depth": 3}});
}

#[test]
fn a_channel_with_everything() {
    snapshot!(CHANNELS, {
        "id": "C012AB3CD", "name": "café-日本", "is_channel": true, "is_group": false, "is_im": false, "is_mpim": false, "is_private": false,
        "created": 1_449_252_889, "updated": 1_678_229_664_302_u64, "is_archived": true, "is_general": true, "unlinked": 0, "name_normalized": "cafe",
        "is_shared": true, "is_org_shared": false, "is_ext_shared": true, "is_pending_ext_shared": false, "context_team_id": "T1",
        "parent_conversation": "C000PARENT", "creator": "U012A3CDE", "is_member": true, "num_members": 42, "unread_count": 3, "last_read": "1772440000.000000",
        "topic": {"value": "Work matters", "creator": "U2", "last_set": 1_449_709_364},
        "purpose": {"value": "All of the team", "creator": "", "last_set": 0}, "previous_names": ["general"],
    });
}

#[test]
fn a_direct_conversation() {
    snapshot!(CHANNELS, {
        "id": "D0C0F7S8Y", "created": 1_498_500_348, "is_im": true, "is_org_shared": false, "user": "U0BS9U4SV", "is_user_deleted": false, "priority": 0,
    });
}

#[test]
fn a_group_message() {
    snapshot!(CHANNELS, {
        "id": "G0AKFJBEU", "name": "mpdm-ada--grace-1", "is_channel": false, "is_group": true, "is_mpim": true, "is_private": true, "created": 1_504_554_479,
        "creator": "U0BS9U4SV", "is_archived": false, "topic": {"value": ""}, "purpose": {"value": "Group messaging with: @ada @grace"}, "is_member": true,
    });
}

#[test]
fn a_person_with_everything() {
    snapshot!(USERS, {
        "id": "W012A3CDE", "team_id": "T012AB3C4", "name": "spengler", "deleted": false, "color": "9f69e7", "real_name": "Egon Spengler",
        "tz": "America/Los_Angeles", "tz_label": "Pacific Daylight Time", "tz_offset": -25_200, "locale": "en-GB",
        "profile": {
            "title": "Collector", "phone": "+1-555-0100", "skype": "", "real_name": "Egon Spengler", "real_name_normalized": "Egon Spengler",
            "display_name": "spengler the wise", "status_text": "Print is dead", "status_emoji": ":books:", "status_expiration": 1_772_500_000,
            "avatar_hash": "ge3b51ca72de", "email": "spengler@ghostbusters.example.com", "image_24": "https://avatars.example.com/24.jpg",
            "image_72": "https://avatars.example.com/72.jpg", "image_512": "https://avatars.example.com/512.jpg", "team": "T012AB3C4",
        },
        "is_admin": false, "is_owner": true, "is_primary_owner": false, "is_restricted": false, "is_ultra_restricted": false, "is_bot": false,
        "updated": 1_502_138_686, "is_app_user": false, "has_2fa": false,
    });
}

#[test]
fn people_are_told_apart() {
    for (wire, kind, status) in [
        (json!({"id": "U1"}), "member", "active"),
        (json!({"id": "U1", "is_restricted": true}), "guest", "active"),
        (json!({"id": "U1", "is_restricted": true, "is_ultra_restricted": true}), "guest", "active"),
        (json!({"id": "U1", "is_stranger": true}), "external", "active"),
        (json!({"id": "U1", "is_bot": true, "is_app_user": false}), "bot", "active"),
        (json!({"id": "U1", "is_workflow_bot": true, "is_bot": true}), "bot", "active"),
        (json!({"id": "USLACKBOT", "is_bot": false}), "bot", "active"),
        (json!({"id": "U1", "deleted": true, "profile": {"display_name": ""}}), "member", "deactivated"),
        (json!({"id": "U1", "is_invited_user": true}), "member", "invited"),
    ] {
        let person = upsert(USERS, &wire);
        assert_eq!(
            (&person["entity"]["kind"], &person["entity"]["status"]),
            (&json!(kind), &json!(status)),
            "{wire}"
        );
    }
    let named = |wire: Value| upsert(USERS, &wire)["entity"]["name"].clone();
    assert_eq!(
        named(
            json!({"id": "U1", "name": "ada", "real_name": "Ada L", "profile": {"display_name": "countess"}})
        ),
        "countess"
    );
    assert_eq!(
        named(json!({"id": "U1", "name": "ada", "profile": {"display_name": "", "real_name": "Ada L"}})),
        "Ada L"
    );
    assert_eq!(named(json!({"id": "U1", "name": "ada", "profile": {"real_name": ""}})), "ada");
}

#[test]
fn every_subtype_that_slack_describes_is_somebodys_or_slacks() {
    let kind = |subtype: &str| {
        upsert(CHANNEL, &json!({"ts": "1772440000.123459", "subtype": subtype}))["entity"]["kind"].clone()
    };
    for subtype in
        ["bot_message", "me_message", "file_share", "thread_broadcast", "file_comment", "tombstone", ""]
    {
        assert_eq!(kind(subtype), "chat", "{subtype}");
    }
    for subtype in [
        "channel_archive",
        "channel_convert_to_private",
        "channel_join",
        "channel_leave",
        "channel_name",
        "channel_posting_permissions",
        "channel_purpose",
        "channel_topic",
        "channel_unarchive",
        "group_join",
        "group_topic",
        "pinned_item",
        "reminder_add",
        "huddle_thread",
        "bot_add",
    ] {
        assert_eq!(kind(subtype), "system", "{subtype}");
    }
    assert_eq!(kind("something_else"), "something_else");
}

#[test]
fn a_text_that_is_more_than_a_line_is_found_wherever_it_stands() {
    let text = |wire: Value| {
        let mut wire = wire;
        wire["ts"] = json!("1772440000.123459");
        upsert(CHANNEL, &wire)["entity"]["text"].clone()
    };
    // Blocks, then the text, then the attachments.
    let section = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "blocks"}}]);
    let attachments = json!([{"text": "attachments"}]);
    assert_eq!(text(json!({"blocks": section, "text": "text", "attachments": attachments})), "blocks");
    assert_eq!(
        text(json!({"blocks": [{"type": "divider"}], "text": "text", "attachments": attachments})),
        "text"
    );
    assert_eq!(text(json!({"blocks": null, "text": null, "attachments": attachments})), "attachments");
    assert_eq!(text(json!({"blocks": "odd", "text": "", "attachments": 7})), Value::Null);
}
