//! What becomes of a job that is put in?

use std::collections::BTreeSet;
use std::sync::Arc;

use integrations_core::ErrorKind;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::connection::Owner;
use integrations_core::queue::{
    Enqueued, Enqueuing, Heartbeat, JobId, JobQuery, JobQueue, JobState, LeaseId, NewJob, Outcome, Payload,
    Priority, Settlement,
};
use integrations_core::sync::Fence;

use super::{
    KIND, MILLISECOND, MINUTE, SECOND, assert_idle, find, job, ok, payload, put, put_all, record, settle,
    take, take_of, take_one,
};

/// Names that differ little, and some that mean something to a store.
const ODD: [&str; 18] = [
    "a",
    "A",
    "a ",
    " a",
    "a'b",
    "a\"b",
    "a%",
    "a_",
    "a*",
    "a.b",
    "a:b",
    "a/b",
    "{a}",
    "a>b",
    "ключ",
    "\u{1F4C5}",
    "a\\b",
    "a\nb",
];

/// One that is too large is refused with a code, and so are those before and behind it.
pub async fn jobs_are_put_in_all_or_none(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let too_large = job("ada").payload(Payload::new(vec![b'x'; Payload::MAX + 1]));
    let jobs = vec![job("ada"), job("bob").key("primary"), too_large, job("ada")];
    match queue.enqueue(jobs).await {
        Ok(enqueued) => panic!("a payload that is too large was taken: {enqueued:?}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
            assert_eq!(error.provider_code(), Some("payload_too_large"), "{error}");
        }
    }
    assert_eq!(find(&queue, JobQuery::default()).await, []);
    assert_idle(&queue).await;
    assert_eq!(put(&queue, job("bob").key("primary")).await.how, Enqueuing::Added, "it has no twin");
}

/// In their order, each with an id of its own; none is nothing.
pub async fn each_job_that_is_put_in_is_answered(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    assert_eq!(ok(queue.enqueue(Vec::new()).await), []);
    let enqueued = put_all(&queue, (0..50).map(|index| job("ada").payload(payload(index))).collect()).await;
    let ids: BTreeSet<&JobId> = enqueued.iter().map(|enqueued| &enqueued.id).collect();
    assert_eq!(ids.len(), 50, "each has an id of its own");
    for (index, Enqueued { id, how, .. }) in enqueued.iter().enumerate() {
        assert_eq!(*how, Enqueuing::Added);
        assert_eq!(record(&queue, id).await.job.payload, payload(index as u64));
    }
}

/// With every field, for whoever leases or finds it.
pub async fn a_job_comes_back_as_it_was_put(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let now = clock.now();
    let full = NewJob::new(KIND, Owner::new("acme", "ada"))
        .key("calendar/primary")
        .payload(Payload::new("{}"))
        .priority(Priority::High);
    let bare = NewJob::new(KIND, "bob").priority(Priority::Low);
    let enqueued = put_all(&queue, vec![full.clone(), bare.clone()]).await;
    clock.advance(SECOND);
    let leases = take(&queue, 10).await;
    assert_eq!(leases.len(), 2);
    for ((put, enqueued), lease) in [full, bare].into_iter().zip(enqueued).zip(leases) {
        assert_eq!(lease.job.id, enqueued.id);
        assert_eq!(lease.job.again(), put);
        assert_eq!((lease.job.failures, lease.job.lost), (0, 0));
        assert_eq!(lease.job.enqueued_at, now);
        assert_eq!(record(&queue, &enqueued.id).await.job, lease.job);
    }
}

/// Any bytes, none and as many as there may be among them.
pub async fn a_payload_comes_back_as_it_was_put(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    for bytes in
        [Vec::new(), b"\0".to_vec(), b"\0\xff\xfe'\"\\".to_vec(), all_bytes.repeat(Payload::MAX / 256)]
    {
        put(&queue, job("ada").payload(Payload::new(bytes.clone()))).await;
        let lease = take_one(&queue).await;
        assert_eq!(lease.job.payload.as_bytes(), bytes, "{} bytes", bytes.len());
        assert_eq!(record(&queue, &lease.job.id).await.job.payload.as_bytes(), bytes);
    }
}

/// Kinds that differ in case, in a space or in a wildcard are different kinds.
pub async fn kinds_are_told_apart_exactly(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let enqueued =
        put_all(&queue, ODD.iter().map(|kind| NewJob::new(*kind, "ada").key("key")).collect()).await;
    for (kind, Enqueued { id, how, .. }) in ODD.iter().zip(enqueued) {
        assert_eq!(how, Enqueuing::Added, "{kind:?}");
        let found = find(&queue, JobQuery::default().kind(*kind)).await;
        assert_eq!(found.iter().map(|record| &record.job.id).collect::<Vec<_>>(), [&id], "{kind:?}");
        let leases = take_of(&queue, kind, 10).await;
        assert_eq!(leases.iter().map(|lease| &lease.job.id).collect::<Vec<_>>(), [&id], "{kind:?}");
        assert_eq!(leases[0].job.kind, *kind);
    }
    assert_eq!(ok(queue.stats().await).kinds.len(), ODD.len());
}

