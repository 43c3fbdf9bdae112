//! Whatever happens, and in whatever order: once Graph answers again, what the core makes of the records is what
//! Graph shows.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use futures_util::future::poll_fn;
use integrations_core::sync::{SyncReport, SyncRequest};
use integrations_testkit::Fault;
use integrations_testkit::msgraph::{CalendarSpec, SyncLoss};
use serde_json::{Value, json};

use super::{Host, NAME, Random, at};

const OTHER: &str = "Other";
const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Lord Howe Standard Time", "Asia/Tokyo"];

/// Polls a future so many times, then drops it, as a host does that is shut down.
async fn dropped_after(polls: u64, future: impl Future) -> bool {
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

/// Some day around now.
fn day(host: &Host, random: &mut Random) -> NaiveDate {
    let days = i64::try_from(random.below(140)).unwrap() - 60;
    (host.now() + TimeDelta::days(days)).date_naive()
}

/// When something takes place: a quarter of an hour, or all day.
fn times(random: &mut Random, day: NaiveDate) -> Value {
    let zone = *random.pick(&ZONES);
    if random.below(4) == 0 {
        let next = day.succ_opt().unwrap();
        let midnight = |day: NaiveDate| at(&format!("{day}T00:00:00"), zone);
        return json!({"isAllDay": true, "start": midnight(day), "end": midnight(next)});
    }
    let hour = random.below(23);
    let time = |minute: &str| at(&format!("{day}T{hour:02}:{minute}:00"), zone);
    json!({"isAllDay": false, "start": time("10"), "end": time("25")})
}

fn recurrence(random: &mut Random, day: NaiveDate) -> Value {
    let pattern = match random.below(3) {
        0 => json!({"type": "daily", "interval": 1 + random.below(5)}),
        1 => json!({
            "type": "weekly", "interval": 1 + random.below(2),
            "daysOfWeek": [day.format("%A").to_string().to_lowercase(), random.pick(&["monday", "friday"])],
        }),
        _ => {
            json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": day.format("%-d").to_string().parse::<u32>().unwrap()})
        }
    };
    let range = match random.below(3) {
        0 => json!({"type": "noEnd", "startDate": day}),
        1 => {
            json!({"type": "endDate", "startDate": day, "endDate": day + chrono::Days::new(random.below(90))})
        }
        _ => json!({"type": "numbered", "startDate": day, "numberOfOccurrences": 1 + random.below(12)}),
    };
    json!({"pattern": pattern, "range": range})
}

/// The local day of a series' occurrence, one of its first ones.
fn some_occurrence(random: &mut Random, event: &Value) -> Option<String> {
    let first: NaiveDate = event["recurrence"]["range"]["startDate"].as_str()?.parse().ok()?;
    let interval = event["recurrence"]["pattern"]["interval"].as_u64()?;
    let step = match event["recurrence"]["pattern"]["type"].as_str()? {
        "daily" => interval,
        "weekly" => interval * 7,
        _ => return Some(first.to_string()),
    };
    let most = match event["recurrence"]["range"]["type"].as_str()? {
        "endDate" => {
            let last: NaiveDate = event["recurrence"]["range"]["endDate"].as_str()?.parse().ok()?;
            u64::try_from((last - first).num_days()).ok()? / step + 1
        }
        // Of a weekly one with two days, half of them lie on the first one's day.
        "numbered" => event["recurrence"]["range"]["numberOfOccurrences"].as_u64()?.div_ceil(2),
        _ => 20,
    };
    Some((first + chrono::Days::new(step * random.below(most))).to_string())
}

fn change(host: &Host, random: &mut Random, cancelled: &mut Vec<(String, String)>) {
    let ids = host.fake.event_ids(NAME);
    let title = format!("No. {}", random.below(1_000_000));
    if ids.len() < 8 || random.below(5) == 0 {
        let day = day(host, random);
        let mut event = times(random, day);
        event["subject"] = json!(title);
        if random.below(2) == 0 {
            event["recurrence"] = recurrence(random, day);
        }
        host.insert(event);
        return;
    }
    let id = random.pick(&ids).clone();
    let event = host.fake.event(&id).unwrap();
    let is_series = event["type"] == "seriesMaster";
    match random.below(12) {
        0 => host.fake.delete_event(&id),
        1 => host.fake.cancel_event(&id),
        2 => host.fake.move_event(&id, OTHER),
        3 => {
            if let Some(id) = host.fake.event_ids(OTHER).first() {
                host.fake.move_event(id, NAME);
            }
        }
        4 | 5 if !is_series => {
            let day = day(host, random);
            host.fake.patch_event(&id, times(random, day));
        }
        4 => {
            let day = day(host, random);
            let mut patch = times(random, day);
            patch["recurrence"] = recurrence(random, day);
            host.fake.patch_event(&id, patch);
            cancelled.retain(|(series, _)| *series != id);
        }
        5 => host.fake.patch_event(&id, json!({"recurrence": null})),
        6..=9 if is_series => {
            let Some(on) = some_occurrence(random, &event) else { return };
            if cancelled.contains(&(id.clone(), on.clone())) {
                return;
            }
            match random.below(4) {
                0 => {
                    host.fake.cancel_occurrence(&id, &on);
                    cancelled.push((id, on));
                }
                1 => drop(host.fake.change_occurrence(&id, &on, json!({"subject": title}))),
                _ => {
                    let to = day(host, random);
                    let mut patch = times(random, to);
                    patch["subject"] = json!(title);
                    host.fake.change_occurrence(&id, &on, patch);
                }
            }
        }
        _ => host.fake.patch_event(&id, json!({"subject": title})),
    }
}

fn trouble(host: &Host, random: &mut Random) {
    let nth = 1 + random.below(4);
    let fault = |operation: &str| Fault::on(operation).nth(nth);
    match random.below(10) {
        0 => host.fake.expire_calendar_tokens(NAME),
        1 => host.fake.expire_delta_tokens(),
        2 => host.fake.expire_skip_tokens(),
        3 => host.fake.expire_access_tokens(),
        4 => drop(host.fake.fault(fault("calendarView.delta").status(503))),
        5 => drop(host.fake.fault(fault("batch").status(503))),
        6 => drop(host.fake.fault(fault("calendarView.delta").truncate(200))),
        7 => drop(host.fake.fault(fault("batch").reset())),
        8 => drop(host.fake.fault(Fault::on("token.refresh").status(500))),
        _ => {
            let losses = [SyncLoss::SyncStateNotFound, SyncLoss::ResyncRequired, SyncLoss::SyncStateInvalid];
            host.fake.lose_state_with(*random.pick(&losses));
        }
    }
}

#[tokio::test]
async fn the_agenda_becomes_what_graph_shows() {
    let seeds = std::env::var("CHAOS_SEED").ok().map_or(0..16, |seed| {
        let seed: u64 = seed.parse().unwrap();
        seed..seed + 1
    });
    for seed in seeds {
        let mut random = Random(seed);
        let host = Host::with(
            |fake| {
                fake.page_cap(7)
                    .calendar(CalendarSpec::new(OTHER))
                    .announce_removed_occurrences(seed % 2 == 0)
                    .one_reason_for_removed(seed % 4 > 1)
                    .without_masters(seed % 3 == 0)
                    .empty_pages(seed % 5 == 0)
                    .repeated_items(seed % 7 == 0)
            },
            |config| config.calendar_back(30).calendar_ahead(60),
        )
        .await;
        let (mut dropped, mut cancelled) = (0, Vec::new());
        for _ in 0..60 {
            host.clock.advance(Duration::from_secs(1));
            match random.below(7) {
                0..=2 => change(&host, &mut random, &mut cancelled),
                3 => trouble(&host, &mut random),
                4 => {
                    let polls = random.below(24);
                    let run = host.gateway.sync(&host.connection.id);
                    dropped += u64::from(!dropped_after(polls, run).await);
                }
                5 => host.clock.advance(Duration::from_secs(86_400 * random.below(15))),
                _ => {
                    let full = random.below(8) == 0;
                    let request = if full { SyncRequest::full() } else { SyncRequest::incremental() };
                    let _ = host.gateway.sync_with(&host.connection.id, request).await;
                }
            }
        }
        host.fake.clear_faults();
        // A refresh that has failed is not tried again at once.
        host.clock.advance(Duration::from_secs(60));
        // The first run ends a listing that was under way; the second brings what changed meanwhile.
        for _ in 0..2 {
            let request = SyncRequest::incremental().accept_shrink();
            let report = host.gateway.sync_with(&host.connection.id, request).await;
            let report = report.and_then(SyncReport::into_result);
            assert!(report.is_ok(), "CHAOS_SEED={seed}: {report:?}");
        }
        let (from, to) = host.followed().await;
        let day = TimeDelta::days(2);
        let shown = host.theirs(from + day, to - day).await.len();
        println!("CHAOS_SEED={seed}: {dropped} runs were dropped, {shown} occurrences");
        host.assert_same(&format!("CHAOS_SEED={seed}")).await;
    }
}
