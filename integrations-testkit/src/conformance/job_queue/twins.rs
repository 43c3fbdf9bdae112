//! What becomes of a job whose twin waits or runs?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::{Clock, ManualClock};
use integrations_core::connection::Owner;
use integrations_core::queue::{
    Enqueued, Enqueuing, JobQuery, JobQueue, JobState, Lease, MOST_LOST_LEASES, NewJob, Outcome, Priority,
    Repeat, Settlement,
};

use super::{
    KIND, MILLISECOND, MINUTE, SECOND, assert_idle, done, end, find, in_state, job, number, numbers, ok,
    payload, put, put_all, record, settle, take, take_of, take_one, twin,
};

/// The one that waits does the newer one's work, in its own place.
pub async fn a_waiting_twin_is_coalesced(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    put(&queue, job("ada").payload(payload(0))).await;
    let first = put(&queue, twin(1)).await;
    assert_eq!(first.how, Enqueuing::Added);
    put(&queue, job("ada").payload(payload(10))).await;
    assert_eq!(numbers(&take(&queue, 1).await), [0], "by now the others have their places");
    let before = record(&queue, &first.id).await;
    clock.advance(SECOND);
    let second = put(&queue, twin(2)).await;
    assert_eq!(second, Enqueued::new(first.id.clone(), Enqueuing::Coalesced));
    let after = record(&queue, &first.id).await;
    assert_eq!((after.state, after.again), (JobState::Waiting, false));
    assert_eq!((after.due_at, after.job.enqueued_at), (before.due_at, before.job.enqueued_at));
    assert_eq!(numbers(&take(&queue, 10).await), [2, 10]);
    assert_idle(&queue).await;
}

/// Whichever of the two has it.
pub async fn a_waiting_twin_takes_the_higher_priority(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let other = || job("bob").priority(Priority::Normal).payload(payload(10));
    put_all(&queue, vec![other(), twin(1).priority(Priority::Low)]).await;
    put(&queue, twin(2).priority(Priority::High)).await;
    let leases = take(&queue, 10).await;
    assert_eq!(numbers(&leases), [2, 10]);
    assert_eq!(leases[0].job.priority, Priority::High);
    done(&queue, &leases[0]).await;
    put_all(&queue, vec![other(), twin(3).priority(Priority::High)]).await;
    put(&queue, twin(4).priority(Priority::Low)).await;
    let leases = take(&queue, 10).await;
    assert_eq!(numbers(&leases), [4, 10]);
    assert_eq!(leases[0].job.priority, Priority::High);
}

/// And is not pushed back by a later one.
pub async fn a_waiting_twin_takes_the_earlier_time(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, twin(1).delay(MINUTE)).await.id;
    assert_eq!(put(&queue, twin(2).delay(10 * SECOND)).await.how, Enqueuing::Coalesced);
    assert_eq!(record(&queue, &id).await.due_at, Some(clock.now() + 10 * SECOND));
    assert_eq!(put(&queue, twin(3).delay(10 * MINUTE)).await.how, Enqueuing::Coalesced);
    assert_eq!(record(&queue, &id).await.due_at, Some(clock.now() + 10 * SECOND));
    clock.advance(10 * SECOND - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    let lease = take_one(&queue).await;
    assert_eq!(number(&lease), 3);
    done(&queue, &lease).await;
    put(&queue, twin(4).delay(MINUTE)).await;
    put(&queue, twin(5)).await;
    assert_eq!(number(&take_one(&queue).await), 5, "at once");
    assert_idle(&queue).await;
}

/// The provider may have asked for it; the rest is taken on.
pub async fn a_twin_that_waits_for_a_retry_keeps_its_time(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, twin(1)).await.id;
    end(&queue, &take_one(&queue).await, Outcome::Retry { after: MINUTE }).await;
    clock.advance(SECOND);
    let second = put(&queue, twin(2).priority(Priority::High)).await;
    assert_eq!(second, Enqueued::new(id.clone(), Enqueuing::Coalesced));
    assert_idle(&queue).await;
    let waiting = record(&queue, &id).await;
    assert_eq!((waiting.due_at, waiting.job.failures), (Some(clock.now() + 59 * SECOND), 1));
    clock.advance(59 * SECOND - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    let lease = take_one(&queue).await;
    assert_eq!((number(&lease), lease.job.priority, lease.job.failures), (2, Priority::High, 1));
}

