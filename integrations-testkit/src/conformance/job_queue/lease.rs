//! Who has a job, and for how long?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::{Clock, ManualClock};
use integrations_core::queue::{
    Heartbeat, JobQueue, JobState, Lease, LeaseRequest, MOST_LOST_LEASES, NewJob, Outcome, Priority,
    Progress, Settlement,
};

use super::{
    KIND, MILLISECOND, MINUTE, SECOND, assert_idle, done, end, extend, job, number, numbers, ok, only,
    payload, put, put_all, record, settle, take, take_of, take_one,
};

/// What is not wanted waits on.
pub async fn nothing_is_leased_of_other_kinds(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    put_all(&queue, vec![NewJob::new("webhook", "ada"), job("ada"), NewJob::new("report", "ada")]).await;
    assert_eq!(take_of(&queue, "unknown", 10).await, []);
    assert_eq!(take_one(&queue).await.job.kind, KIND);
    assert_idle(&queue).await;
    assert_eq!(only(take_of(&queue, "report", 10).await).job.kind, "report");
    assert_eq!(only(take_of(&queue, "webhook", 10).await).job.kind, "webhook");
}

/// None is none.
pub async fn at_most_so_many_are_leased(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    put_all(&queue, (0..10).map(|index| job("ada").payload(payload(index))).collect()).await;
    assert_eq!(take(&queue, 0).await, []);
    assert_eq!(numbers(&take(&queue, 1).await), [0]);
    assert_eq!(numbers(&take(&queue, 4).await), [1, 2, 3, 4]);
    assert_eq!(numbers(&take(&queue, 1000).await), [5, 6, 7, 8, 9]);
}

/// Each kind with its own bound.
pub async fn jobs_of_several_kinds_are_leased_at_once(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let jobs = ["a", "b", "c"].iter().flat_map(|kind| (0..5).map(|_| NewJob::new(*kind, "ada")));
    put_all(&queue, jobs.collect()).await;
    let request = LeaseRequest::new("worker", "a", 2, MINUTE).and("b", 0).and("c", 10);
    let leases = ok(queue.lease(&request).await).leases;
    let of = |kind: &str| leases.iter().filter(|lease| lease.job.kind == *kind).count();
    assert_eq!([of("a"), of("b"), of("c")], [2, 0, 5]);
}

/// Whoever its user is, and whenever it came.
pub async fn a_higher_priority_comes_first(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let with = |priority, number| job("ada").priority(priority).payload(payload(number));
    let jobs = vec![
        with(Priority::Low, 5),
        with(Priority::Normal, 3),
        with(Priority::High, 1),
        with(Priority::Low, 6),
        with(Priority::Normal, 4),
        with(Priority::High, 2),
    ];
    put_all(&queue, jobs).await;
    put(&queue, job("bob").priority(Priority::Low).payload(payload(7))).await;
    assert_eq!(numbers(&take(&queue, 1).await), [1]);
    assert_eq!(numbers(&take(&queue, 3).await), [2, 3, 4]);
    put(&queue, with(Priority::High, 0)).await;
    assert_eq!(numbers(&take(&queue, 1).await), [0]);
    assert_eq!(take(&queue, 10).await.len(), 3);
}

