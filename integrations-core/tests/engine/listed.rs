//! A stream that no changes follow is listed by every run; and what a page says is gone without an item.

use integrations_core::sync::{Leftover, Position, SyncRequest, SyncSettings, Window};

use crate::script::{World, done, exception, gone, item, items, listed, page};

/// Believes that one is gone, and no more than half.
fn strict() -> SyncSettings {
    let mut settings = SyncSettings::default();
    settings.believable = 1;
    settings
}

fn at(generation: u64, leftover: Leftover) -> Position {
    Position::Listed { generation, leftover, window: Window::ALL }
}

#[tokio::test]
async fn each_run_lists_it_anew_and_sweeps_what_is_gone() {
    let world = World::new();
    let report = world.sync(vec![page(&items(&["a", "b", "c"]), "p2"), listed(&items(&["d"]))]).await;
    assert_eq!((report.started_in, report.pages, report.upserted, report.swept), ("start", 2, 4, 0));
    assert_eq!(world.asked_from(), ["listing", "listing p2"]);
    assert_eq!(world.position().await, at(1, Leftover::None));

    let report = world.sync(vec![page(&items(&["a", "b"]), "p2"), listed(&items(&["e"]))]).await;
    assert_eq!((report.started_in, report.upserted, report.swept, report.resyncs), ("listed", 3, 2, 0));
    assert_eq!(world.asked_from(), ["listing", "listing p2"]);
    assert_eq!(world.ids(), ["a", "b", "e"]);
    assert_eq!(world.position().await, at(2, Leftover::None));
    assert_eq!(world.position().await.phase(), "listed");
    assert_eq!(world.notices("StreamResync"), 0, "nothing was lost");
    // A full sync does the same.
    let report = world.run(SyncRequest::full(), vec![listed(&items(&["e"]))]).await;
    assert_eq!((report.started_in, report.swept), ("listed", 2));
}

#[tokio::test]
async fn a_listing_that_breaks_off_deletes_nothing_and_is_gone_on_with() {
    let world = World::new();
    world.sync(vec![listed(&items(&["a", "b", "c", "d"]))]).await;
    world.break_after(SyncRequest::incremental(), vec![page(&items(&["a", "b"]), "p2")]).await;
    assert_eq!(world.ids(), ["a", "b", "c", "d"]);
    assert_eq!(world.position().await.phase(), "listing");

    let report = world.sync(vec![listed(&items(&["c"]))]).await;
    assert_eq!((report.started_in, report.upserted, report.swept), ("listing", 1, 1));
    assert_eq!(world.asked_from(), ["listing p2"]);
    assert_eq!(world.ids(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_shrink_that_cannot_be_believed_is_withheld_until_a_later_listing_or_the_host_says_otherwise() {
    let world = World::with(strict());
    let all = items(&["a", "b", "c", "d", "e"]);
    world.sync(vec![listed(&all)]).await;

    for empty in [vec![], items(&["a", "b"])] {
        let report = world.sync(vec![listed(&empty)]).await;
        let withheld = report.withheld.unwrap();
        assert_eq!((withheld.seen, withheld.unseen), (empty.len() as u64, 5 - empty.len() as u64));
        assert_eq!((report.swept, world.ids().len()), (0, 5));
        assert_eq!(world.position().await.leftover(), Leftover::Withheld);
    }
    assert_eq!(world.notices("DeletionsWithheld"), 2);

    // The next run lists again, whatever was withheld; what is back was never gone.
    let report = world.sync(vec![listed(&all)]).await;
    assert_eq!((report.withheld, report.swept), (None, 0));
    assert_eq!(world.position().await, at(4, Leftover::None));

    let report = world.run(SyncRequest::incremental().accept_shrink(), vec![listed(&[])]).await;
    assert_eq!((report.withheld, report.swept), (None, 5));
    assert_eq!(world.ids().len(), 0);
}

#[tokio::test]
async fn a_listing_with_an_item_that_nobody_can_name_deletes_nothing() {
    let world = World::new();
    world.sync(vec![listed(&items(&["a", "b", "c"]))]).await;
    let odd = [item("a"), item("b"), "{}".to_owned()];
    let report = world.sync(vec![listed(&odd)]).await;
    assert_eq!((report.quarantined, report.swept), (1, 0));
    assert_eq!(report.withheld.map(|withheld| withheld.unseen), Some(1));
    assert_eq!(world.ids(), ["a", "b", "c"]);
    let report = world.sync(vec![listed(&items(&["a", "b"]))]).await;
    assert_eq!((report.withheld, report.swept), (None, 1));
}

#[tokio::test]
async fn a_provider_may_begin_and_cease_to_have_changes_to_follow() {
    let world = World::new();
    world.sync(vec![listed(&items(&["a", "b"]))]).await;
    let report = world.sync(vec![done(&items(&["a"]), "s1")]).await;
    assert_eq!((report.started_in, report.swept), ("listed", 1));
    // In the middle of the changes it has none any more: what they said counts, and the next run lists.
    let report = world.sync(vec![listed(&items(&["c"]))]).await;
    assert_eq!((report.started_in, report.upserted, report.swept), ("tracking", 1, 0));
    assert_eq!(world.asked_from(), ["changes s1"]);
    assert_eq!(world.ids(), ["a", "c"]);
    assert_eq!(world.position().await, at(2, Leftover::None));
    let report = world.sync(vec![listed(&items(&["c"]))]).await;
    assert_eq!((report.started_in, report.swept), ("listed", 1));
    assert_eq!(world.asked_from(), ["listing"]);
}

#[tokio::test]
async fn what_a_page_says_is_gone_is_deleted_before_its_items_are_written() {
    let world = World::new();
    let all = [item("a"), item("b"), item("c"), exception("b1", "b"), exception("c1", "c")];
    world.sync(vec![done(&all, "s1")]).await;
    // `b` is gone, with what belongs to it, and back: it counts.
    let gone_ids = ["a", "b", "never-seen"].map(str::to_owned).to_vec();
    let back = done(&[item("b"), gone("c")], "s2").with_deleted(gone_ids);
    let report = world.sync(vec![back]).await;
    assert_eq!((report.upserted, report.deleted, report.outside), (1, 4, 0));
    assert_eq!(world.ids(), ["b"]);
}

#[tokio::test]
async fn a_listing_may_say_what_is_gone() {
    let world = World::with(strict());
    world.sync(vec![listed(&items(&["a", "b", "c", "d"]))]).await;
    let gone_ids = ["b", "c"].map(str::to_owned).to_vec();
    let report = world.sync(vec![listed(&items(&["a", "d"])).with_deleted(gone_ids)]).await;
    // What is named needs no belief: nothing is left to be swept or withheld.
    assert_eq!((report.deleted, report.swept, report.withheld), (2, 0, None));
    assert_eq!(world.ids(), ["a", "d"]);
}

#[tokio::test]
async fn what_was_withheld_is_forgotten_when_nothing_is_left_of_it() {
    let world = World::new();
    let many: Vec<String> = (0..30).map(|number| format!("i{number:02}")).collect();
    let many: Vec<_> = many.iter().map(|id| item(id)).collect();
    world.sync(vec![done(&many, "s1")]).await;
    let report = world.run(SyncRequest::full(), vec![done(&many[..1], "s2")]).await;
    assert_eq!(report.withheld.map(|withheld| withheld.unseen), Some(29));
    // Each of them changes after all: they are there.
    let report = world.sync(vec![done(&many, "s3")]).await;
    assert_eq!(report.withheld, None);
    assert_eq!(world.position().await.leftover(), Leftover::None);
    assert_eq!(world.ids().len(), 30);
}
