//! What if several call at once, or one gives up?

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use integrations_core::clock::ManualClock;
use integrations_core::queue::{
    Enqueuing, JobId, JobKind, JobQuery, JobQueue, JobState, Lease, LeaseRequest, NewJob, Outcome, Settlement,
};

use super::super::at_once;
use super::{
    KIND, MINUTE, assert_idle, done, end, find, in_state, job, number, numbers, ok, only, payload, put,
    put_all, soon, take, take_of, take_one, twin,
};

const RUNNERS: usize = 16;

async fn let_others_on() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Everybody who waits for its kind is woken, whoever waits for others.
pub async fn waiting_ends_when_a_job_is_put_in(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let kinds = [JobKind::new("other"), JobKind::new(KIND)];
    let stranger = {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.wait(&[JobKind::new("nothing")]).await })
    };
    let_others_on().await;
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let (queue, kinds) = (Arc::clone(&queue), kinds.clone());
            tokio::spawn(async move {
                while take(&queue, 1).await.is_empty() {
                    queue.wait(&kinds).await;
                }
            })
        })
        .collect();
    let_others_on().await;
    for index in 0..3 {
        put(&queue, job("ada").payload(payload(index))).await;
    }
    for waiter in waiters {
        assert!(soon("waking those who wait", waiter).await.is_ok());
    }
    stranger.abort();
}

/// A job that comes after the lease that found nothing ends the waiting at once.
pub async fn waiting_misses_nothing_that_came_before_it(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let kinds = [JobKind::new(KIND)];
    for _ in 0..20 {
        assert_idle(&queue).await;
        put(&queue, job("ada")).await;
        soon("what came before", queue.wait(&kinds)).await;
        let lease = take_one(&queue).await;
        done(&queue, &lease).await;
    }
}

/// However it comes back.
pub async fn waiting_ends_when_a_job_comes_back(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let kinds = [JobKind::new(KIND)];
    put(&queue, twin(1)).await;
    for outcome in [Outcome::Release, Outcome::Retry { after: Duration::ZERO }, Outcome::Done, Outcome::Dead]
    {
        let lease = take_one(&queue).await;
        if matches!(outcome, Outcome::Done | Outcome::Dead) {
            put(&queue, twin(2)).await;
        }
        assert_idle(&queue).await;
        let waits = {
            let (queue, kinds) = (Arc::clone(&queue), kinds.clone());
            tokio::spawn(async move { queue.wait(&kinds).await })
        };
        let_others_on().await;
        end(&queue, &lease, outcome).await;
        assert!(soon("what has come back", waits).await.is_ok(), "{outcome:?}");
    }
    let dead = in_state(&queue, JobState::Dead).await;
    done(&queue, &take_one(&queue).await).await;
    assert_idle(&queue).await;
    ok(queue.requeue(&[dead[0].job.id.clone()]).await);
    soon("what was put in again", queue.wait(&kinds)).await;
    take_one(&queue).await;
}

/// And all of them are leased.
pub async fn leasing_at_once_leases_no_job_twice(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    const JOBS: usize = 200;
    put_all(&queue, (0..JOBS).map(|index| job(&format!("user {}", index % 7))).collect()).await;
    for round in 0..2 {
        let leases: Vec<Lease> = at_once(RUNNERS, |_| {
            let queue = Arc::clone(&queue);
            async move {
                let mut all = Vec::new();
                loop {
                    let some = take(&queue, 3).await;
                    if some.is_empty() {
                        return all;
                    }
                    all.extend(some);
                    assert!(all.len() <= JOBS, "one runner has got more than there are");
                }
            }
        })
        .await
        .concat();
        let jobs: BTreeSet<&JobId> = leases.iter().map(|lease| &lease.job.id).collect();
        let fences: BTreeSet<u64> = leases.iter().map(|lease| lease.fence.0).collect();
        assert_eq!((leases.len(), jobs.len(), fences.len()), (JOBS, JOBS, JOBS), "round {round}");
        assert!(leases.iter().all(|lease| lease.job.lost == round), "round {round}");
        clock.advance(MINUTE);
    }
}

