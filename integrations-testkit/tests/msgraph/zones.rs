//! Windows' names of zones, against CLDR's table.

use std::path::PathBuf;

use chrono::{NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;

use super::*;

#[tokio::test]
async fn every_name_of_windows_means_the_zone_that_cldr_says() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/timezones/windows_to_iana.json");
    let Ok(table) = std::fs::read_to_string(path) else {
        println!("skipped: no shared data");
        return;
    };
    let table: Value = serde_json::from_str(&table).unwrap();
    let fake = builder(&clock()).start().await;
    let times = ["2026-01-15T12:00:00", "2026-07-15T12:00:00"];
    let events = times.map(|time| {
        let at = json!({"dateTime": time, "timeZone": "UTC"});
        fake.insert_event("Calendar", json!({"start": at, "end": at}))
    });
    for (name, territories) in table.as_object().unwrap() {
        let iana = territories["001"][0].as_str().unwrap();
        let zone: Tz = iana.parse().unwrap();
        for (event, time) in events.iter().zip(times) {
            let prefer = format!("outlook.timezone=\"{name}\"");
            let shown = request(&fake, &format!("/v1.0/me/events/{event}")).header("prefer", prefer);
            let (status, shown) = read(shown.send().await.unwrap()).await;
            assert_eq!(status, 200, "{name}: {shown}");
            let local = zone.from_utc_datetime(&time.parse::<NaiveDateTime>().unwrap()).naive_local();
            let written = local.format("%Y-%m-%dT%H:%M:%S.0000000").to_string();
            assert_eq!(shown["start"], json!({"dateTime": written, "timeZone": name}), "{iana}");
        }
    }
}