/// As if they had come one after the other.
pub async fn twins_of_a_batch_are_coalesced(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let batch = vec![twin(1), job("bob").payload(payload(10)), twin(2).priority(Priority::High), twin(3)];
    let enqueued = put_all(&queue, batch).await;
    let how: Vec<Enqueuing> = enqueued.iter().map(|enqueued| enqueued.how).collect();
    assert_eq!(how, [Enqueuing::Added, Enqueuing::Added, Enqueuing::Coalesced, Enqueuing::Coalesced]);
    assert_eq!([&enqueued[2].id, &enqueued[3].id], [&enqueued[0].id; 2]);
    let leases = take(&queue, 10).await;
    assert_eq!(numbers(&leases), [3, 10]);
    let again = put_all(&queue, vec![twin(4), twin(5)]).await;
    assert_eq!(again, [(); 2].map(|()| Enqueued::new(leases[0].job.id.clone(), Enqueuing::Again)));
    done(&queue, &leases[0]).await;
    assert_eq!(number(&take_one(&queue).await), 5);
}

/// When it is done, and not before; with the newer payload.
pub async fn a_running_twin_runs_once_more(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let id = put(&queue, twin(1)).await.id;
    let lease = take_one(&queue).await;
    assert!(!record(&queue, &id).await.again);
    assert_eq!(put(&queue, twin(2)).await, Enqueued::new(id.clone(), Enqueuing::Again));
    let running = record(&queue, &id).await;
    assert_eq!((running.state, running.again, running.job.payload), (JobState::Running, true, payload(1)));
    assert_idle(&queue).await;
    done(&queue, &lease).await;
    let over = record(&queue, &id).await;
    assert_eq!((over.state, over.job.payload), (JobState::Done, payload(1)));
    let next = take_one(&queue).await;
    assert_ne!(next.job.id, id, "it is a job of its own");
    assert_eq!(next.job.again(), twin(2));
    assert!(!record(&queue, &next.job.id).await.again);
    done(&queue, &next).await;
    assert_idle(&queue).await;
}

/// With the newest payload, the highest priority and the earliest time.
pub async fn several_twins_of_a_running_job_are_one(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    put(&queue, twin(1)).await;
    let lease = take_one(&queue).await;
    for twin in [
        twin(2).priority(Priority::Low).delay(20 * SECOND),
        twin(3).priority(Priority::High).delay(10 * SECOND),
        twin(4).delay(30 * SECOND),
    ] {
        assert_eq!(put(&queue, twin).await, Enqueued::new(lease.job.id.clone(), Enqueuing::Again));
    }
    done(&queue, &lease).await;
    let waiting = in_state(&queue, JobState::Waiting).await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0].due_at, Some(clock.now() + 10 * SECOND));
    clock.advance(10 * SECOND);
    let next = take_one(&queue).await;
    assert_eq!((number(&next), next.job.priority), (4, Priority::High));
}