/// One waits, of each key.
pub async fn twins_that_come_at_once_are_one(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for round in 0..5 {
        let enqueued = at_once(RUNNERS, |runner| {
            let queue = Arc::clone(&queue);
            async move { put(&queue, twin(runner as u64)).await }
        })
        .await;
        let added: Vec<_> = enqueued.iter().filter(|enqueued| enqueued.how == Enqueuing::Added).collect();
        assert_eq!(added.len(), 1, "round {round}: {enqueued:?}");
        assert!(enqueued.iter().all(|enqueued| enqueued.id == added[0].id), "{enqueued:?}");
        let lease = take_one(&queue).await;
        let enqueued = at_once(RUNNERS, |runner| {
            let queue = Arc::clone(&queue);
            async move { put(&queue, twin(runner as u64)).await }
        })
        .await;
        assert!(enqueued.iter().all(|enqueued| enqueued.how == Enqueuing::Again), "{enqueued:?}");
        done(&queue, &lease).await;
        done(&queue, &take_one(&queue).await).await;
        assert_idle(&queue).await;
    }
}

/// Whichever comes first: its work is done by a run that begins afterwards. Many keys at once, over and over.
pub async fn a_twin_that_comes_while_its_job_is_settled_is_not_lost(
    queue: Arc<dyn JobQueue>,
    _clock: ManualClock,
) {
    const ROUNDS: u64 = 8;
    let zero = Duration::ZERO;
    let outcomes = [Outcome::Done, Outcome::Retry { after: zero }, Outcome::Dead, Outcome::Release];
    let keyed = |runner: usize, round: u64| job("ada").key(runner.to_string()).payload(payload(round));
    let name =
        |lease: &Lease| lease.job.key.as_deref().and_then(|key| key.parse().ok()).unwrap_or(usize::MAX);
    put_all(&queue, (0..RUNNERS).map(|runner| keyed(runner, 0)).collect()).await;
    for round in 1..=ROUNDS {
        let leases: BTreeMap<usize, Lease> =
            take(&queue, 10 * RUNNERS).await.into_iter().map(|lease| (name(&lease), lease)).collect();
        assert_eq!(leases.len(), RUNNERS, "one of each key, in round {round}");
        assert_idle(&queue).await;
        at_once(2 * RUNNERS, |task| {
            let (queue, runner) = (Arc::clone(&queue), task / 2);
            let lease = leases.get(&runner).cloned();
            let outcome = outcomes[(runner + usize::try_from(round).unwrap_or(0)) % outcomes.len()];
            let twin = keyed(runner, round);
            async move {
                match lease {
                    Some(lease) if task % 2 == 0 => end(&queue, &lease, outcome).await,
                    _ => drop(put(&queue, twin).await),
                }
            }
        })
        .await;
        let waiting = in_state(&queue, JobState::Waiting).await;
        assert_eq!(waiting.len(), RUNNERS, "one of each key waits after round {round}");
        for record in &waiting {
            let key = record.job.key.as_deref();
            assert_eq!(
                record.job.payload,
                payload(round),
                "a change of key {key:?} is lost in round {round}"
            );
        }
    }
    assert_eq!(in_state(&queue, JobState::Running).await, []);
}

/// Either this lease has it, or the next one.
pub async fn a_twin_that_comes_while_its_job_is_leased_is_not_lost(
    queue: Arc<dyn JobQueue>,
    _clock: ManualClock,
) {
    for round in 0..20 {
        put(&queue, twin(1)).await;
        let leases: Vec<Lease> = at_once(2, |task| {
            let queue = Arc::clone(&queue);
            async move {
                if task == 0 {
                    put(&queue, twin(2)).await;
                    return Vec::new();
                }
                take(&queue, 10).await
            }
        })
        .await
        .concat();
        let first = only(leases);
        done(&queue, &first).await;
        let next = take(&queue, 10).await;
        let seen = [numbers(std::slice::from_ref(&first)), numbers(&next)].concat();
        assert!([vec![2], vec![1, 2]].contains(&seen), "round {round}: {seen:?} were leased");
        for lease in &next {
            done(&queue, lease).await;
        }
        assert_idle(&queue).await;
    }
}

