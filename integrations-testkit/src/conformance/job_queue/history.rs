//! What does the queue know, and for how long?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::{Clock, ManualClock};
use integrations_core::connection::Owner;
use integrations_core::queue::{
    JobId, JobQuery, JobQueue, JobRecord, JobState, KindStats, NewJob, Outcome, QueueStats,
};

use super::{
    KIND, MINUTE, SECOND, done, end, find, in_state, job, ok, payload, put, put_all, record, take, take_of,
    take_one,
};

fn ids(records: &[JobRecord]) -> Vec<&JobId> {
    records.iter().map(|record| &record.job.id).collect()
}

async fn stats(queue: &Arc<dyn JobQueue>, kind: &str) -> KindStats {
    let QueueStats { kinds } = ok(queue.stats().await);
    *kinds.get(&kind.into()).unwrap_or_else(|| panic!("there was a job of kind {kind}: {kinds:?}"))
}

/// What there is now, and what there ever was.
pub async fn stats_count_by_kind(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    assert_eq!(ok(queue.stats().await), QueueStats::default());
    put_all(&queue, (0..7).map(|_| job("ada")).collect()).await;
    put_all(&queue, (0..2).map(|_| job("ada").delay(MINUTE)).collect()).await;
    put(&queue, NewJob::new("report", "ada")).await;
    let leases = take(&queue, 5).await;
    done(&queue, &leases[0]).await;
    done(&queue, &leases[1]).await;
    end(&queue, &leases[2], Outcome::Dead).await;
    end(&queue, &leases[3], Outcome::Retry { after: 2 * MINUTE }).await;
    let now = stats(&queue, KIND).await;
    assert_eq!((now.ready, now.delayed, now.running, now.dead), (2, 3, 1, 1), "{now:?}");
    assert_eq!((now.done_ever, now.retried_ever, now.dead_ever), (2, 1, 1), "{now:?}");
    let report = stats(&queue, "report").await;
    assert_eq!((report.ready, report.delayed, report.running, report.dead), (1, 0, 0, 0), "{report:?}");
    assert_eq!((report.done_ever, report.retried_ever, report.dead_ever), (0, 0, 0), "{report:?}");
    let all = ok(queue.stats().await);
    assert_eq!(all.kinds.len(), 2, "{all:?}");
    assert_eq!((all.total().ready, all.total().delayed), (3, 3));
    clock.advance(MINUTE - SECOND);
    end(&queue, &leases[4], Outcome::Release).await;
    clock.advance(SECOND);
    let later = stats(&queue, KIND).await;
    assert_eq!((later.ready, later.delayed, later.running), (5, 1, 0), "two have become due: {later:?}");
    let dead = in_state(&queue, JobState::Dead).await;
    ok(queue.requeue(&[dead[0].job.id.clone()]).await);
    clock.advance(SECOND);
    ok(queue.purge(clock.now()).await);
    let last = stats(&queue, KIND).await;
    assert_eq!((last.ready, last.dead), (6, 0), "{last:?}");
    assert_eq!((last.done_ever, last.retried_ever, last.dead_ever), (2, 1, 1), "they stay: {last:?}");
}

/// Since it was due, not since it was put in.
pub async fn stats_tell_how_long_the_oldest_has_been_due(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    put(&queue, job("ada").delay(10 * SECOND)).await;
    assert_eq!(stats(&queue, KIND).await.oldest, None, "none is due");
    clock.advance(30 * SECOND);
    assert_eq!(stats(&queue, KIND).await.oldest, Some(20 * SECOND));
    put(&queue, job("bob")).await;
    clock.advance(5 * SECOND);
    assert_eq!(stats(&queue, KIND).await.oldest, Some(25 * SECOND));
    assert_eq!(take(&queue, 1).await[0].job.owner, Owner::from("ada"));
    assert_eq!(stats(&queue, KIND).await.oldest, Some(5 * SECOND));
    take_one(&queue).await;
    assert_eq!(stats(&queue, KIND).await.oldest, None);
    put(&queue, job("ada")).await;
    assert_eq!(stats(&queue, KIND).await.oldest, Some(Duration::ZERO));
}

