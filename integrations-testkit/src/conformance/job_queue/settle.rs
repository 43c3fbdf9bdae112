//! How does a job end?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::ErrorKind;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::queue::{
    Enqueuing, JobFailure, JobId, JobQueue, JobState, Outcome, Payload, Priority, Repeat, Settlement,
};

use super::{
    MILLISECOND, MINUTE, SECOND, assert_idle, done, end, in_state, job, number, ok, payload, put, put_all,
    record, settle, take, take_one, twin,
};

fn failure(code: &str) -> JobFailure {
    JobFailure::new(ErrorKind::DataFormat, code, "line 1 of 'events' \u{1F4C5} cannot be read; look at it")
}

/// Nobody gets it any more, however long it takes.
pub async fn a_job_that_is_done_is_over(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada")).await.id;
    done(&queue, &take_one(&queue).await).await;
    let finished_at = clock.now();
    assert_idle(&queue).await;
    clock.advance(100 * MINUTE);
    assert_idle(&queue).await;
    let over = record(&queue, &id).await;
    assert_eq!((over.state, over.finished_at, over.due_at), (JobState::Done, Some(finished_at), None));
    assert_eq!((over.job.failures, over.job.lost, over.failure), (0, 0, None));
}

/// In their order, each for itself.
pub async fn each_settlement_is_answered(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    put_all(&queue, (0..4).map(|index| job("ada").payload(payload(index))).collect()).await;
    let leases = take(&queue, 10).await;
    assert_eq!(leases.len(), 4);
    done(&queue, &leases[1]).await;
    let settlements = leases.iter().map(Settlement::done).collect();
    assert_eq!(ok(queue.settle(settlements).await), [true, false, true, true]);
    assert_eq!(in_state(&queue, JobState::Done).await.len(), 4);
    assert!(ok(queue.settle(Vec::new()).await).is_empty());
    put(&queue, job("ada")).await;
    let lease = take_one(&queue).await;
    let twice = vec![Settlement::done(&lease), Settlement::done(&lease)];
    assert_eq!(ok(queue.settle(twice).await), [true, false], "the first settles it");
}

/// It waits for its time, and knows how often it has failed, and why.
pub async fn a_retry_counts_and_waits(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada").payload(payload(7))).await.id;
    for failures in 0..3 {
        let lease = take_one(&queue).await;
        assert_eq!((&lease.job.id, lease.job.failures, lease.job.lost), (&id, failures, 0));
        assert_eq!(number(&lease), 7);
        let retry = Settlement::new(lease.id(), Outcome::Retry { after: 10 * SECOND });
        let why = failure(&format!("code-{failures}"));
        assert!(settle(&queue, retry.because(why.clone())).await);
        let waiting = record(&queue, &id).await;
        assert_eq!((waiting.state, waiting.job.failures), (JobState::Waiting, failures + 1));
        assert_eq!((waiting.due_at, waiting.finished_at), (Some(clock.now() + 10 * SECOND), None));
        assert_eq!(waiting.failure, Some(why));
        assert_idle(&queue).await;
        clock.advance(10 * SECOND - MILLISECOND);
        assert_idle(&queue).await;
        clock.advance(MILLISECOND);
    }
    let lease = take_one(&queue).await;
    end(&queue, &lease, Outcome::Retry { after: Duration::ZERO }).await;
    assert_eq!(take_one(&queue).await.job.failures, 4, "at once");
}

/// It is as if it had never been leased; the failures before stay.
pub async fn a_release_does_not_count_and_is_due_at_once(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada").payload(payload(7))).await.id;
    end(&queue, &take_one(&queue).await, Outcome::Release).await;
    let waiting = record(&queue, &id).await;
    assert_eq!((waiting.state, waiting.finished_at), (JobState::Waiting, None));
    assert!(waiting.due_at <= Some(clock.now()));
    let lease = take_one(&queue).await;
    assert_eq!((lease.job.failures, lease.job.lost, number(&lease)), (0, 0, 7));
    end(&queue, &lease, Outcome::Retry { after: Duration::ZERO }).await;
    end(&queue, &take_one(&queue).await, Outcome::Release).await;
    let lease = take_one(&queue).await;
    assert_eq!((lease.job.failures, lease.job.lost), (1, 0));
}

/// It stays, and nobody gets it.
pub async fn a_dead_letter_says_why(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada")).await.id;
    let lease = take_one(&queue).await;
    let why = failure("unreadable");
    assert!(settle(&queue, Settlement::new(lease.id(), Outcome::Dead).because(why.clone())).await);
    let letters = in_state(&queue, JobState::Dead).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((&letters[0].job.id, &letters[0].failure), (&id, &Some(why)));
    assert_eq!((letters[0].finished_at, letters[0].due_at), (Some(clock.now()), None));
    clock.advance(100 * MINUTE);
    assert_idle(&queue).await;
}

