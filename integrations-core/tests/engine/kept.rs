//! Of a stream that the provider shows in part, what was read is kept.

use integrations_core::sync::{Leftover, SyncRequest, Window};

use crate::script::{World, done, gone, item, items, listed, page};

#[tokio::test]
async fn no_listing_sweeps_it_and_what_is_named_goes() {
    let world = World::new();
    world.sync(vec![done(&items(&["a", "b", "c"]), "s1").partial()]).await;
    for ending in [done(&items(&["d"]), "s2"), done(&[], "s3"), listed(&items(&["d"]))] {
        let report = world.run(SyncRequest::full().accept_shrink(), vec![ending.partial()]).await;
        assert_eq!((report.swept, report.withheld), (0, None));
        assert_eq!(world.position().await.leftover(), Leftover::None);
    }
    assert_eq!(world.ids(), ["a", "b", "c", "d"]);
    let script = vec![page(&[gone("a")], "p2"), done(&[item("b")], "s4").partial()];
    let report = world.run(SyncRequest::full(), script).await;
    assert_eq!((report.deleted, report.swept), (1, 0));
    assert_eq!(world.ids(), ["b", "c", "d"]);
    // A listing of all there is sweeps.
    let report = world.run(SyncRequest::full(), vec![done(&items(&["b", "c"]), "s5")]).await;
    assert_eq!((report.swept, world.ids()), (1, vec!["b".to_owned(), "c".to_owned()]));
}

#[tokio::test]
async fn a_window_keeps_what_was_read_before() {
    let world = World::new();
    world.sync(vec![done(&items(&["a", "b"]), "s1").partial()]).await;
    let request = SyncRequest::full().within(Window::since(chrono::DateTime::UNIX_EPOCH));
    let report = world.run(request, vec![done(&items(&["b"]), "s2").partial()]).await;
    assert_eq!((report.swept, report.withheld), (0, None));
    assert_eq!(world.ids(), ["a", "b"]);
}

#[tokio::test]
async fn a_page_of_changes_does_not_forget_what_was_withheld() {
    let world = World::new();
    world.sync(vec![done(&items(&["a", "b", "c"]), "s1")]).await;
    world.run(SyncRequest::full(), vec![done(&[], "s2")]).await;
    assert_eq!(world.position().await.leftover(), Leftover::Withheld);
    world.sync(vec![done(&[], "s3").partial()]).await;
    assert_eq!(world.position().await.leftover(), Leftover::Withheld);
}