/// Each job in one state.
pub async fn jobs_are_found_by_state(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let enqueued = put_all(&queue, (0..8).map(|_| job("ada")).collect()).await;
    let id = |index: usize| &enqueued[index].id;
    let leases = take(&queue, 6).await;
    for lease in &leases[..2] {
        done(&queue, lease).await;
    }
    end(&queue, &leases[2], Outcome::Dead).await;
    end(&queue, &leases[3], Outcome::Retry { after: MINUTE }).await;
    let expected = [
        (JobState::Waiting, vec![id(3), id(6), id(7)]),
        (JobState::Running, vec![id(4), id(5)]),
        (JobState::Done, vec![id(0), id(1)]),
        (JobState::Dead, vec![id(2)]),
    ];
    for (state, expected) in expected {
        let found = in_state(&queue, state).await;
        assert_eq!(ids(&found), expected, "{state:?}");
        assert!(found.iter().all(|record| record.state == state));
    }
    assert_eq!(find(&queue, JobQuery::default()).await.len(), 8);
}

/// And by all that together.
pub async fn jobs_are_found_by_kind_owner_and_id(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let acme = Owner::new("acme", "ada");
    let jobs = vec![
        job("ada"),
        job("bob"),
        NewJob::new("report", "ada"),
        NewJob::new(KIND, acme.clone()),
        job("ada"),
    ];
    let enqueued = put_all(&queue, jobs).await;
    let found = async |query: JobQuery| {
        let found = find(&queue, query).await;
        let place = |id: &JobId| enqueued.iter().position(|enqueued| enqueued.id == *id);
        ids(&found).into_iter().filter_map(place).collect::<Vec<_>>()
    };
    assert_eq!(found(JobQuery::default()).await, [0, 1, 2, 3, 4]);
    assert_eq!(found(JobQuery::default().kind(KIND)).await, [0, 1, 3, 4]);
    assert_eq!(found(JobQuery::default().owner("ada")).await, [0, 2, 4]);
    assert_eq!(found(JobQuery::default().owner(acme)).await, [3]);
    assert_eq!(found(JobQuery::default().kind("report").owner("ada")).await, [2]);
    assert!(found(JobQuery::default().kind("report").owner("bob")).await.is_empty());
    assert_eq!(found(JobQuery::by_id(&enqueued[1].id)).await, [1]);
    assert!(found(JobQuery::by_id(&enqueued[1].id).owner("ada")).await.is_empty());
    assert!(found(JobQuery::by_id("unknown")).await.is_empty());
    let lease = take_of(&queue, "report", 1).await.remove(0);
    done(&queue, &lease).await;
    assert_eq!(found(JobQuery::in_state(JobState::Done).owner("ada")).await, [2]);
    assert!(found(JobQuery::in_state(JobState::Done).kind(KIND)).await.is_empty());
    assert_eq!(found(JobQuery::in_state(JobState::Waiting).owner("ada")).await, [0, 4]);
}

/// With the window's beginning, without its end.
pub async fn jobs_are_found_by_the_time_they_were_finished(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let start = clock.now();
    let enqueued = put_all(&queue, (0..6).map(|_| job("ada")).collect()).await;
    for (index, lease) in take(&queue, 5).await.iter().enumerate() {
        clock.advance(SECOND);
        end(&queue, lease, if index == 2 { Outcome::Dead } else { Outcome::Done }).await;
    }
    let at = |second: u64| start + Duration::from_secs(second);
    let found = find(&queue, JobQuery::default().finished(at(2), at(4))).await;
    assert_eq!(ids(&found), [&enqueued[1].id, &enqueued[2].id]);
    let found = find(&queue, JobQuery::in_state(JobState::Done).finished(at(2), at(4))).await;
    assert_eq!(ids(&found), [&enqueued[1].id]);
    let mut open = JobQuery::default();
    open.finished_since = Some(at(4));
    assert_eq!(ids(&find(&queue, open).await), [&enqueued[3].id, &enqueued[4].id]);
    let mut open = JobQuery::default();
    open.finished_before = Some(at(2));
    assert_eq!(ids(&find(&queue, open).await), [&enqueued[0].id], "what is not finished has no such time");
}

