//! A window is asked for by every read that follows from it, and what lies outside of it is not kept.

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::sync::{Position, SyncRequest, Window};
use integrations_core::{Error, ErrorKind};

use crate::script::{World, done, item, item_at, listed, page};

fn day(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_323_200, 0).unwrap() + TimeDelta::days(day)
}

/// From the tenth day on, and before the twentieth.
fn window() -> Window {
    Window::since(day(10)).until(day(20))
}

fn within(window: Window) -> SyncRequest {
    SyncRequest::incremental().within(window)
}

#[tokio::test]
async fn every_read_of_a_listing_and_of_its_changes_asks_for_its_window() {
    let world = World::new();
    let expect = |from: &[&str]| {
        let asked = world.asked();
        assert_eq!(asked.iter().map(|asked| asked.from.as_str()).collect::<Vec<_>>(), from);
        assert!(asked.iter().all(|asked| asked.window == window()), "{asked:?}");
    };
    // The listing breaks off, so that its position is seen, too.
    world.break_after(within(window()), vec![page(&[item_at("a", day(11))], "p2")]).await;
    expect(&["listing", "listing p2"]);
    let position = world.position().await;
    assert_eq!((position.phase(), position.window()), ("listing", window()));

    // From here on nobody has to say it again.
    world.sync(vec![page(&[item_at("b", day(12))], "p3"), done(&[item_at("c", day(13))], "s1")]).await;
    expect(&["listing p2", "listing p3"]);
    world.break_after(SyncRequest::incremental(), vec![page(&[], "p2")]).await;
    expect(&["changes s1", "changes s1 p2"]);
    let position = world.position().await;
    assert!(matches!(position, Position::Tracking { page: Some(_), .. }), "{position:?}");
    assert_eq!(position.window(), window());
    world.sync(vec![done(&[], "s2")]).await;
    expect(&["changes s1 p2"]);

    // A position that is lost, twice: before the listing anew, and in its middle.
    let lost = || Err(Error::new(ErrorKind::CursorExpired, "too old"));
    let again = vec![lost(), Ok(page(&[item_at("a", day(11))], "p2")), lost(), Ok(done(&[], "s3"))];
    let report = world.try_run(SyncRequest::incremental(), again).await.unwrap();
    assert_eq!(report.resyncs, 2);
    expect(&["changes s2", "listing", "listing p2", "listing"]);
    assert_eq!((world.position().await.generation(), world.position().await.window()), (3, window()));

    // So does a stream that is always listed.
    world.sync(vec![listed(&[])]).await;
    world.sync(vec![listed(&[])]).await;
    expect(&["listing"]);
    assert_eq!(world.position().await.window(), window());
}

#[tokio::test]
async fn a_position_that_is_lost_is_stored_with_its_window_before_anything_else_is_read() {
    let world = World::new();
    world.run(within(window()), vec![done(&[], "s1")]).await;
    let script = vec![
        Err(Error::new(ErrorKind::CursorExpired, "too old")),
        Err(Error::new(ErrorKind::ServiceUnavailable, "not now")),
    ];
    world.try_run(SyncRequest::incremental(), script).await.unwrap_err();
    assert_eq!(world.position().await, Position::Resync { generation: 2, window: window() });
    world.sync(vec![done(&[], "s2")]).await;
    assert_eq!(world.asked()[0].window, window());
}

#[tokio::test]
async fn a_wider_window_lists_again_and_a_narrower_one_waits_for_the_next_listing() {
    let world = World::new();
    world.run(within(window()), vec![done(&[item_at("a", day(11)), item_at("b", day(15))], "s1")]).await;

    let narrower = Window::since(day(14)).until(day(20));
    world.run(within(narrower), vec![done(&[], "s2")]).await;
    assert_eq!((world.asked_from(), world.asked()[0].window), (vec!["changes s1".to_owned()], window()));
    let full = SyncRequest::full().within(narrower);
    let report = world.run(full, vec![done(&[item_at("b", day(15))], "s3")]).await;
    assert_eq!((report.swept, world.ids()), (1, vec!["b".to_owned()]));
    assert_eq!(world.position().await.window(), narrower);

    let report = world.run(within(window()), vec![done(&[item_at("a", day(11)), item("b")], "s4")]).await;
    assert_eq!((report.started_in, report.upserted), ("resync", 2));
    assert_eq!(world.asked()[0].window, window());
    // All there is, when it is asked for, is wider than any.
    world.run(within(Window::ALL), vec![done(&[item("a"), item("b"), item_at("c", day(99))], "s5")]).await;
    assert_eq!((world.asked_from(), world.position().await.window()), (vec!["listing".into()], Window::ALL));
    assert_eq!(world.ids(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_wider_window_in_the_middle_of_a_listing_begins_it_again() {
    let world = World::new();
    world.break_after(within(window()), vec![page(&[item_at("a", day(11))], "p2")]).await;
    let wide = Window::since(day(5));
    world.run(within(wide), vec![done(&[item_at("a", day(11)), item_at("z", day(6))], "s1")]).await;
    assert_eq!(world.asked_from(), ["listing"]);
    assert_eq!((world.position().await.window(), world.ids()), (wide, vec!["a".into(), "z".into()]));
}

#[tokio::test]
async fn what_lies_outside_is_left_out_and_what_moves_out_is_deleted() {
    let world = World::new();
    let all =
        [item_at("before", day(9)), item_at("in", day(11)), item_at("after", day(20)), item("timeless")];
    let report = world.run(within(window()), vec![done(&all, "s1")]).await;
    assert_eq!((report.upserted, report.deleted, report.outside), (2, 0, 2));
    assert_eq!(world.ids(), ["in", "timeless"]);

    let moved = [item_at("in", day(21)), item_at("before", day(12)), item_at("after", day(22))];
    let report = world.sync(vec![done(&moved, "s2")]).await;
    assert_eq!((report.upserted, report.deleted, report.outside), (1, 0, 2));
    assert_eq!(world.ids(), ["before", "timeless"]);
}
