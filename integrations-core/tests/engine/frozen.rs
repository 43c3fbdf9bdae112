//! A stream that nothing changes in any more is read once.

use integrations_core::sync::{SyncRequest, SyncSettings, Window};

use crate::script::{World, done, item, items, listed, page};

fn frozen() -> World {
    let mut world = World::new();
    world.stream.frozen = true;
    world
}

#[tokio::test]
async fn it_is_read_once_and_again_by_a_full_sync() {
    for ending in [done(&items(&["c"]), "s1"), listed(&items(&["c"]))] {
        let world = frozen();
        let phase = if matches!(ending.next, integrations_core::adapter::Next::Listed) {
            "listed"
        } else {
            "tracking"
        };
        let report = world.sync(vec![page(&items(&["a", "b"]), "p2"), ending]).await;
        assert_eq!((report.started_in, report.upserted), ("start", 3));
        let revision = world.state().await.revision;

        let report = world.sync(vec![]).await;
        assert_eq!((report.started_in, report.pages), (phase, 0));
        assert_eq!(world.asked(), []);
        assert_eq!(world.state().await.revision, revision, "nothing is written");

        let report = world.run(SyncRequest::full(), vec![listed(&items(&["a", "b"]))]).await;
        assert_eq!((report.upserted, report.swept), (2, 1));
        assert_eq!(world.asked_from(), ["listing"]);
        world.sync(vec![]).await;
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
    world.sync(vec![]).await;
    assert_eq!(world.ids(), ["a", "b"]);
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
}

#[tokio::test]
async fn what_was_withheld_of_it_is_still_to_be_said() {
    let mut world = World::with({
        let mut settings = SyncSettings::default();
        settings.believable = 0;
        settings
    });
    world.stream.frozen = true;
    world.sync(vec![listed(&items(&["a", "b", "c"]))]).await;
    let report = world.run(SyncRequest::full(), vec![listed(&items(&["a"]))]).await;
    assert_eq!(report.withheld.map(|withheld| withheld.unseen), Some(2));

    let again = vec![listed(&items(&["a"]))];
    let report = world.run(SyncRequest::full().accept_shrink(), again).await;
    assert_eq!((report.swept, world.ids()), (2, vec!["a".to_owned()]));
    world.sync(vec![]).await;
}

#[tokio::test]
async fn one_that_thaws_is_followed_again() {
    let mut world = frozen();
    world.sync(vec![done(&items(&["a"]), "s1")]).await;
    world.sync(vec![]).await;
    world.stream.frozen = false;
    world.sync(vec![done(&items(&["b"]), "s2")]).await;
    assert_eq!((world.asked_from(), world.ids()), (vec!["changes s1".into()], vec!["a".into(), "b".into()]));
}