/// It counts from when the twin was put in.
pub async fn a_delayed_twin_of_a_running_job_waits_for_its_time(
    queue: Arc<dyn JobQueue>,
    clock: ManualClock,
) {
    put(&queue, twin(1)).await;
    let lease = take_one(&queue).await;
    put(&queue, twin(2).delay(10 * SECOND)).await;
    clock.advance(4 * SECOND);
    done(&queue, &lease).await;
    clock.advance(6 * SECOND - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    let lease = take_one(&queue).await;
    put(&queue, twin(3).delay(10 * SECOND)).await;
    clock.advance(20 * SECOND);
    done(&queue, &lease).await;
    assert_eq!(number(&take_one(&queue).await), 3, "its time has come while the other ran");
}

/// Another kind, tenant, user or key.
pub async fn others_are_no_twins(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    put(&queue, twin(1)).await;
    let lease = take_one(&queue).await;
    let others = || {
        let keyed = |job: NewJob| job.key("primary");
        vec![
            keyed(NewJob::new("report", "ada")),
            keyed(NewJob::new(KIND, Owner::new("acme", "ada"))),
            keyed(job("bob")),
            job("ada").key("secondary"),
            job("ada"),
        ]
    };
    for enqueued in put_all(&queue, others()).await {
        assert_eq!(enqueued.how, Enqueuing::Added);
    }
    assert!(!record(&queue, &lease.job.id).await.again);
    assert_eq!(take(&queue, 10).await.len(), 4);
    assert_eq!(take_of(&queue, "report", 10).await.len(), 1);
}

/// However alike they are.
pub async fn a_job_without_a_key_has_no_twin(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for enqueued in put_all(&queue, vec![job("ada"), job("ada")]).await {
        assert_eq!(enqueued.how, Enqueuing::Added);
    }
    assert_eq!(take(&queue, 10).await.len(), 2);
    assert_eq!(put(&queue, job("ada")).await.how, Enqueuing::Added);
    assert_eq!(take(&queue, 10).await.len(), 1);
}

/// Whether it was done or given up.
pub async fn a_twin_of_a_finished_job_is_a_new_job(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for outcome in [Outcome::Done, Outcome::Dead] {
        let id = put(&queue, twin(1)).await.id;
        end(&queue, &take_one(&queue).await, outcome).await;
        assert_idle(&queue).await;
        let second = put(&queue, twin(2)).await;
        assert_eq!(second.how, Enqueuing::Added, "{outcome:?}");
        assert_ne!(second.id, id);
        assert_eq!(record(&queue, &id).await.job.payload, payload(1));
        let lease = take_one(&queue).await;
        assert_eq!(number(&lease), 2);
        done(&queue, &lease).await;
    }
}

/// A twin of higher priority has come while it ran.
async fn running_with_twin(queue: &Arc<dyn JobQueue>) -> Lease {
    put(queue, twin(1)).await;
    let lease = take_one(queue).await;
    assert_eq!(put(queue, twin(2).priority(Priority::High)).await.how, Enqueuing::Again);
    lease
}

/// The one that waits is still this one.
async fn does_the_work_of_its_twin(queue: &Arc<dyn JobQueue>, before: &Lease) {
    let waiting = in_state(queue, JobState::Waiting).await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert!(!waiting[0].again);
    let lease = take_one(queue).await;
    assert_eq!(lease.job.id, before.job.id);
    assert_eq!((number(&lease), lease.job.priority), (2, Priority::High));
    done(queue, &lease).await;
    assert_idle(queue).await;
}

/// At its own time: the provider may have asked for it.
pub async fn a_retry_does_the_work_of_its_twin(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let lease = running_with_twin(&queue).await;
    end(&queue, &lease, Outcome::Retry { after: MINUTE }).await;
    let waiting = record(&queue, &lease.job.id).await;
    assert_eq!((waiting.due_at, waiting.job.failures), (Some(clock.now() + MINUTE), 1));
    assert_idle(&queue).await;
    clock.advance(MINUTE);
    does_the_work_of_its_twin(&queue, &lease).await;
}

/// At once.
pub async fn a_release_does_the_work_of_its_twin(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let lease = running_with_twin(&queue).await;
    end(&queue, &lease, Outcome::Release).await;
    does_the_work_of_its_twin(&queue, &lease).await;
}

/// When its lease has run out; and the same twin does not come once more.
pub async fn a_lost_job_does_the_work_of_its_twin(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let before = running_with_twin(&queue).await;
    assert_idle(&queue).await;
    clock.advance(MINUTE);
    let lease = take_one(&queue).await;
    assert_eq!((&lease.job.id, lease.job.lost), (&before.job.id, 1));
    assert_eq!((number(&lease), lease.job.priority), (2, Priority::High));
    assert!(!record(&queue, &lease.job.id).await.again);
    done(&queue, &lease).await;
    assert_idle(&queue).await;
}

/// As a new job.
pub async fn a_dead_job_leaves_its_twin_waiting(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let lease = running_with_twin(&queue).await;
    end(&queue, &lease, Outcome::Dead).await;
    leaves_its_twin(&queue, &lease).await;
}

/// The same where nobody has settled it.
pub async fn a_job_that_is_dead_by_loss_leaves_its_twin_waiting(
    queue: Arc<dyn JobQueue>,
    clock: ManualClock,
) {
    put(&queue, twin(1)).await;
    for _ in 1..MOST_LOST_LEASES {
        take_one(&queue).await;
        clock.advance(MINUTE);
    }
    let lease = take_one(&queue).await;
    put(&queue, twin(2).priority(Priority::High)).await;
    clock.advance(MINUTE);
    leaves_its_twin(&queue, &lease).await;
}

async fn leaves_its_twin(queue: &Arc<dyn JobQueue>, before: &Lease) {
    let next = take_one(queue).await;
    let dead = record(queue, &before.job.id).await;
    assert_eq!((dead.state, dead.job.payload), (JobState::Dead, payload(1)));
    assert_ne!(next.job.id, before.job.id);
    assert_eq!(next.job.again(), twin(2).priority(Priority::High));
    assert_eq!((next.job.failures, next.job.lost), (0, 0));
    done(queue, &next).await;
    assert_idle(queue).await;
}

/// One job does both: with the twin's payload, the higher priority and the earlier time.
pub async fn a_repeat_is_coalesced_with_a_twin(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let repeat = |after| Repeat { after, payload: Some(payload(3)) };
    let lease = running_with_twin(&queue).await;
    assert!(settle(&queue, Settlement::done(&lease).repeat(repeat(MINUTE))).await);
    let next = take_one(&queue).await;
    assert_eq!((number(&next), next.job.priority), (2, Priority::High), "at once, for the twin");
    put(&queue, twin(4).delay(10 * MINUTE)).await;
    assert!(settle(&queue, Settlement::done(&next).repeat(repeat(MINUTE))).await);
    let waiting = in_state(&queue, JobState::Waiting).await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0].due_at, Some(clock.now() + MINUTE), "in a minute, for the repeat");
    clock.advance(MINUTE);
    let next = take_one(&queue).await;
    assert_eq!((number(&next), next.job.priority), (4, Priority::High));
    done(&queue, &next).await;
    assert_idle(&queue).await;
}