/// So are users and tenants, and where the one ends and the other begins.
pub async fn owners_are_told_apart_exactly(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let mut owners: Vec<Owner> = ODD.iter().map(|user| Owner::from(*user)).collect();
    owners.extend(ODD.iter().map(|tenant| Owner::new(*tenant, "a")));
    owners.extend([
        Owner::new("a:b", "c"),
        Owner::new("a", "b:c"),
        Owner::new("a/b", "c"),
        Owner::new("ab", "c"),
    ]);
    let jobs = owners.iter().map(|owner| NewJob::new(KIND, owner.clone()).key("key")).collect();
    let enqueued = put_all(&queue, jobs).await;
    for (owner, Enqueued { id, how, .. }) in owners.iter().zip(enqueued) {
        assert_eq!(how, Enqueuing::Added, "{owner:?}");
        let found = find(&queue, JobQuery::default().owner(owner.clone())).await;
        assert_eq!(found.iter().map(|record| &record.job.id).collect::<Vec<_>>(), [&id], "{owner:?}");
        assert_eq!(found[0].job.owner, *owner);
    }
    assert_eq!(take(&queue, 100).await.len(), owners.len());
}

/// And keys; one that is empty is still one.
pub async fn keys_are_told_apart_exactly(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let long = "k".repeat(500);
    let longer = format!("{long}k");
    let keys: Vec<&str> = ODD.into_iter().chain(["", &long, &longer]).collect();
    let twins = || keys.iter().map(|key| job("ada").key(*key)).collect();
    let first = put_all(&queue, twins()).await;
    let again = put_all(&queue, twins()).await;
    for ((key, first), again) in keys.iter().zip(first).zip(again) {
        assert_eq!(first.how, Enqueuing::Added, "{key:?}");
        assert_eq!(again, Enqueued::new(first.id, Enqueuing::Coalesced), "{key:?}");
    }
    let leases = take(&queue, 100).await;
    assert_eq!(leases.iter().filter_map(|lease| lease.job.key.as_deref()).collect::<Vec<_>>(), keys);
}

/// Ids that no job has name none, whatever they look like.
pub async fn ids_are_told_apart_exactly(queue: Arc<dyn JobQueue>, _clock: ManualClock) {
    let id = put(&queue, job("ada")).await.id;
    let lease = take_one(&queue).await;
    let like_it = [format!(" {id}"), format!("{id} "), format!("0{id}"), format!("+{id}"), format!("{id}0")];
    for other in ODD.map(String::from).into_iter().chain(like_it).chain(["%".into(), String::new()]) {
        let stranger = LeaseId { job: JobId::from(other.as_str()), fence: lease.fence };
        assert_eq!(find(&queue, JobQuery::by_id(other.as_str())).await, [], "{other:?}");
        assert_eq!(ok(queue.requeue(std::slice::from_ref(&stranger.job)).await), [None], "{other:?}");
        let heartbeat = Heartbeat { lease: stranger.clone(), ttl: MINUTE, progress: None };
        assert_eq!(ok(queue.extend(vec![heartbeat]).await), [false], "{other:?}");
        assert!(!settle(&queue, Settlement::new(stranger, Outcome::Done)).await, "{other:?}");
    }
    let other = LeaseId { job: id.clone(), fence: Fence(lease.fence.0 + 1) };
    assert!(!settle(&queue, Settlement::new(other, Outcome::Done)).await);
    assert_eq!(record(&queue, &id).await.state, JobState::Running);
}

/// It is there at its time, and not before.
pub async fn a_delayed_job_waits_for_its_time(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    let id = put(&queue, job("ada").delay(10 * SECOND)).await.id;
    assert_idle(&queue).await;
    let waiting = record(&queue, &id).await;
    assert_eq!((waiting.state, waiting.due_at), (JobState::Waiting, Some(clock.now() + 10 * SECOND)));
    clock.advance(10 * SECOND - MILLISECOND);
    assert_idle(&queue).await;
    clock.advance(MILLISECOND);
    assert_eq!(take_one(&queue).await.job.id, id);
}

/// A hundred years are as good as for ever.
pub async fn a_very_long_delay_is_no_error(queue: Arc<dyn JobQueue>, clock: ManualClock) {
    put(&queue, job("ada").delay(100 * 366 * 24 * 60 * MINUTE)).await;
    clock.advance(99 * 365 * 24 * 60 * MINUTE);
    assert_idle(&queue).await;
    clock.advance(3 * 366 * 24 * 60 * MINUTE);
    take_one(&queue).await;
}
