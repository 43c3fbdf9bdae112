//! Calendars and events.

use integrations_core::normalize::Stages;
use integrations_core::sync::StreamKey;
use integrations_msgraph::{GraphConfig, OutlookCalendar};
use serde_json::Value;

use super::{Tally, examples};

/// Events that cannot be read, with the reason. Nothing else may be quarantined.
const QUARANTINED: &[(&str, &str)] = &[
    // Made up by a generator, with placeholders and without an id.
    ("api.calendar-list-calendarview.05.response.json", "$: missing field `id`"),
    ("api.calendar-list-events.05.response.json", "$: missing field `id`"),
    ("api.event-update.03.response.json", "$: missing field `id`"),
    // Answers to a `$select` without times.
    ("concepts.outlook-calendar-online-meetings.06.response.json", "$.start: missing"),
];

fn is_event(item: &Value) -> bool {
    ["start", "isAllDay", "originalStartTimeZone", "isOnlineMeeting", "iCalUId"]
        .iter()
        .any(|name| item.get(*name).is_some())
}

#[test]
fn every_event_is_normalised_or_quarantined_by_name() {
    let Some(examples) = examples() else { return };
    let adapter = OutlookCalendar::new(GraphConfig::builder().public_client("id").build().unwrap()).unwrap();
    let stages = Stages::new(adapter.normalizer());
    let stream = StreamKey {
        owner: "ada".into(),
        service: "outlook_calendar".into(),
        connection: "cn_1".into(),
        stream: "calendar".into(),
    };
    let mut tally = Tally::default();
    for example in &examples {
        let of_events = example.resource.as_deref() == Some("microsoft.graph.event");
        let told_otherwise = example.resource.is_some() && !of_events;
        if example.kind == "request" || told_otherwise {
            continue;
        }
        for item in example.items() {
            if of_events || is_event(item) {
                tally.run(&stages, &stream, &example.name, item);
            }
        }
    }
    tally.settle("graph-examples, events", QUARANTINED);
}
