//! Each recurrence of Outlook's, as a rule of iCalendar, gives the days that Graph gives itself.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde_json::{Value, json};

use super::{Host, Random, at};

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const INDEXES: [&str; 5] = ["first", "second", "third", "fourth", "last"];
/// With clocks that change on different days and by half an hour, and with those that do not.
const ZONES: [&str; 8] = [
    "Europe/London",
    "America/New_York",
    "Australia/Sydney",
    "Lord Howe Standard Time",
    "Asia/Tokyo",
    "W. Europe Standard Time",
    "Pacific Standard Time",
    "UTC",
];
/// Where clocks skip an hour or repeat it, and where they do not. A quarter of an hour from any of these does not
/// reach over a change of clocks: there, an event is as long as its master for the core, and ends when the wall
/// clock says for Outlook.
const TIMES: [&str; 8] = ["00:00", "00:30", "01:10", "01:30", "02:10", "02:30", "09:00", "23:40"];

struct Pattern {
    json: Value,
    days: Vec<Weekday>,
    index: usize,
    month: u32,
    day: u32,
}

impl Pattern {
    fn random(random: &mut Random) -> Self {
        let kind = *random.pick(&[
            "daily",
            "weekly",
            "absoluteMonthly",
            "relativeMonthly",
            "absoluteYearly",
            "relativeYearly",
        ]);
        let mut names = Vec::new();
        for name in DAYS {
            if random.below(3) == 0 {
                names.push(name);
            }
        }
        if names.is_empty() {
            names.push(*random.pick(&DAYS));
        }
        let index = usize::try_from(random.below(5)).unwrap();
        let month = 1 + u32::try_from(random.below(12)).unwrap();
        // The ends of months are where months differ.
        let day =
            1 + u32::try_from(if random.below(2) == 0 { 27 + random.below(4) } else { random.below(31) })
                .unwrap();
        let mut json =
            json!({"type": kind, "interval": 1 + random.below(if kind == "daily" { 9 } else { 3 })});
        if kind == "weekly" || kind.starts_with("relative") {
            json["daysOfWeek"] = json!(names);
            json["index"] = json!(INDEXES[index]);
            json["firstDayOfWeek"] = json!(random.pick(&DAYS));
        }
        if kind.starts_with("absolute") {
            json["dayOfMonth"] = json!(day);
        }
        if kind.ends_with("Yearly") {
            json["month"] = json!(month);
        }
        let days = names.iter().map(|name| name.parse().unwrap()).collect();
        Self { json, days, index, month, day }
    }

    /// Whether a series may begin on a day.
    fn begins(&self, date: NaiveDate) -> bool {
        let of_month = |wanted: &dyn Fn(NaiveDate) -> bool| {
            let first = date.with_day(1).unwrap();
            first
                .iter_days()
                .take_while(|day| day.month() == date.month())
                .filter(|day| wanted(*day))
                .collect()
        };
        let is_day = |day: NaiveDate| self.days.contains(&day.weekday());
        let relative = || {
            let days: Vec<NaiveDate> = of_month(&is_day);
            let nth = if self.index == 4 { days.last() } else { days.get(self.index) };
            nth == Some(&date)
        };
        let absolute = || {
            let days: Vec<NaiveDate> = of_month(&|day| day.day() <= self.day);
            days.last() == Some(&date)
        };
        match self.json["type"].as_str().unwrap() {
            "daily" => true,
            "weekly" => is_day(date),
            "absoluteMonthly" => absolute(),
            "relativeMonthly" => relative(),
            "absoluteYearly" => date.month() == self.month && absolute(),
            _ => date.month() == self.month && relative(),
        }
    }
}

fn range(random: &mut Random, first: NaiveDate) -> Value {
    match random.below(3) {
        0 => json!({"type": "noEnd", "startDate": first}),
        1 => {
            let last = first + Days::new(random.below(500));
            json!({"type": "endDate", "startDate": first, "endDate": last})
        }
        _ => json!({"type": "numbered", "startDate": first, "numberOfOccurrences": 1 + random.below(60)}),
    }
}

fn series(random: &mut Random, title: &str) -> Value {
    let pattern = Pattern::random(random);
    let earliest: NaiveDate = "2023-12-01".parse().unwrap();
    let earliest = earliest + Days::new(random.below(1_100));
    let first = earliest.iter_days().take(2_000).find(|day| pattern.begins(*day)).unwrap();
    let mut event = json!({
        "subject": title,
        "recurrence": {"pattern": pattern.json, "range": range(random, first)},
    });
    if random.below(4) == 0 {
        let zone = *random.pick(&ZONES);
        let last = first + Days::new(1 + random.below(3));
        event["isAllDay"] = json!(true);
        event["start"] = at(&format!("{first}T00:00:00"), zone);
        event["end"] = at(&format!("{last}T00:00:00"), zone);
    } else {
        let (zone, time) = (*random.pick(&ZONES), *random.pick(&TIMES));
        let start: chrono::NaiveDateTime = format!("{first}T{time}:00").parse().unwrap();
        let end = start + chrono::TimeDelta::minutes(15);
        event["start"] = at(&start.format("%Y-%m-%dT%H:%M:%S").to_string(), zone);
        event["end"] = at(&end.format("%Y-%m-%dT%H:%M:%S").to_string(), zone);
    }
    event
}

#[tokio::test]
async fn five_hundred_recurrences_give_the_days_that_graph_gives() {
    let seed = std::env::var("PATTERN_SEED").ok().map_or(7, |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let host = Host::with(|fake| fake, |config| config.calendar_back(90).calendar_ahead(420)).await;
    let mut written = Vec::new();
    for number in 0..500 {
        let event = series(&mut random, &format!("{number:03}"));
        written.push(event.clone());
        host.insert(event);
    }
    let report = host.sync().await;
    assert_eq!(report.quarantined, 0);
    let (from, to) = host.followed().await;
    let day = chrono::TimeDelta::days(2);
    let (ours, theirs) = (host.ours(from + day, to - day), host.theirs(from + day, to - day).await);
    for (number, event) in written.iter().enumerate() {
        let title = format!("{number:03}");
        let of =
            |lines: &[super::Line]| lines.iter().filter(|line| line.2 == title).cloned().collect::<Vec<_>>();
        let record = host.events().into_values().find(|event| event.title.as_deref() == Some(&title));
        let rule = record.map(|event| (event.recurrence, event.start));
        assert_eq!(of(&ours), of(&theirs), "PATTERN_SEED={seed}: {event} as {rule:?}");
    }
    assert_eq!(ours, theirs, "PATTERN_SEED={seed}");
    println!("PATTERN_SEED={seed}: 500 recurrences, {} occurrences, {} pages", ours.len(), report.pages);
    assert!(ours.len() > 5_000);
}
