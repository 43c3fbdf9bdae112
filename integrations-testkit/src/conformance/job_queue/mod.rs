//! Does a [`JobQueue`] keep its promises?

mod enqueue;
mod fairness;
mod history;
mod lease;
mod race;
mod settle;
mod twins;

use std::sync::Arc;
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use integrations_core::queue::{
    Enqueued, Heartbeat, JobId, JobQuery, JobQueue, JobRecord, JobState, Lease, LeaseRequest, NewJob,
    Outcome, Payload, Settlement,
};

pub use self::enqueue::*;
pub use self::fairness::*;
pub use self::history::*;
pub use self::lease::*;
pub use self::race::*;
pub use self::settle::*;
pub use self::twins::*;
use super::ok;

/// Expands to a module `job_queue` with a test per promise of
/// [`JobQueue`](integrations_core::queue::JobQueue); see [`conformance`](crate::conformance).
///
/// The queue may count time in milliseconds.
#[macro_export]
macro_rules! job_queue_conformance {
    ($make:ident $(, ignore = $reason:literal)?) => {
        $crate::job_queue_conformance!(@ store => store, $make $(, ignore = $reason)?);
    };
    ($make:ident, with guard $(, ignore = $reason:literal)?) => {
        $crate::job_queue_conformance!(@ (store, _guard) => store, $make $(, ignore = $reason)?);
    };
    (@ $($how:tt)+) => {
        $crate::__conformance_suite!(job_queue, $($how)+, [
            jobs_are_put_in_all_or_none,
            each_job_that_is_put_in_is_answered,
            a_job_comes_back_as_it_was_put,
            a_payload_comes_back_as_it_was_put,
            kinds_are_told_apart_exactly,
            owners_are_told_apart_exactly,
            keys_are_told_apart_exactly,
            ids_are_told_apart_exactly,
            a_delayed_job_waits_for_its_time,
            a_very_long_delay_is_no_error,

            nothing_is_leased_of_other_kinds,
            at_most_so_many_are_leased,
            jobs_of_several_kinds_are_leased_at_once,
            a_higher_priority_comes_first,
            jobs_of_a_user_come_in_their_order,
            delayed_jobs_come_in_the_order_of_their_times,
            a_leased_job_is_nobody_elses_until_the_lease_runs_out,
            a_lost_lease_is_leased_again_with_a_higher_fence,
            a_lost_lease_cannot_be_extended_or_settled,
            a_settled_lease_is_over,
            a_heartbeat_keeps_a_lease_alive,
            each_heartbeat_is_answered,
            the_tenth_lost_lease_makes_a_job_dead,
            a_running_job_shows_who_has_it_and_until_when,
            progress_shows,
            next_due_tells_of_delayed_jobs,
            next_due_tells_of_leases_that_run_out,
            fences_rise_over_all_leases,

            a_job_that_is_done_is_over,
            each_settlement_is_answered,
            a_retry_counts_and_waits,
            a_release_does_not_count_and_is_due_at_once,
            a_dead_letter_says_why,
            dead_letters_are_put_in_again,
            a_done_job_is_put_in_again_and_stays_in_the_history,
            what_is_not_finished_is_not_put_in_again,
            a_repeat_is_a_new_job,
            a_repeat_may_have_another_payload,
            a_dead_job_is_repeated,

            a_waiting_twin_is_coalesced,
            a_waiting_twin_takes_the_higher_priority,
            a_waiting_twin_takes_the_earlier_time,
            a_twin_that_waits_for_a_retry_keeps_its_time,
            twins_of_a_batch_are_coalesced,
            a_running_twin_runs_once_more,
            several_twins_of_a_running_job_are_one,
            a_delayed_twin_of_a_running_job_waits_for_its_time,
            others_are_no_twins,
            a_job_without_a_key_has_no_twin,
            a_twin_of_a_finished_job_is_a_new_job,
            a_retry_does_the_work_of_its_twin,
            a_release_does_the_work_of_its_twin,
            a_lost_job_does_the_work_of_its_twin,
            a_dead_job_leaves_its_twin_waiting,
            a_job_that_is_dead_by_loss_leaves_its_twin_waiting,
            a_repeat_is_coalesced_with_a_twin,
            what_is_put_in_again_is_coalesced_with_a_waiting_twin,
            what_is_put_in_again_makes_a_running_twin_run_once_more,

            a_noisy_user_does_not_hold_up_a_quiet_one,
            many_users_take_turns,
            a_user_who_comes_later_shares_from_then_on,
            users_take_turns_when_jobs_become_due_together,

            stats_count_by_kind,
            stats_tell_how_long_the_oldest_has_been_due,
            jobs_are_found_by_state,
            jobs_are_found_by_kind_owner_and_id,
            jobs_are_found_by_the_time_they_were_finished,
            jobs_are_found_by_pages_in_their_order,
            a_purge_deletes_what_was_finished_before,
            a_purge_leaves_what_is_not_finished,

            waiting_ends_when_a_job_is_put_in,
            waiting_misses_nothing_that_came_before_it,
            waiting_ends_when_a_job_comes_back,
            leasing_at_once_leases_no_job_twice,
            twins_that_come_at_once_are_one,
            a_twin_that_comes_while_its_job_is_settled_is_not_lost,
            a_twin_that_comes_while_its_job_is_leased_is_not_lost,
            settling_at_once_has_one_winner,
            a_dropped_enqueue_happens_whole_or_not_at_all,
            a_dropped_lease_runs_out,
            a_dropped_settlement_happens_whole_or_not_at_all,
        ]);
    };
}