/// The dead letter is gone, the one that was done stays; the payload is that of the one that came last.
pub async fn what_is_put_in_again_is_coalesced_with_a_waiting_twin(
    queue: Arc<dyn JobQueue>,
    _clock: ManualClock,
) {
    for outcome in [Outcome::Dead, Outcome::Done] {
        let id = put(&queue, twin(1)).await.id;
        end(&queue, &take_one(&queue).await, outcome).await;
        let waiting = put(&queue, twin(2).delay(MINUTE)).await.id;
        let requeued = ok(queue.requeue(std::slice::from_ref(&id)).await);
        assert_eq!(requeued, [Some(Enqueued::new(waiting.clone(), Enqueuing::Coalesced))], "{outcome:?}");
        let left = find(&queue, JobQuery::by_id(&id)).await.len();
        assert_eq!(left, usize::from(outcome == Outcome::Done), "{outcome:?}");
        let lease = take_one(&queue).await;
        assert_eq!(lease.job.id, waiting, "it is due at once");
        assert_eq!(number(&lease), 1, "what was put in again came last");
        done(&queue, &lease).await;
        assert_idle(&queue).await;
    }
}

/// And no second one runs beside it.
pub async fn what_is_put_in_again_makes_a_running_twin_run_once_more(
    queue: Arc<dyn JobQueue>,
    _clock: ManualClock,
) {
    let id = put(&queue, twin(1)).await.id;
    end(&queue, &take_one(&queue).await, Outcome::Dead).await;
    put(&queue, twin(2)).await;
    let running = take_one(&queue).await;
    let requeued = ok(queue.requeue(std::slice::from_ref(&id)).await);
    assert_eq!(requeued, [Some(Enqueued::new(running.job.id.clone(), Enqueuing::Again))]);
    assert_eq!(find(&queue, JobQuery::by_id(&id)).await, []);
    assert_idle(&queue).await;
    end(&queue, &running, Outcome::Retry { after: Duration::ZERO }).await;
    let lease = take_one(&queue).await;
    assert_eq!(number(&lease), 1, "what was put in again came last");
    done(&queue, &lease).await;
    assert_idle(&queue).await;
}
