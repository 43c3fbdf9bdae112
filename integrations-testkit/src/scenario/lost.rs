//! What if the provider has forgotten how far it was read, or lists less than there was?

use std::time::Duration;

use integrations_core::adapter::{Deletions, Increments};
use integrations_core::sync::{SyncRequest, Withheld};

use super::fake::Answer;
use super::host::{Host, PAGE, THREE_PAGES};
use super::subject::Subject;
use crate::conformance::ok;

const DAY: Duration = Duration::from_secs(86_400);

/// Everything is listed again in the same run, and what is gone meanwhile goes.
pub async fn a_lost_position_lists_again_and_deletes_what_is_gone(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.reads_changes()?;
    let ids = host.add(THREE_PAGES);
    host.sync().await;
    host.upheaval(&ids);
    host.fake.forget_positions()?;
    let report = host.sync().await;
    assert_eq!((report.started_in, report.resyncs), ("tracking", 1));
    assert_eq!((report.swept, report.withheld), (2, None));
    host.judge();
    // It has a position again.
    let report = host.sync().await;
    assert_eq!((report.started_in, report.resyncs), ("tracking", 0));
    host.judge();
    Ok(())
}

/// The listing begins again, whether the loss is noticed by the run that was under way or by the next.
pub async fn a_position_lost_in_the_middle_of_a_listing_begins_it_again(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    let ids = host.add(THREE_PAGES);
    let held = host.hold(host.fake.listing()[0], 2).await;
    host.fake.forget_pages()?;
    let report = ok(held.finish().await);
    // An adapter may know where the page began.
    assert!(report.resyncs <= 1, "{report:?}");
    assert_eq!((report.swept, report.withheld), (0, None));
    host.judge();

    ok(host.gateway.forget_stream(&host.connection.id, &host.fake.stream()).await);
    host.fault(crate::Fault::on(host.fake.listing()[0]).nth(3).status(500));
    assert!(host.run(&host.gateway).await.is_err(), "two pages are read, then the provider breaks down");
    host.upheaval(&ids);
    host.fake.forget_pages()?;
    let report = host.sync().await;
    assert_eq!(report.started_in, "listing");
    assert!(report.resyncs <= 1, "{report:?}");
    host.catch_up().await;
    Ok(())
}

/// What was not read of the changes comes all the same.
pub async fn a_position_lost_in_the_middle_of_changes_lists_again(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.reads_changes()?;
    let ids = host.add(THREE_PAGES);
    host.sync().await;
    host.change_all(&ids);
    let held = host.hold(host.fake.changes()[0], 2).await;
    host.fake.forget_positions()?;
    host.fake.forget_pages()?;
    let report = ok(held.finish().await);
    assert_eq!((report.started_in, report.resyncs, report.swept), ("tracking", 1, 0));
    host.judge();
    Ok(())
}

/// What a run does not notice is found by the listing that the host wants once in a while, and no sooner. Where
/// deletions are named, none is needed.
pub async fn a_deletion_is_found_when_it_is_time_to_list_again(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.fake.sweeps()?;
    let ids = host.add(THREE_PAGES);
    // What is looked at again of late is not all.
    host.clock.advance(9 * DAY);
    let request = SyncRequest::incremental().relist_after(DAY);
    host.sync_with(request).await;
    host.delete(&ids[1]);
    host.change(&ids[2]);
    let goes_on = if host.capabilities().increments == Increments::None { "listed" } else { "tracking" };
    let report = host.sync_with(request).await;
    assert_eq!((report.started_in, report.withheld), (goes_on, None));
    host.clock.advance(DAY);
    let report = host.sync_with(request).await;
    let named = host.capabilities().deletions == Deletions::Named || goes_on == "listed";
    assert_eq!(report.started_in, if named { goes_on } else { "resync" });
    assert_eq!((report.resyncs, report.withheld), (0, None));
    host.judge();
    Ok(())
}

/// Law 5: absence is no proof. The records stay, run after run, until the host says so.
pub async fn an_empty_listing_deletes_nothing_until_the_host_says_so(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.fake.sweeps()?;
    let ids = host.add(THREE_PAGES);
    host.sync().await;
    for id in &ids {
        host.delete(id);
    }
    let report = host.list_again().await;
    let all = ids.len() as u64;
    assert_eq!((report.withheld, report.swept), (Some(Withheld { seen: 0, unseen: all }), 0));
    assert_eq!(host.records().len(), ids.len());
    let report = host.sync().await;
    // A provider that names what is gone with some time before the mark names it now.
    let left = all - report.deleted;
    let withheld = (left > 0).then_some(Withheld { seen: 0, unseen: left });
    assert_eq!((report.withheld, report.swept), (withheld, 0));
    assert_eq!(host.records().len() as u64, left);

    let report = host.sync_with(SyncRequest::incremental().accept_shrink()).await;
    assert_eq!((report.withheld, report.swept), (None, left));
    host.judge();
    Ok(())
}

/// Nor is a listing believed that has seen a small part of what there was.
pub async fn a_listing_that_shrinks_sharply_is_not_believed(subject: Subject) -> Answer {
    let host = Host::new(&subject).await?;
    host.fake.sweeps()?;
    let ids = host.add(8 * PAGE);
    host.sync().await;
    let (kept, gone) = ids.split_at(2);
    for id in gone {
        host.delete(id);
    }
    let report = host.list_again().await;
    let withheld = Withheld { seen: kept.len() as u64, unseen: gone.len() as u64 };
    assert_eq!((report.withheld, report.swept), (Some(withheld), 0));
    assert_eq!(host.records().len(), ids.len());
    let report = host.sync_with(SyncRequest::full().accept_shrink()).await;
    assert_eq!((report.withheld, report.swept), (None, gone.len() as u64));
    host.judge();
    Ok(())
}