crate::job_queue_conformance!(@ cases JobQueue);

/// The queue, as the cases take it.
pub fn shared(queue: impl JobQueue) -> Arc<dyn JobQueue> {
    Arc::new(queue)
}

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const KIND: &str = "sync";

fn job(owner: &str) -> NewJob {
    NewJob::new(KIND, owner)
}

/// A job that has twins.
fn twin(number: u64) -> NewJob {
    job("ada").key("primary").payload(payload(number))
}

fn payload(number: u64) -> Payload {
    Payload::new(number.to_string())
}

fn number(lease: &Lease) -> u64 {
    match str::from_utf8(lease.job.payload.as_bytes()).map(str::parse) {
        Ok(Ok(number)) => number,
        _ => panic!("the payload of {:?} is no number", lease.job),
    }
}

fn numbers(leases: &[Lease]) -> Vec<u64> {
    leases.iter().map(number).collect()
}

async fn put(queue: &Arc<dyn JobQueue>, job: NewJob) -> Enqueued {
    put_all(queue, vec![job]).await.remove(0)
}

async fn put_all(queue: &Arc<dyn JobQueue>, jobs: Vec<NewJob>) -> Vec<Enqueued> {
    let count = jobs.len();
    let enqueued = ok(queue.enqueue(jobs).await);
    assert_eq!(enqueued.len(), count, "each job is answered");
    enqueued
}

/// Leases for a minute.
async fn take(queue: &Arc<dyn JobQueue>, max: usize) -> Vec<Lease> {
    take_of(queue, KIND, max).await
}

async fn take_of(queue: &Arc<dyn JobQueue>, kind: &str, max: usize) -> Vec<Lease> {
    ok(queue.lease(&LeaseRequest::new("worker", kind, max, MINUTE)).await).leases
}

#[track_caller]
fn only(mut leases: Vec<Lease>) -> Lease {
    assert_eq!(leases.len(), 1, "one job was to be leased: {leases:?}");
    leases.remove(0)
}

async fn take_one(queue: &Arc<dyn JobQueue>) -> Lease {
    only(take(queue, 10).await)
}

async fn assert_idle(queue: &Arc<dyn JobQueue>) {
    assert_eq!(take(queue, 10).await, [], "there was nothing to lease");
}

/// Settles one lease, and says whether it was held.
async fn settle(queue: &Arc<dyn JobQueue>, settlement: Settlement) -> bool {
    let held = ok(queue.settle(vec![settlement]).await);
    assert_eq!(held.len(), 1, "each settlement is answered");
    held[0]
}

async fn end(queue: &Arc<dyn JobQueue>, lease: &Lease, outcome: Outcome) {
    assert!(settle(queue, Settlement::new(lease.id(), outcome)).await, "the lease was held");
}

async fn done(queue: &Arc<dyn JobQueue>, lease: &Lease) {
    end(queue, lease, Outcome::Done).await;
}

async fn extend(queue: &Arc<dyn JobQueue>, lease: &Lease, ttl: Duration) -> bool {
    let held = ok(queue.extend(vec![Heartbeat { lease: lease.id(), ttl, progress: None }]).await);
    assert_eq!(held.len(), 1, "each heartbeat is answered");
    held[0]
}

async fn find(queue: &Arc<dyn JobQueue>, query: JobQuery) -> Vec<JobRecord> {
    ok(queue.find(&query).await)
}

async fn in_state(queue: &Arc<dyn JobQueue>, state: JobState) -> Vec<JobRecord> {
    find(queue, JobQuery::in_state(state)).await
}

async fn record(queue: &Arc<dyn JobQueue>, id: &JobId) -> JobRecord {
    let mut records = find(queue, JobQuery::by_id(id)).await;
    assert_eq!(records.len(), 1, "one job has the id {id}: {records:?}");
    records.remove(0)
}

/// Fails instead of waiting for ever. What is waited for takes no time on the manual clock, so this is one of the
/// few places where the machine's counts.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let clock = SystemClock::new();
    tokio::select! {
        biased;
        value = future => value,
        () = clock.sleep(10 * SECOND) => panic!("{what} has not happened in 10 s"),
    }
}
