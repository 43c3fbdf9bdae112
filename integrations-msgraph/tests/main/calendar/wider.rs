//! The stretch of time moves on by itself, and nothing that happens meanwhile is lost.

use std::time::Duration;

use chrono::TimeDelta;
use integrations_core::sync::{SyncRequest, Window};
use integrations_testkit::{Fault, Gate};
use serde_json::json;

use super::{Host, event, weekly};

const DAY: Duration = Duration::from_secs(86_400);

/// A calendar that is read ten days back and twenty ahead, with events before, in and behind that.
async fn host() -> Host {
    host_of(false).await
}

/// Graph may have one reason for all that is removed.
async fn host_of(one_reason: bool) -> Host {
    let host = Host::with(
        |fake| fake.page_cap(3).one_reason_for_removed(one_reason),
        |config| config.calendar_back(10).calendar_ahead(20),
    )
    .await;
    for (title, day) in [
        ("long ago", "2026-02-01"),
        ("a week ago", "2026-02-23"),
        ("soon", "2026-03-10"),
        ("at its end", "2026-03-21"),
        ("behind it", "2026-03-25"),
        ("far", "2026-06-01"),
    ] {
        host.insert(event(title, &format!("{day}T09:00:00"), &format!("{day}T10:00:00")));
    }
    host.insert(weekly("Standup", "2026-01-05", "monday"));
    host
}