/// In the order in which they were put in, whatever has become of them; 100 where nothing is said.
pub async fn jobs_are_found_by_pages_in_their_order(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let mut enqueued = Vec::new();
    for batch in 0..3 {
        let owner = format!("user {batch}");
        let delay = Duration::from_secs(3 - batch);
        enqueued.extend(put_all(&queue, (0..50).map(|_| job(&owner).delay(delay)).collect()).await);
    }
    put_all(&queue, (0..20).map(|_| job("ada")).collect()).await;
    for lease in take(&queue, 7).await {
        done(&queue, &lease).await;
    }
    let expected: Vec<&JobId> = enqueued.iter().map(|enqueued| &enqueued.id).collect();
    let first = find(&queue, JobQuery::default()).await;
    assert_eq!(ids(&first), expected[..100]);
    let mut all = Vec::new();
    loop {
        let after = all.last().map(|record: &JobRecord| record.job.id.clone());
        let page = find(&queue, JobQuery::default().kind(KIND).page(after, 40)).await;
        assert!(page.len() <= 40, "{} in a page", page.len());
        if page.is_empty() {
            break;
        }
        all.extend(page);
        assert!(all.len() <= 170, "a page brings what another has brought, or the pages never end");
    }
    assert_eq!(all.len(), 170);
    assert_eq!(ids(&all[..150]), expected);
    assert_eq!(all[150..].iter().filter(|record| record.state == JobState::Done).count(), 7);
    let after = Some(expected[149].clone());
    for state in [JobState::Done, JobState::Waiting] {
        let page = find(&queue, JobQuery::in_state(state).page(after.clone(), 3)).await;
        assert_eq!(page.len(), 3, "of those that match: {state:?}");
    }
    assert_eq!(find(&queue, JobQuery::default().page(None, 0)).await, []);
}

/// Dead letters, too; and it says how many.
pub async fn a_purge_deletes_what_was_finished_before(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let enqueued = put_all(&queue, (0..4).map(|_| job("ada")).collect()).await;
    let leases = take(&queue, 4).await;
    done(&queue, &leases[0]).await;
    end(&queue, &leases[1], Outcome::Dead).await;
    clock.advance(SECOND);
    let instant = clock.now();
    done(&queue, &leases[2]).await;
    clock.advance(SECOND);
    end(&queue, &leases[3], Outcome::Dead).await;
    assert_eq!(ok(queue.purge(instant).await), 2);
    assert_eq!(ids(&find(&queue, JobQuery::default()).await), [&enqueued[2].id, &enqueued[3].id]);
    assert_eq!(find(&queue, JobQuery::by_id(&enqueued[0].id)).await, []);
    assert_eq!(ok(queue.requeue(&[enqueued[1].id.clone()]).await), [None]);
    assert_eq!(ok(queue.purge(instant).await), 0);
    assert_eq!(ok(queue.purge(clock.now() + SECOND).await), 2);
    assert_eq!(find(&queue, JobQuery::default()).await, []);
}

/// However old it is.
pub async fn a_purge_leaves_what_is_not_finished(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let jobs = vec![job("ada").payload(payload(1)), job("ada").payload(payload(2)).delay(MINUTE)];
    let enqueued = put_all(&queue, jobs).await;
    let lease = take_one(&queue).await;
    put(&queue, job("ada").payload(payload(3))).await;
    clock.advance(SECOND);
    assert_eq!(ok(queue.purge(clock.now() + 1000 * MINUTE).await), 0);
    assert_eq!(find(&queue, JobQuery::default()).await.len(), 3);
    done(&queue, &lease).await;
    assert_eq!(record(&queue, &enqueued[0].id).await.state, JobState::Done);
    clock.advance(MINUTE);
    assert_eq!(take(&queue, 10).await.len(), 2);
}
