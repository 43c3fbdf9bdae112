//! A stream of which the provider shows the last months alone keeps what was read.

use integrations_core::sync::{Leftover, SyncRequest, Window};

use crate::script::{World, done, gone, item, items, listed, page};

fn kept() -> World {
    let mut world = World::new();
    world.stream.kept = true;
    world
}

#[tokio::test]
async fn no_listing_sweeps_it_and_what_is_named_goes() {
    let world = kept();
    world.sync(vec![done(&items(&["a", "b", "c"]), "s1")]).await;
    for ending in [done(&items(&["d"]), "s2"), done(&[], "s3"), listed(&items(&["d"]))] {
        let report = world.run(SyncRequest::full().accept_shrink(), vec![ending]).await;
        assert_eq!((report.swept, report.withheld), (0, None));
        assert_eq!(world.position().await.leftover(), Leftover::None);
    }
    assert_eq!(world.ids(), ["a", "b", "c", "d"]);
    let report =
        world.run(SyncRequest::full(), vec![page(&[gone("a")], "p2"), done(&[item("b")], "s4")]).await;
    assert_eq!((report.deleted, report.swept), (1, 0));
    assert_eq!(world.ids(), ["b", "c", "d"]);
}

#[tokio::test]
async fn a_window_keeps_what_was_read_before() {
    let world = kept();
    world.sync(vec![done(&items(&["a", "b"]), "s1")]).await;
    let window = Window::since(chrono::DateTime::UNIX_EPOCH);
    let report = world.run(SyncRequest::full().within(window), vec![done(&items(&["b"]), "s2")]).await;
    assert_eq!((report.swept, report.withheld), (0, None));
    assert_eq!(world.ids(), ["a", "b"]);
}