/// One settlement counts, and one follower comes.
pub async fn settling_at_once_has_one_winner(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    put(&queue, twin(0)).await;
    for round in 1..=5 {
        let lease = take_one(&queue).await;
        put(&queue, twin(round)).await;
        let held = at_once(RUNNERS, |_| {
            let (queue, lease) = (Arc::clone(&queue), lease.clone());
            async move { ok(queue.settle(vec![Settlement::done(&lease)]).await) == [true] }
        })
        .await;
        assert_eq!(held.iter().filter(|held| **held).count(), 1, "round {round}: {held:?}");
        assert_eq!(in_state(&queue, JobState::Done).await.len() as u64, round);
        assert_eq!(in_state(&queue, JobState::Waiting).await.len(), 1);
    }
    assert_eq!(number(&take_one(&queue).await), 5);
}

/// Polls a call so many times, and drops it then.
async fn drop_after(polls: usize, call: impl Future) {
    let mut call = pin!(call);
    for _ in 0..polls {
        if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return;
        }
        // So that the drop meets the call at different places.
        let_others_on().await;
    }
}

/// All jobs are there, or none.
pub async fn a_dropped_enqueue_happens_whole_or_not_at_all(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for polls in 0..20 {
        let kind = format!("kind {polls}");
        let jobs: Vec<NewJob> = (0..5).map(|index| NewJob::new(&*kind, format!("user {index}"))).collect();
        drop_after(polls, queue.enqueue(jobs)).await;
        let found = find(&queue, JobQuery::default().kind(&*kind)).await.len();
        assert!([0, 5].contains(&found), "{found} of 5 jobs, dropped after {polls} polls");
        let id = put(&queue, NewJob::new(&*kind, "last")).await.id;
        let leases = take_of(&queue, &kind, 10).await;
        assert!([1, 6].contains(&leases.len()), "{} of 6 leases", leases.len());
        assert!(leases.iter().any(|lease| lease.job.id == id), "the queue goes on");
        for lease in &leases {
            done(&queue, lease).await;
        }
    }
}

/// Nobody has heard of the lease; the job is leased again.
pub async fn a_dropped_lease_runs_out(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    for polls in 0..20 {
        let ids: BTreeSet<JobId> = put_all(&queue, (0..3).map(|_| job("ada")).collect())
            .await
            .into_iter()
            .map(|enqueued| enqueued.id)
            .collect();
        let request = LeaseRequest::new("worker", KIND, 10, MINUTE);
        drop_after(polls, queue.lease(&request)).await;
        let mut seen = BTreeSet::new();
        for _ in 0..10 {
            clock.advance(MINUTE);
            for lease in take(&queue, 10).await {
                done(&queue, &lease).await;
                seen.insert(lease.job.id);
            }
            if seen == ids {
                break;
            }
        }
        assert_eq!(seen, ids, "dropped after {polls} polls");
    }
}

/// The job runs, or is done and its follower waits.
pub async fn a_dropped_settlement_happens_whole_or_not_at_all(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    for polls in 0..20 {
        let key = format!("key {polls}");
        let keyed = |number| job("ada").key(&*key).payload(payload(number));
        put(&queue, keyed(1)).await;
        let lease = take_one(&queue).await;
        put(&queue, keyed(2)).await;
        drop_after(polls, queue.settle(vec![Settlement::done(&lease)])).await;
        // It may still happen, but once this is answered it either has, or is refused.
        ok(queue.settle(vec![Settlement::done(&lease)]).await);
        let found = find(&queue, JobQuery::by_id(&lease.job.id)).await;
        assert_eq!(found[0].state, JobState::Done, "dropped after {polls} polls");
        let next = take_one(&queue).await;
        assert_eq!(number(&next), 2, "dropped after {polls} polls");
        done(&queue, &next).await;
        assert_idle(&queue).await;
    }
    assert_eq!(in_state(&queue, JobState::Done).await.len(), 40, "none is done twice");
    assert_eq!(in_state(&queue, JobState::Waiting).await.len(), 0);
}
