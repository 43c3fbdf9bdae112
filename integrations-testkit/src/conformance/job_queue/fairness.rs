//! Who comes first?

use std::collections::BTreeSet;
use std::sync::Arc;

use integrations_core::clock::ManualClock;
use integrations_core::queue::{JobQueue, Lease, NewJob, Priority};

use super::{SECOND, job, put, put_all, take};

fn users(leases: &[Lease]) -> Vec<&str> {
    leases.iter().map(|lease| lease.job.owner.user.as_str()).collect()
}

fn many(owner: &str, count: usize) -> Vec<NewJob> {
    (0..count).map(|_| job(owner)).collect()
}

/// However many of the noisy one's jobs wait: one of them comes first, at the most.
pub async fn a_noisy_user_does_not_hold_up_a_quiet_one(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for _ in 0..10 {
        put_all(&queue, many("noisy", 1000)).await;
    }
    assert_eq!(users(&take(&queue, 3).await), ["noisy"; 3]);
    for _ in 0..3 {
        put(&queue, job("quiet")).await;
        let leases = take(&queue, 2).await;
        assert!(users(&leases).contains(&"quiet"), "{:?}", users(&leases));
    }
    put(&queue, job("quiet")).await;
    let leases = [take(&queue, 1).await, take(&queue, 1).await].concat();
    assert!(users(&leases).contains(&"quiet"), "one at a time: {:?}", users(&leases));
    for priority in [Priority::High, Priority::Low] {
        let jobs = many("noisy", 50).into_iter().map(|job| job.priority(priority));
        put_all(&queue, jobs.collect()).await;
    }
    put(&queue, job("quiet").priority(Priority::High)).await;
    assert!(users(&take(&queue, 2).await).contains(&"quiet"), "in each priority");
}

/// One job each, then one more each, in whatever order they came.
pub async fn many_users_take_turns(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    const USERS: usize = 20;
    let names: Vec<String> = (0..USERS).map(|user| format!("user {user}")).collect();
    for name in &names {
        put_all(&queue, many(name, 6)).await;
    }
    let everybody: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for turn in 0..6 {
        let leases = if turn % 2 == 0 {
            take(&queue, USERS).await
        } else {
            let mut leases = Vec::new();
            while leases.len() < USERS {
                let some = take(&queue, 3.min(USERS - leases.len())).await;
                assert!(!some.is_empty(), "there are jobs for turn {turn}");
                leases.extend(some);
            }
            leases
        };
        assert_eq!(users(&leases).into_iter().collect::<BTreeSet<_>>(), everybody, "turn {turn}");
    }
}

/// It neither has to make up for the time before, nor is it paid for it.
pub async fn a_user_who_comes_later_shares_from_then_on(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    put_all(&queue, many("first", 100)).await;
    assert_eq!(take(&queue, 50).await.len(), 50);
    put_all(&queue, many("second", 100)).await;
    for _ in 0..10 {
        let leases = take(&queue, 4).await;
        let second = users(&leases).into_iter().filter(|user| *user == "second").count();
        assert_eq!((leases.len(), second), (4, 2), "{:?}", users(&leases));
    }
}

/// A turn is taken when a job becomes due, not when it is put in.
pub async fn users_take_turns_when_jobs_become_due_together(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let delayed = |owner: &str, count| many(owner, count).into_iter().map(|job| job.delay(10 * SECOND));
    put_all(&queue, delayed("noisy", 200).chain(delayed("quiet", 1)).collect()).await;
    clock.advance(10 * SECOND);
    let leases = take(&queue, 2).await;
    assert!(users(&leases).contains(&"quiet"), "{:?}", users(&leases));
    // A job that waits for tomorrow has no turn before those of today.
    put_all(&queue, delayed("patient", 20).collect()).await;
    put_all(&queue, many("patient", 1)).await;
    let leases = take(&queue, 2).await;
    assert!(users(&leases).contains(&"patient"), "{:?}", users(&leases));
    clock.advance(10 * SECOND);
    let leases = take(&queue, 8).await;
    let patient = users(&leases).into_iter().filter(|user| *user == "patient").count();
    assert!((3..=5).contains(&patient), "{:?}", users(&leases));
}