/// Those of one user and priority.
pub async fn jobs_of_a_user_come_in_their_order(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for batch in 0..5 {
        put_all(&queue, (0..20).map(|index| job("ada").payload(payload(batch * 20 + index))).collect()).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 100 {
        let leases = take(&queue, 7).await;
        assert!(!leases.is_empty(), "{seen:?}");
        seen.extend(numbers(&leases));
    }
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
}

/// Not in the order in which they were put in.
pub async fn delayed_jobs_come_in_the_order_of_their_times(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let later = |number: u64, delay| job("ada").payload(payload(number)).delay(delay);
    put_all(&queue, vec![later(2, 3 * SECOND), later(1, 2 * SECOND), later(0, SECOND)]).await;
    clock.advance(10 * SECOND);
    assert_eq!(numbers(&take(&queue, 10).await), [0, 1, 2]);
}

/// Until that very moment.
pub async fn a_leased_job_is_nobody_elses_until_the_lease_runs_out(
    queue: Arc<dyn JobQueue>,
    clock: ManualClock,
) {
    put(&queue, job("ada")).await;
    let lease = take_one(&queue).await;
    assert_idle(&queue).await;
    clock.advance(MINUTE - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    assert_eq!(take_one(&queue).await.job.id, lease.job.id);
    assert_idle(&queue).await;
}

/// The job tells how often that has happened; it is no failure.
pub async fn a_lost_lease_is_leased_again_with_a_higher_fence(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada").payload(payload(7))).await.id;
    let mut before = take_one(&queue).await;
    for lost in 1..4 {
        clock.advance(MINUTE);
        let lease = take_one(&queue).await;
        assert_eq!((&lease.job.id, number(&lease)), (&id, 7));
        assert_eq!((lease.job.lost, lease.job.failures), (lost, 0));
        assert!(lease.fence > before.fence, "{:?} after {:?}", lease.fence, before.fence);
        before = lease;
    }
    assert_eq!(record(&queue, &id).await.job.lost, 3);
    done(&queue, &before).await;
}

/// Whoever has it now is not disturbed.
pub async fn a_lost_lease_cannot_be_extended_or_settled(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada")).await.id;
    let old = take_one(&queue).await;
    clock.advance(MINUTE);
    let new = take_one(&queue).await;
    let before = record(&queue, &id).await;
    assert!(!extend(&queue, &old, 10 * MINUTE).await);
    let progress = Some(Progress { done: 9, total: None, note: None });
    let heartbeat = Heartbeat { lease: old.id(), ttl: MINUTE, progress };
    assert_eq!(ok(queue.extend(vec![heartbeat]).await), [false]);
    for outcome in [Outcome::Done, Outcome::Dead, Outcome::Release, Outcome::Retry { after: SECOND }] {
        assert!(!settle(&queue, Settlement::new(old.id(), outcome)).await, "{outcome:?}");
    }
    assert_eq!(record(&queue, &id).await, before);
    assert_idle(&queue).await;
    assert!(extend(&queue, &new, MINUTE).await);
    done(&queue, &new).await;
}

/// However it was settled: neither a second settlement nor a heartbeat changes anything.
pub async fn a_settled_lease_is_over(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for outcome in [Outcome::Done, Outcome::Dead, Outcome::Release, Outcome::Retry { after: SECOND }] {
        let id = put(&queue, job("ada")).await.id;
        let lease = take_one(&queue).await;
        end(&queue, &lease, outcome).await;
        let before = record(&queue, &id).await;
        assert!(!extend(&queue, &lease, MINUTE).await, "{outcome:?}");
        for again in [Outcome::Done, Outcome::Dead, Outcome::Release, outcome] {
            assert!(!settle(&queue, Settlement::new(lease.id(), again)).await, "{again:?} after {outcome:?}");
        }
        assert_eq!(record(&queue, &id).await, before, "{outcome:?}");
        if outcome == Outcome::Release {
            done(&queue, &take_one(&queue).await).await;
        }
    }
}

/// From now on, for so long as it says.
pub async fn a_heartbeat_keeps_a_lease_alive(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    put(&queue, job("ada")).await;
    let lease = take_one(&queue).await;
    for _ in 0..5 {
        clock.advance(MINUTE - SECOND);
        assert!(extend(&queue, &lease, MINUTE).await);
        assert_idle(&queue).await;
    }
    assert_eq!(record(&queue, &lease.job.id).await.due_at, Some(clock.now() + MINUTE));
    assert!(extend(&queue, &lease, 10 * MINUTE).await);
    clock.advance(10 * MINUTE - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    assert_eq!(take_one(&queue).await.job.lost, 1);
}

/// In their order.
pub async fn each_heartbeat_is_answered(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    put_all(&queue, (0..4).map(|index| job("ada").payload(payload(index))).collect()).await;
    let leases = take(&queue, 10).await;
    assert_eq!(leases.len(), 4);
    done(&queue, &leases[1]).await;
    end(&queue, &leases[3], Outcome::Dead).await;
    let heartbeat = |lease: &Lease| Heartbeat { lease: lease.id(), ttl: 2 * MINUTE, progress: None };
    let held = ok(queue.extend(leases.iter().map(heartbeat).collect()).await);
    assert_eq!(held, [true, false, true, false]);
    assert!(ok(queue.extend(Vec::new()).await).is_empty());
    clock.advance(2 * MINUTE - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    assert_eq!(take(&queue, 10).await.len(), 2);
}

/// With a code that says so; the ninth does not.
pub async fn the_tenth_lost_lease_makes_a_job_dead(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada")).await.id;
    for lost in 0..MOST_LOST_LEASES {
        let lease = take_one(&queue).await;
        assert_eq!(lease.job.lost, lost);
        clock.advance(MINUTE);
    }
    assert_idle(&queue).await;
    let dead = record(&queue, &id).await;
    assert_eq!((dead.state, dead.job.lost), (JobState::Dead, MOST_LOST_LEASES));
    assert_eq!(dead.failure.and_then(|failure| failure.code).as_deref(), Some("lease_lost"));
    assert!(dead.finished_at.is_some());
}

/// The worker's name, since when, until when; and it does not show any more what is over.
pub async fn a_running_job_shows_who_has_it_and_until_when(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let enqueued_at = clock.now();
    let id = put(&queue, job("ada")).await.id;
    let waiting = record(&queue, &id).await;
    assert_eq!((waiting.state, waiting.due_at), (JobState::Waiting, Some(enqueued_at)));
    assert_eq!((waiting.started_at, waiting.finished_at, waiting.worker), (None, None, None));
    clock.advance(SECOND);
    let name = "worker 'one' \u{1F4C5}";
    let lease = only(ok(queue.lease(&LeaseRequest::new(name, KIND, 1, MINUTE)).await).leases);
    let running = record(&queue, &id).await;
    assert_eq!((running.state, running.due_at), (JobState::Running, Some(clock.now() + MINUTE)));
    assert_eq!((running.started_at, running.finished_at), (Some(clock.now()), None));
    assert_eq!(running.worker.as_deref(), Some(name));
    let started_at = clock.now();
    clock.advance(SECOND);
    done(&queue, &lease).await;
    let over = record(&queue, &id).await;
    assert_eq!((over.state, over.due_at), (JobState::Done, None));
    assert_eq!((over.started_at, over.finished_at), (Some(started_at), Some(clock.now())));
    assert_eq!(over.worker.as_deref(), Some(name), "who had it last");
}

/// By heartbeat and at the end; a heartbeat without leaves it as it was.
pub async fn progress_shows(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let id = put(&queue, job("ada")).await.id;
    let lease = take_one(&queue).await;
    let shown = async || record(&queue, &id).await.progress;
    assert_eq!(shown().await, None);
    let half = Progress { done: 50, total: Some(100), note: Some("events of 'May' \u{1F4C5}".into()) };
    let heartbeat = Heartbeat { lease: lease.id(), ttl: MINUTE, progress: Some(half.clone()) };
    assert_eq!(ok(queue.extend(vec![heartbeat]).await), [true]);
    assert_eq!(shown().await, Some(half.clone()));
    assert!(extend(&queue, &lease, MINUTE).await);
    assert_eq!(shown().await, Some(half));
    let all = Progress { done: u64::from(u32::MAX), total: None, note: None };
    let mut settlement = Settlement::done(&lease);
    settlement.progress = Some(all.clone());
    assert!(settle(&queue, settlement).await);
    assert_eq!(shown().await, Some(all));
}

/// Those of the wanted kinds: never late, and nothing where there is none.
pub async fn next_due_tells_of_delayed_jobs(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    assert_eq!(next_due(&queue).await, None);
    put(&queue, NewJob::new("report", "ada").delay(SECOND)).await;
    assert_eq!(next_due(&queue).await, None, "it is of another kind");
    put_all(&queue, vec![job("ada").delay(MINUTE), job("bob").delay(10 * SECOND)]).await;
    assert_within(next_due(&queue).await, 10 * SECOND);
    clock.advance(9 * SECOND);
    assert_within(next_due(&queue).await, SECOND);
    clock.advance(SECOND);
    done(&queue, &take_one(&queue).await).await;
    assert_within(next_due(&queue).await, 50 * SECOND);
    let both = LeaseRequest::new("worker", KIND, 1, MINUTE).and("mail", 1);
    put(&queue, NewJob::new("mail", "ada").delay(5 * SECOND)).await;
    assert_within(ok(queue.lease(&both).await).next_due, 5 * SECOND);
}

/// Also of the lease that is taken at that moment.
pub async fn next_due_tells_of_leases_that_run_out(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    put(&queue, job("ada")).await;
    let leased = ok(queue.lease(&LeaseRequest::new("worker", KIND, 1, 20 * SECOND)).await);
    assert_within(leased.next_due, 20 * SECOND);
    let lease = only(leased.leases);
    clock.advance(15 * SECOND);
    assert_within(next_due(&queue).await, 5 * SECOND);
    assert!(extend(&queue, &lease, MINUTE).await);
    assert_within(next_due(&queue).await, MINUTE);
    done(&queue, &lease).await;
    assert_eq!(next_due(&queue).await, None);
}

async fn next_due(queue: &Arc<dyn JobQueue>) -> Option<Duration> {
    let leased = ok(queue.lease(&LeaseRequest::new("worker", KIND, 1, MINUTE)).await);
    assert_eq!(leased.leases, []);
    leased.next_due
}

#[track_caller]
fn assert_within(next_due: Option<Duration>, most: Duration) {
    assert!(next_due.is_some_and(|due| due <= most), "{next_due:?} is to be {most:?} or less");
}

/// Whatever the job and the kind, and however the lease before has ended.
pub async fn fences_rise_over_all_leases(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let mut last = 0;
    let mut rises = |lease: &Lease| {
        assert!(lease.fence.0 > last, "{:?} after {last}", lease.fence);
        last = lease.fence.0;
    };
    let outcomes = [Outcome::Retry { after: Duration::ZERO }, Outcome::Release, Outcome::Dead, Outcome::Done];
    for (round, outcome) in outcomes.into_iter().enumerate() {
        for kind in ["z", "a", "m"] {
            put(&queue, NewJob::new(kind, format!("user {round}"))).await;
            let lease = only(take_of(&queue, kind, 1).await);
            rises(&lease);
            end(&queue, &lease, outcome).await;
        }
    }
    for kind in ["m", "z", "a"] {
        take_of(&queue, kind, 10).await.iter().for_each(&mut rises);
    }
    clock.advance(MINUTE);
    let request = LeaseRequest::new("worker", "z", 10, MINUTE).and("a", 10).and("m", 10);
    let leases: Vec<Lease> = ok(queue.lease(&request).await).leases;
    assert_eq!(leases.len(), 6, "those that were retried or released");
    let lowest = leases.iter().map(|lease| lease.fence.0).min();
    assert!(lowest > Some(last), "{lowest:?} after {last}");
}