/// As new jobs, due at once; and they are dead letters no more.
pub async fn dead_letters_are_put_in_again(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let put_in = job("ada").key("primary").payload(payload(7)).priority(Priority::High);
    let id = put(&queue, put_in.clone()).await.id;
    let lease = take_one(&queue).await;
    end(&queue, &lease, Outcome::Retry { after: Duration::ZERO }).await;
    end(&queue, &take_one(&queue).await, Outcome::Dead).await;
    clock.advance(SECOND);
    let again = only_requeued(&queue, &id).await;
    assert_eq!(in_state(&queue, JobState::Dead).await, []);
    assert_eq!(ok(queue.requeue(&[id]).await), [None], "there is none any more");
    let lease = take_one(&queue).await;
    assert_eq!((&lease.job.id, lease.job.again()), (&again, put_in));
    assert_eq!((lease.job.failures, lease.job.lost), (0, 0));
    assert_eq!(lease.job.enqueued_at, clock.now());
}

/// The one that was done is not touched.
pub async fn a_done_job_is_put_in_again_and_stays_in_the_history(
    queue: Arc<dyn JobQueue>,
    clock: ManualClock,
) {
    let id = put(&queue, job("ada").payload(payload(7))).await.id;
    done(&queue, &take_one(&queue).await).await;
    let before = record(&queue, &id).await;
    clock.advance(SECOND);
    let again = only_requeued(&queue, &id).await;
    assert_ne!(again, id);
    assert_eq!(record(&queue, &id).await, before);
    let lease = take_one(&queue).await;
    assert_eq!((&lease.job.id, number(&lease)), (&again, 7));
}

async fn only_requeued(queue: &Arc<dyn JobQueue>, id: &JobId) -> JobId {
    match ok(queue.requeue(std::slice::from_ref(id)).await).as_slice() {
        [Some(enqueued)] => {
            assert_eq!(enqueued.how, Enqueuing::Added);
            enqueued.id.clone()
        }
        other => panic!("{id} was to be put in again: {other:?}"),
    }
}

/// What waits, what runs, and what there is not; each is answered, in their order.
pub async fn what_is_not_finished_is_not_put_in_again(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let over = put(&queue, job("ada")).await.id;
    done(&queue, &take_one(&queue).await).await;
    let running = put(&queue, job("ada")).await.id;
    take_one(&queue).await;
    let waiting = put(&queue, job("ada")).await.id;
    let requeued = ok(queue.requeue(&["unknown".into(), running.clone(), over, waiting.clone()]).await);
    assert_eq!(requeued.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(record(&queue, &running).await.state, JobState::Running);
    assert_eq!(record(&queue, &waiting).await.state, JobState::Waiting);
    assert_eq!(take(&queue, 10).await.len(), 2, "the one that waited, and the one that was put in again");
    assert_eq!(ok(queue.requeue(&[]).await), []);
}

/// Of the same kind, user, key, priority and payload, due after a while; what it is a repeat of stays done.
pub async fn a_repeat_is_a_new_job(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let put_in = twin(7).priority(Priority::High);
    let id = put(&queue, put_in.clone()).await.id;
    let lease = take_one(&queue).await;
    end(&queue, &lease, Outcome::Retry { after: Duration::ZERO }).await;
    let lease = take_one(&queue).await;
    clock.advance(SECOND);
    assert!(settle(&queue, Settlement::done(&lease).repeat(after(MINUTE, None))).await);
    assert_eq!(record(&queue, &id).await.state, JobState::Done);
    let waiting = in_state(&queue, JobState::Waiting).await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!((&waiting[0].due_at, waiting[0].job.enqueued_at), (&Some(clock.now() + MINUTE), clock.now()));
    assert_ne!(waiting[0].job.id, id);
    assert_idle(&queue).await;
    clock.advance(MINUTE - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    let repeat = take_one(&queue).await;
    assert_eq!((repeat.job.failures, repeat.job.lost), (0, 0));
    assert_eq!(repeat.job.again(), put_in);
}

fn after(after: Duration, payload: Option<Payload>) -> Repeat {
    Repeat { after, payload }
}

/// And then that alone is another.
pub async fn a_repeat_may_have_another_payload(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    put(&queue, job("ada").payload(payload(1))).await;
    let lease = take_one(&queue).await;
    let repeat = after(Duration::ZERO, Some(payload(2)));
    assert!(settle(&queue, Settlement::done(&lease).repeat(repeat)).await);
    let lease = take_one(&queue).await;
    assert_eq!(lease.job.again(), job("ada").payload(payload(2)));
    let repeat = after(Duration::ZERO, Some(Payload::default()));
    assert!(settle(&queue, Settlement::done(&lease).repeat(repeat)).await);
    assert_eq!(take_one(&queue).await.job.again(), job("ada"), "none is another, too");
}

/// It is a dead letter, and goes on all the same.
pub async fn a_dead_job_is_repeated(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, twin(7)).await.id;
    let lease = take_one(&queue).await;
    assert!(settle(&queue, Settlement::new(lease.id(), Outcome::Dead).repeat(after(MINUTE, None))).await);
    assert_eq!(record(&queue, &id).await.state, JobState::Dead);
    assert_idle(&queue).await;
    clock.advance(MINUTE);
    let repeat = take_one(&queue).await;
    assert_ne!(repeat.job.id, id);
    assert_eq!(repeat.job.again(), twin(7));
}
