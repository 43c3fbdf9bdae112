//! A stream that nothing changes in any more is read to its end once.

use integrations_core::sync::{Leftover, Position, SyncRequest, SyncSettings, Window};

use crate::script::{World, done, gone, item, items, listed, page};

fn frozen() -> World {
    let mut world = World::new();
    world.stream.frozen = true;
    world
}

/// Runs the stream, and asserts that nothing is asked for and nothing is written.
async fn rests(world: &World) {
    let revision = world.state().await.revision;
    let report = world.sync(vec![]).await;
    assert_eq!((report.started_in, report.pages), ("listed", 0));
    assert_eq!(world.asked(), []);
    assert_eq!(world.state().await.revision, revision);
}

#[tokio::test]
async fn it_is_read_once_and_again_by_a_full_sync() {
    for ending in [done(&items(&["c"]), "s1"), listed(&items(&["c"]))] {
        let world = frozen();
        let report = world.sync(vec![page(&items(&["a", "b"]), "p2"), ending]).await;
        assert_eq!((report.started_in, report.upserted), ("start", 3));
        rests(&world).await;
        rests(&world).await;

        let report = world.run(SyncRequest::full(), vec![done(&items(&["a", "b"]), "s2")]).await;
        assert_eq!((report.upserted, report.swept), (2, 1));
        assert_eq!(world.asked_from(), ["listing"]);
        rests(&world).await;
        assert_eq!(world.ids(), ["a", "b"]);
    }
}

#[tokio::test]
async fn it_is_read_to_its_end_first() {
    let world = frozen();
    world.break_after(SyncRequest::incremental(), vec![page(&items(&["a"]), "p2")]).await;
    let report = world.sync(vec![done(&items(&["b"]), "s1")]).await;
    assert_eq!((report.started_in, report.upserted), ("listing", 1));
    assert_eq!(world.asked_from(), ["listing p2"]);
    rests(&world).await;
    assert_eq!(world.ids(), ["a", "b"]);
}

#[tokio::test]
async fn what_changed_before_it_froze_is_read_once_more() {
    let mut world = World::new();
    world.sync(vec![done(&items(&["a", "b"]), "s1")]).await;
    world.stream.frozen = true;
    world.break_after(SyncRequest::incremental(), vec![page(&items(&["c"]), "p2")]).await;
    let report = world.sync(vec![done(&[item("d"), gone("a")], "s2")]).await;
    assert_eq!((report.started_in, report.upserted, report.deleted), ("tracking", 1, 1));
    assert_eq!(world.asked_from(), ["changes s1 p2"]);
    assert_eq!(world.ids(), ["b", "c", "d"]);
    let end = Position::Listed { generation: 1, leftover: Leftover::None, window: Window::ALL };
    assert_eq!(world.position().await, end);
    rests(&world).await;
}

#[tokio::test]
async fn a_wider_window_reads_it_again() {
    let world = frozen();
    let time = |day: u32| format!("2026-03-{day:02}T00:00:00Z").parse().unwrap();
    let window = |day| SyncRequest::incremental().within(Window::since(time(day)));
    world.run(window(10), vec![done(&[item("a")], "s1")]).await;
    world.run(window(15), vec![]).await;
    world.run(window(5), vec![done(&items(&["a", "b"]), "s2")]).await;
    assert_eq!(world.asked_from(), ["listing"]);
    world.run(window(5), vec![]).await;
    assert_eq!(world.position().await.window(), Window::since(time(5)));
}

#[tokio::test]
async fn what_was_withheld_of_it_goes_when_the_host_says_so() {
    let mut world = World::with({
        let mut settings = SyncSettings::default();
        settings.believable = 0;
        settings
    });
    world.stream.frozen = true;
    world.sync(vec![listed(&items(&["a", "b", "c"]))]).await;
    let report = world.run(SyncRequest::full(), vec![listed(&items(&["a"]))]).await;
    assert_eq!(report.withheld.map(|withheld| withheld.unseen), Some(2));

    // Until then it rests, and says so.
    let report = world.sync(vec![]).await;
    assert_eq!((world.asked(), report.withheld.map(|withheld| withheld.unseen)), (vec![], Some(2)));
    let report = world.run(SyncRequest::incremental().accept_shrink(), vec![]).await;
    assert_eq!((report.swept, world.ids()), (2, vec!["a".to_owned()]));
    rests(&world).await;
}

#[tokio::test]
async fn one_that_thaws_is_listed_anew_and_followed_again() {
    let mut world = frozen();
    world.sync(vec![done(&items(&["a", "b"]), "s1")]).await;
    rests(&world).await;
    world.stream.frozen = false;
    let report = world.sync(vec![done(&items(&["b", "c"]), "s2")]).await;
    assert_eq!((report.upserted, report.swept), (2, 1));
    assert_eq!(world.asked_from(), ["listing"]);
    world.sync(vec![done(&items(&["d"]), "s3")]).await;
    assert_eq!((world.asked_from(), world.ids().len()), (vec!["changes s2".into()], 3));
}