fn titles(host: &Host) -> Vec<String> {
    let mut titles: Vec<_> = host.events().into_values().map(|event| event.title.unwrap()).collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn it_moves_on_when_half_of_it_is_left() {
    let host = host().await;
    host.sync().await;
    assert_eq!(titles(&host), ["Standup", "a week ago", "at its end", "soon"]);
    let (from, to) = host.followed().await;
    assert_eq!((host.now() - from, to - host.now()), (TimeDelta::days(10), TimeDelta::days(20)));

    host.clock.advance(9 * DAY);
    host.sync().await;
    assert_eq!(host.followed().await, (from, to), "more than half is left");

    host.clock.advance(2 * DAY);
    let report = host.sync().await;
    let (from, to) = host.followed().await;
    assert_eq!((host.now() - from, to - host.now()), (TimeDelta::days(10), TimeDelta::days(20)));
    // What has dropped out at the beginning stays as it was.
    assert_eq!(titles(&host), ["Standup", "a week ago", "at its end", "behind it", "soon"]);
    assert_eq!((report.deleted, report.swept, report.resyncs), (0, 0, 0));
    host.assert_same("moved on").await;

    // And it is followed as any other.
    let report = host.sync().await;
    assert_eq!((report.upserted, report.deleted, report.pages), (0, 0, 1));
    host.insert(event("new", "2026-03-28T09:00:00", "2026-03-28T10:00:00"));
    host.sync().await;
    host.assert_same("followed").await;
    // A full sync keeps to the stretch of its day.
    let report = host.sync_with(SyncRequest::full()).await;
    assert_eq!((report.swept, report.withheld), (1, None));
    assert_eq!(titles(&host), ["Standup", "at its end", "behind it", "new", "soon"]);
}

#[tokio::test]
async fn a_window_with_an_end_stays_where_it_is() {
    let host = host().await;
    let day = TimeDelta::days(1);
    let window = Window::since(host.now() - day).until(host.now() + day * 12);
    host.sync_with(SyncRequest::incremental().within(window)).await;
    assert_eq!(titles(&host), ["Standup", "soon"]);
    let followed = host.followed().await;
    host.clock.advance(30 * DAY);
    host.sync().await;
    assert_eq!(host.followed().await, followed);

    // One without an end moves its end alone.
    let host = self::host().await;
    let since = host.now() - day * 60;
    host.sync_with(SyncRequest::incremental().within(Window::since(since))).await;
    assert_eq!(titles(&host), ["Standup", "a week ago", "at its end", "long ago", "soon"]);
    host.clock.advance(15 * DAY);
    host.sync().await;
    assert_eq!(host.followed().await, (since, host.now() + day * 20));
    host.assert_same("moved on").await;
}

/// Each of these happens while the wider stretch is listed: before its second page, and before the changes of the
/// old one are read.
#[tokio::test]
async fn what_happens_on_the_way_is_not_lost() {
    let titled = |host: &Host, title: &str| {
        let events = host.events();
        events.iter().find(|(_, event)| event.title.as_deref() == Some(title)).map(|(id, _)| id.clone())
    };
    for nth in 1..=8 {
        let host = host_of(nth % 2 == 0).await;
        host.sync().await;
        let standup = titled(&host, "Standup").unwrap();
        let exception =
            host.then(|| host.fake.change_occurrence(&standup, "2026-03-09", json!({"subject": "X"})));
        host.sync().await;
        host.clock.advance(11 * DAY);
        // Before it begins, and told by the old stretch alone.
        let early = titled(&host, "a week ago").unwrap();
        host.then(|| host.fake.delete_event(&early));

        let gate = Gate::new();
        host.fake.fault(Fault::on("calendarView.delta").nth(nth).hold(&gate));
        let run = tokio::spawn({
            let (gateway, id) = (host.gateway.clone(), host.connection.id.clone());
            async move { gateway.sync(&id).await.unwrap().into_result().unwrap() }
        });
        let mut run = run;
        tokio::select! {
            () = gate.arrived(1) => {
                host.then(|| host.fake.delete_event(&titled(&host, "soon").unwrap()));
                // Out of the old stretch, and into the new one.
                let moved = titled(&host, "at its end").unwrap();
                host.then(|| {
                    host.fake.patch_event(&moved, event("at its end", "2026-03-27T09:00:00", "2026-03-27T10:00:00"));
                });
                host.then(|| host.fake.delete_event(&exception));
                host.then(|| host.insert(event("new", "2026-03-26T09:00:00", "2026-03-26T10:00:00")));
                gate.open();
                (&mut run).await.unwrap();
            }
            outcome = &mut run => {
                assert!(nth > 4, "there are so many pages: {nth}, {outcome:?}");
                host.fake.clear_faults();
                break;
            }
        }
        host.sync().await;
        host.assert_same(&format!("before page {nth}")).await;
        assert_eq!(titles(&host), ["Standup", "at its end", "behind it", "new"], "before page {nth}");
    }
}

#[tokio::test]
async fn an_event_that_moves_out_of_the_old_stretch_into_the_new_one_is_not_taken_for_gone() {
    for one_reason in [false, true] {
        let host = host_of(one_reason).await;
        host.sync().await;
        host.clock.advance(11 * DAY);
        let events = host.events();
        let of = |title: &str| {
            events.iter().find(|(_, event)| event.title.as_deref() == Some(title)).unwrap().0.clone()
        };
        // The old stretch ends on 22 March, the new one on 2 April.
        host.then(|| {
            host.fake.patch_event(&of("soon"), event("soon", "2026-03-30T09:00:00", "2026-03-30T10:00:00"));
        });
        host.then(|| {
            host.fake
                .patch_event(&of("at its end"), event("away", "2026-05-30T09:00:00", "2026-05-30T10:00:00"));
        });
        host.then(|| {
            host.fake.patch_event(
                &of("Standup"),
                json!({
                    "start": super::at("2026-03-24T09:00:00", "Europe/Berlin"),
                    "end": super::at("2026-03-24T09:15:00", "Europe/Berlin"),
                    "recurrence": {
                        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
                        "range": {"type": "noEnd", "startDate": "2026-03-24"},
                    },
                }),
            );
        });
        host.sync().await;
        assert_eq!(titles(&host), ["Standup", "a week ago", "behind it", "soon"]);
        host.assert_same("moved on").await;
    }
}

/// While the clock was ahead, nobody told of what happened today.
#[tokio::test]
async fn a_clock_that_was_months_ahead_is_made_good() {
    let host = host().await;
    host.sync().await;
    let now = host.now();
    host.clock.set_wall(now + TimeDelta::days(60));
    host.sync().await;
    let soon = host.events().into_iter().find(|(_, event)| event.title.as_deref() == Some("soon")).unwrap().0;
    host.then(|| host.fake.delete_event(&soon));
    host.clock.set_wall(now + TimeDelta::hours(1));
    host.insert(event("new", "2026-03-11T09:00:00", "2026-03-11T10:00:00"));
    let report = host.sync().await;
    assert_eq!((report.resyncs, report.withheld), (1, None));
    let (from, to) = host.followed().await;
    assert_eq!((host.now() - from, to - host.now()), (TimeDelta::days(10), TimeDelta::days(20)));
    assert_eq!(titles(&host), ["Standup", "a week ago", "at its end", "new"]);
    host.assert_same("made good").await;
    assert_eq!(host.sync().await.resyncs, 0);
}

/// A run may die anywhere on the way.
#[tokio::test]
async fn a_way_that_is_broken_off_is_gone_on_with() {
    for nth in 1.. {
        let host = host().await;
        host.sync().await;
        host.clock.advance(11 * DAY);
        let events = host.events();
        let soon = events.iter().find(|(_, event)| event.title.as_deref() == Some("soon")).unwrap().0;
        host.then(|| host.fake.delete_event(soon));
        host.fake.fault(Fault::on("calendarView.delta").nth(nth).status(500));
        let broken = host.gateway.sync(&host.connection.id).await.unwrap().into_result();
        host.fake.clear_faults();
        if broken.is_ok() {
            assert!(nth > 4, "three pages of the new stretch, and one of the old");
            break;
        }
        let report = host.sync().await;
        assert_eq!((report.resyncs, report.swept), (0, 0));
        host.assert_same(&format!("broken off at page {nth}")).await;
        assert_eq!(titles(&host), ["Standup", "a week ago", "at its end", "behind it"]);
    }
}

#[tokio::test]
async fn a_position_that_is_lost_on_the_way_lists_again() {
    for nth in 1..=4 {
        let host = host().await;
        host.sync().await;
        host.clock.advance(11 * DAY);
        host.fake.fault(Fault::on("calendarView.delta").nth(nth).status(410).reason("resyncRequired"));
        let report = host.sync().await;
        assert_eq!(report.resyncs, 1);
        host.assert_same(&format!("lost at page {nth}")).await;
        let (from, to) = host.followed().await;
        assert_eq!((host.now() - from, to - host.now()), (TimeDelta::days(10), TimeDelta::days(20)));
    }
}
