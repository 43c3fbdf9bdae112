//! What a service does not say of deletions is found by listing again, as often as the host wants.

use std::time::Duration;

use integrations_core::ErrorKind;
use integrations_core::adapter::Deletions;
use integrations_core::sync::{Position, SyncRequest, SyncSettings, Window, Withheld};

use crate::script::{World, done, items, page};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3600);

fn daily() -> SyncSettings {
    let mut settings = SyncSettings::default();
    settings.relist_after = Some(DAY);
    settings
}

#[tokio::test]
async fn a_stream_is_listed_again_when_it_is_time_and_not_before() {
    let world = World::with(daily());
    world.sync(vec![page(&items(&["a", "b"]), "p2"), done(&items(&["c"]), "s1")]).await;
    world.clock.advance(DAY - HOUR);
    let report = world.sync(vec![done(&[], "s2")]).await;
    assert_eq!((world.asked_from(), report.started_in), (vec!["changes s1".to_owned()], "tracking"));

    world.clock.advance(HOUR);
    let report = world.sync(vec![done(&items(&["a", "c"]), "s3")]).await;
    assert_eq!((world.asked_from(), report.started_in), (vec!["listing".to_owned()], "resync"));
    // Nothing was lost, and nobody is told so.
    assert_eq!((report.swept, report.resyncs, world.notices("StreamResync")), (1, 0, 0));
    assert_eq!(world.ids(), ["a", "c"]);

    // The interval counts from there.
    world.clock.advance(DAY - HOUR);
    world.sync(vec![done(&[], "s4")]).await;
    assert_eq!(world.asked_from(), ["changes s3"]);
}

#[tokio::test]
async fn it_counts_from_when_the_listing_began_whatever_came_in_between() {
    let world = World::with(daily());
    world.break_after(SyncRequest::incremental(), vec![page(&items(&["a"]), "p2")]).await;
    world.clock.advance(DAY);
    // A listing that is under way is gone on with.
    world.sync(vec![done(&items(&["b"]), "s1")]).await;
    assert_eq!(world.asked_from(), ["listing p2"]);
    // What was deleted while it was broken off was not seen.
    let report = world.sync(vec![done(&items(&["b"]), "s2")]).await;
    assert_eq!((world.asked_from(), report.swept), (vec!["listing".to_owned()], 1));
    // In the middle of changes, too.
    world.break_after(SyncRequest::incremental(), vec![page(&[], "p2")]).await;
    world.clock.advance(DAY);
    world.sync(vec![done(&items(&["b"]), "s3")]).await;
    assert_eq!(world.asked_from(), ["listing"]);
}

#[tokio::test]
async fn the_proof_is_that_of_any_full_listing() {
    let world = World::with(daily());
    world.sync(vec![done(&items(&["a", "b"]), "s1")]).await;
    world.clock.advance(DAY);
    let report = world.sync(vec![done(&[], "s2")]).await;
    assert_eq!((report.withheld, report.swept), (Some(Withheld { seen: 0, unseen: 2 }), 0));
    assert_eq!(world.ids(), ["a", "b"]);
    let report = world.run(SyncRequest::incremental().accept_shrink(), vec![done(&[], "s3")]).await;
    assert_eq!((report.swept, world.asked_from()), (2, vec!["changes s2".to_owned()]));
}

#[tokio::test]
async fn the_window_stays() {
    let world = World::with(daily());
    let window = Window::since("2026-02-01T00:00:00Z".parse().unwrap());
    world.run(SyncRequest::incremental().within(window), vec![done(&items(&["a"]), "s1")]).await;
    world.clock.advance(DAY);
    world.sync(vec![done(&items(&["a"]), "s2")]).await;
    assert_eq!((world.asked_from(), world.asked()[0].window), (vec!["listing".to_owned()], window));
}

#[tokio::test]
async fn nothing_is_listed_for_it_where_deletions_are_named_or_nobody_asked() {
    for (settings, deletions) in [(daily(), Deletions::Named), (SyncSettings::default(), Deletions::Listing)]
    {
        let world = World::of(settings, deletions);
        world.sync(vec![done(&items(&["a"]), "s1")]).await;
        world.clock.advance(30 * DAY);
        world.sync(vec![done(&[], "s2")]).await;
        assert_eq!(world.asked_from(), ["changes s1"], "{deletions:?}");
    }
    // Those that are named of late are not all.
    let world = World::of(daily(), Deletions::Recent);
    world.sync(vec![done(&items(&["a"]), "s1")]).await;
    world.clock.advance(DAY);
    world.sync(vec![done(&items(&["a"]), "s2")]).await;
    assert_eq!(world.asked_from(), ["listing"]);
}

#[tokio::test]
async fn a_run_may_have_an_interval_of_its_own() {
    let world = World::with(daily());
    world.sync(vec![done(&items(&["a"]), "s1")]).await;
    world.clock.advance(HOUR);
    world.run(SyncRequest::incremental().relist_after(HOUR), vec![done(&items(&["a"]), "s2")]).await;
    assert_eq!(world.asked_from(), ["listing"]);
    world.clock.advance(DAY);
    world.run(SyncRequest::incremental().relist_after(2 * DAY), vec![done(&[], "s3")]).await;
    assert_eq!(world.asked_from(), ["changes s2"]);
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_a_position_without_a_time_put_it_off_no_longer_than_once() {
    let world = World::with(daily());
    world.sync(vec![done(&items(&["a"]), "s1")]).await;
    world.clock.set_wall("2020-01-01T00:00:00Z".parse().unwrap());
    world.sync(vec![done(&items(&["a"]), "s2")]).await;
    assert_eq!(world.asked_from(), ["listing"], "the listing seems to be years ahead");
    world.sync(vec![done(&[], "s3")]).await;
    assert_eq!(world.asked_from(), ["changes s2"]);

    let former = r#"{"phase":"tracking","generation":1,"since":"s1"}"#;
    world.stand_at(serde_json::from_str::<Position>(former).unwrap()).await;
    world.sync(vec![done(&items(&["a"]), "s2")]).await;
    assert_eq!(world.asked_from(), ["listing"]);
}

#[tokio::test]
async fn what_has_frozen_is_left_alone() {
    let mut world = World::with(daily());
    world.stream.frozen = true;
    world.sync(vec![done(&items(&["a"]), "s1")]).await;
    world.clock.advance(DAY);
    world.sync(vec![]).await;
    assert_eq!((world.asked_from().len(), world.ids()), (0, vec!["a".to_owned()]));
}

#[tokio::test]
async fn a_listing_that_breaks_off_is_gone_on_with() {
    let world = World::with(daily());
    world.sync(vec![done(&items(&["a", "b"]), "s1")]).await;
    world.clock.advance(DAY);
    world.break_after(SyncRequest::incremental(), vec![page(&items(&["a"]), "p2")]).await;
    assert_eq!(world.ids(), ["a", "b"], "it is not complete");
    let report = world.sync(vec![done(&[], "s2")]).await;
    assert_eq!((world.asked_from(), report.swept), (vec!["listing p2".to_owned()], 1));
    let lost = integrations_core::Error::new(ErrorKind::CursorExpired, "too old");
    world.clock.advance(DAY);
    let again = vec![Err(lost), Ok(done(&items(&["a"]), "s3"))];
    let report = world.try_run(SyncRequest::incremental(), again).await.unwrap();
    assert_eq!((report.resyncs, report.swept), (1, 0));
}
