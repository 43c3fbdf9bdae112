//! Does everything that is there come, once, and stay what it is?

use std::collections::BTreeSet;

use integrations_core::sync::SyncRequest;

use super::fake::Answer;
use super::host::{Host, PAGE, THREE_PAGES};
use super::subject::Subject;
use crate::conformance::ok;

/// Over several pages, into an empty sink.
pub async fn a_first_sync_brings_every_item_once(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.add(THREE_PAGES);
    let report = host.sync().await;
    assert_eq!(report.started_in, "start");
    assert_eq!((report.upserted, report.quarantined), (THREE_PAGES as u64, 0));
    assert_eq!((report.deleted, report.swept, report.resyncs, report.withheld), (0, 0, 0, None));
    assert!(report.pages >= 3, "the fake is asked to cap its pages: {report:?}");
    host.judge();
    Ok(())
}

/// A run that finds nothing new writes nothing; where the provider gives what is new with some time before
/// it, nothing but that comes again.
pub async fn a_run_without_news_changes_nothing(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.add(THREE_PAGES);
    host.sync().await;
    for _ in 0..2 {
        let report = host.sync().await;
        assert_eq!((report.swept, report.resyncs, report.withheld), (0, 0, None));
        if host.is_exact() {
            assert_eq!((report.upserted, report.deleted), (0, 0), "each change comes once");
        }
        host.judge();
    }
    Ok(())
}

/// The next run has it.
pub async fn an_item_that_is_added_comes(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.add(PAGE);
    host.sync().await;
    let added = host.add(1);
    let report = host.sync().await;
    if host.is_exact() {
        assert_eq!((report.upserted, report.deleted), (1, 0));
    }
    assert!(host.record(&added[0]).is_some());
    host.judge();
    Ok(())
}

/// The next run has its new state.
pub async fn an_item_that_changes_changes(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(PAGE);
    host.sync().await;
    for _ in 0..2 {
        let before = host.record(&ids[1]);
        host.change(&ids[1]);
        let report = host.sync().await;
        if host.is_exact() {
            assert_eq!((report.upserted, report.deleted), (1, 0));
        }
        assert_ne!(host.record(&ids[1]), before);
        host.judge();
    }
    Ok(())
}

/// The next run knows, or the next full one where the service names no deletions.
pub async fn an_item_that_is_deleted_goes(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(2 * PAGE);
    host.sync().await;
    host.delete(&ids[1]);
    let report = if host.notices_deletions() {
        host.sync().await
    } else {
        host.sync().await;
        assert!(host.record(&ids[1]).is_some(), "a run that lists nothing cannot know");
        host.sync_with(SyncRequest::full()).await
    };
    if host.is_exact() && host.notices_deletions() {
        assert_eq!((report.upserted, report.deleted), (0, 1));
    }
    assert_eq!((report.deleted + report.swept, report.withheld), (1, None));
    host.judge();
    Ok(())
}

/// A listing of nothing, of less than a page, of exactly one, of one and a bit, and so on.
pub async fn every_page_boundary_of_a_listing(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    for items in 0..=THREE_PAGES {
        let report = host.sync().await;
        assert_eq!(report.upserted, items as u64);
        assert!(report.pages >= items.div_ceil(PAGE) as u64, "{items} items: {report:?}");
        host.judge();
        ok(host.gateway.forget_stream(&host.connection.id, &host.fake.stream()).await);
        host.add(1);
    }
    Ok(())
}

/// The same of changes.
pub async fn every_page_boundary_of_changes(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.reads_changes()?;
    let ids = host.add(THREE_PAGES);
    host.sync().await;
    for items in 0..=THREE_PAGES {
        host.change_all(&ids[..items]);
        let report = host.sync().await;
        assert_eq!((report.started_in, report.swept), ("tracking", 0));
        if host.is_exact() {
            assert_eq!(report.upserted, items as u64);
        }
        assert!(report.pages >= items.div_ceil(PAGE) as u64, "{items} changes: {report:?}");
        host.judge();
    }
    Ok(())
}

/// Items are changed, added and deleted before the second page is read, and before the third: on pages that
/// were read, and on pages that were not.
pub async fn what_happens_during_a_listing_is_not_lost(subject: Subject) -> Answer {
    for page in [2, 3] {
        let host = Host::new(&subject).await?;
        let ids = host.add(THREE_PAGES);
        let held = host.hold(host.fake.listing()[0], page).await;
        host.upheaval(&ids);
        ok(held.finish().await);
        host.catch_up().await;
    }
    Ok(())
}

/// The same while changes are read.
pub async fn what_happens_while_changes_are_read_is_not_lost(subject: Subject) -> Answer {
    for page in [2, 3] {
        let host = Host::new(&subject).await?;
        host.reads_changes()?;
        let ids = host.add(THREE_PAGES);
        host.sync().await;
        host.change_all(&ids);
        let held = host.hold(host.fake.changes()[0], page).await;
        host.upheaval(&ids);
        ok(held.finish().await);
        host.catch_up().await;
    }
    Ok(())
}

/// Not of a listing, and not of changes.
pub async fn an_empty_page_with_a_next_page_is_no_end(subject: Subject) -> Answer {
    let host = Host::with(&subject, |mut set_up| {
        set_up.empty_pages = true;
        set_up
    })
    .await?;
    let ids = host.add(THREE_PAGES);
    let report = host.sync().await;
    assert_eq!(report.upserted, THREE_PAGES as u64);
    assert!(report.pages > 3, "the fake is asked for empty pages: {report:?}");
    host.judge();
    host.change_all(&ids);
    host.sync().await;
    host.judge();
    Ok(())
}

/// What comes on two pages of a listing is one record, and no error.
pub async fn an_item_that_comes_twice_is_there_once(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(THREE_PAGES);
    host.then(|| host.fake.repeat(&ids[0]))?;
    let report = host.sync().await;
    assert_eq!(report.quarantined, 0);
    assert!(report.upserted > THREE_PAGES as u64, "the fake is asked to repeat an item: {report:?}");
    host.judge();
    host.sync_with(SyncRequest::full()).await;
    host.judge();
    Ok(())
}

/// It lists everything, and deletes nothing that is there.
pub async fn a_full_sync_keeps_what_is_there(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.add(THREE_PAGES);
    host.sync().await;
    let report = host.sync_with(SyncRequest::full()).await;
    assert_eq!((report.upserted, report.deleted), (THREE_PAGES as u64, 0));
    assert_eq!((report.swept, report.withheld), (0, None));
    host.judge();
    let report = host.sync().await;
    assert_eq!((report.swept, report.withheld), (0, None));
    host.judge();
    Ok(())
}

/// A host that is short of memory asks for small pages, and gets them.
pub async fn a_page_holds_no_more_than_is_asked_for(subject: Subject) -> Answer {
    let host = Host::with(&subject, |mut set_up| {
        set_up.page_cap = usize::MAX;
        set_up
    })
    .await?;
    let small = host.process_with_pages_of(2);
    let ids = host.add(5);
    let report = ok(host.run(&small).await);
    assert!(report.pages >= 3, "five items are at least three pages of two: {report:?}");
    assert_eq!(host.ids(), ids.iter().cloned().collect::<BTreeSet<_>>());
    host.change_all(&ids);
    let report = ok(host.run(&small).await);
    assert!(report.pages >= 3, "five changes are at least three pages of two: {report:?}");
    host.judge();
    Ok(())
}
