//! An all-day event stays on its days, in every zone, before and after its way through the model and its JSON.

use chrono::NaiveDate;
use integrations_core::model::{Entity, EventTime};
use serde_json::json;

use super::{Host, at};

#[tokio::test]
async fn days_are_the_same_days_everywhere() {
    let host = Host::new().await;
    let zones = [
        "Dateline Standard Time",
        "Hawaiian Standard Time",
        "America/New_York",
        "Europe/London",
        "UTC",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Line Islands Standard Time",
        "tzone://Microsoft/Custom",
    ];
    // Among them days on which clocks change, somewhere, and a day without midnight.
    let days = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-10-25", "2026-12-31"];
    let mut wanted = Vec::new();
    for zone in zones {
        for day in days {
            let first: NaiveDate = day.parse().unwrap();
            let next = first.succ_opt().unwrap();
            let written = if zone.starts_with("tzone") { "UTC" } else { zone };
            let mut event = json!({
                "isAllDay": true,
                "start": at(&format!("{first}T00:00:00"), written),
                "end": at(&format!("{next}T00:00:00"), written),
                "originalStartTimeZone": zone,
                "originalEndTimeZone": zone,
            });
            for series in [false, true] {
                event["subject"] = json!(format!("{zone} {day} {series}"));
                if series {
                    event["recurrence"] = json!({
                        "pattern": {"type": "daily", "interval": 7},
                        "range": {"type": "endDate", "startDate": first, "endDate": first + chrono::Days::new(14)},
                    });
                }
                wanted.push((host.insert(event.clone()), first, next));
            }
        }
    }
    host.sync().await;
    let events = host.events();
    assert_eq!(events.len(), wanted.len());
    for (id, first, next) in wanted {
        let event = &events[&id];
        assert_eq!((&event.start, event.end.as_ref()), (&EventTime::day(first), Some(&EventTime::day(next))));
        let stored = serde_json::to_string(&Entity::from(event.clone())).unwrap();
        let Entity::Event(again) = serde_json::from_str::<Entity>(&stored).unwrap() else {
            panic!("{stored}")
        };
        assert_eq!(*again, *event);
        for zone in chrono_tz::TZ_VARIANTS {
            assert_eq!(again.start.date_in(zone), first, "{zone}");
            assert_eq!(again.start.in_zone(zone).date_naive(), first, "{zone}");
        }
    }
    host.assert_same("days").await;
    assert_eq!(host.fake.count("mailboxSettings.get"), 0, "a day needs no zone");
}
