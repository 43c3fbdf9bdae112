//! Can every case of the suite `job_queue` fail?

mod queue;

use integrations_core::queue::JobQueue;
use integrations_testkit::conformance;
use integrations_testkit::conformance::job_queue::CASES;

use self::queue::Twin;
use super::flaws;

flaws!(JobQueue of Twin {
    // Putting in.
    /// A payload that is too large is noticed when its turn comes.
    LargeIsRefusedHalfway: [jobs_are_put_in_all_or_none],
    /// It is not noticed.
    LargeIsTaken: [jobs_are_put_in_all_or_none],
    /// It is refused without a code.
    LargeHasNoCode: [jobs_are_put_in_all_or_none],
    /// The answers come the other way round.
    AnswersAreReversed: [each_job_that_is_put_in_is_answered],
    /// All users belong to one tenant.
    TenantIsForgotten: [a_job_comes_back_as_it_was_put, owners_are_told_apart_exactly],
    /// A job tells since when it is due.
    EnqueuedAtIsLater: [a_job_comes_back_as_it_was_put],
    /// Payloads are kept as text.
    PayloadIsText: [a_payload_comes_back_as_it_was_put],
    /// Large payloads are cut off.
    PayloadIsCut: [a_payload_comes_back_as_it_was_put],
    /// Kinds that differ in case are the same.
    KindsFoldCase: [kinds_are_told_apart_exactly],
    /// Kinds that differ in spaces at their ends are the same.
    KindsAreTrimmed: [kinds_are_told_apart_exactly],
    /// Tenant and user are one text.
    OwnersAreJoined: [owners_are_told_apart_exactly],
    /// Keys that differ in case are the same.
    KeysFoldCase: [keys_are_told_apart_exactly],
    /// Long keys are cut off.
    KeysAreCut: [keys_are_told_apart_exactly],
    /// An empty key is none.
    EmptyKeyIsNone: [keys_are_told_apart_exactly],
    /// Ids are numbers, however they are written.
    IdsAreNumbers: [ids_are_told_apart_exactly],
    /// A job is due at once.
    DelayIsIgnored: [a_delayed_job_waits_for_its_time],
    /// Times are counted in whole seconds, rounded down.
    TimesAreRounded: [
        a_delayed_job_waits_for_its_time,
        a_leased_job_is_nobody_elses_until_the_lease_runs_out,
        a_retry_counts_and_waits,
    ],
    /// A job is not due at the moment at which it is due.
    DueIsExclusive: [a_delayed_job_waits_for_its_time],
    /// More than fifty years are none.
    DecadesAreOver: [a_very_long_delay_is_no_error],

    // Leasing.
    /// Jobs of all kinds are leased.
    AnyKind: [nothing_is_leased_of_other_kinds],
    /// One more than is wanted is leased.
    OneTooMany: [at_most_so_many_are_leased],
    /// Who wants none gets all.
    NoneIsAll: [at_most_so_many_are_leased, jobs_of_several_kinds_are_leased_at_once],
    /// Jobs of the first kind are leased.
    FirstKindOnly: [jobs_of_several_kinds_are_leased_at_once],
    /// The bound of the first kind is that of all.
    OneBoundForAll: [jobs_of_several_kinds_are_leased_at_once],
    /// All priorities are one.
    PriorityIsIgnored: [a_higher_priority_comes_first, a_waiting_twin_takes_the_higher_priority],
    /// Of a user's jobs, the newest comes first.
    NewestFirst: [jobs_of_a_user_come_in_their_order],
    /// Jobs that become due come in the order in which they were put in.
    RipeInOrderOfArrival: [delayed_jobs_come_in_the_order_of_their_times],
    /// What runs is leased once more.
    LeaseIsShared: [a_leased_job_is_nobody_elses_until_the_lease_runs_out],
    /// A lease runs out a second early.
    LeaseRunsOutEarly: [
        a_leased_job_is_nobody_elses_until_the_lease_runs_out,
        a_heartbeat_keeps_a_lease_alive,
    ],
    /// A lease never runs out.
    LeaseNeverRunsOut: [
        a_leased_job_is_nobody_elses_until_the_lease_runs_out,
        a_lost_lease_is_leased_again_with_a_higher_fence,
        a_dropped_lease_runs_out,
    ],
    /// A job that is leased again has its old fence.
    FenceOfJob: [
        a_lost_lease_is_leased_again_with_a_higher_fence,
        a_lost_lease_cannot_be_extended_or_settled,
        fences_rise_over_all_leases,
    ],
    /// A lost lease is a failure.
    LossIsFailure: [a_lost_lease_is_leased_again_with_a_higher_fence],
    /// Lost leases are not counted.
    LossIsNotCounted: [a_lost_lease_is_leased_again_with_a_higher_fence],
    /// Any lease of a job settles it.
    SettleByJob: [a_lost_lease_cannot_be_extended_or_settled, ids_are_told_apart_exactly],
    /// Any lease of a job is kept alive.
    ExtendByJob: [a_lost_lease_cannot_be_extended_or_settled],
    /// A settlement that comes too late is refused, and its progress is kept.
    RefusedHeartbeatLeavesProgress: [a_lost_lease_cannot_be_extended_or_settled],
    /// A job may be settled twice.
    SettledTwice: [a_settled_lease_is_over, each_settlement_is_answered],
    /// Whatever was settled is held.
    ExtendAfterEnd: [a_settled_lease_is_over, each_heartbeat_is_answered],
    /// A heartbeat changes nothing.
    ExtendDoesNothing: [a_heartbeat_keeps_a_lease_alive],
    /// A heartbeat adds to what is left.
    ExtendAdds: [a_heartbeat_keeps_a_lease_alive],
    /// Where one lease is lost, all are.
    OneLostLosesAll: [each_heartbeat_is_answered],
    /// A job is leased for ever.
    NeverDeadByLoss: [the_tenth_lost_lease_makes_a_job_dead],
    /// One lost lease less is borne.
    NinthLossIsDead: [the_tenth_lost_lease_makes_a_job_dead],
    /// It is dead, and nobody knows why.
    LossHasNoCode: [the_tenth_lost_lease_makes_a_job_dead],
    /// The worker is not kept.
    WorkerIsForgotten: [a_running_job_shows_who_has_it_and_until_when],
    /// A job has run since it was put in.
    StartedWhenPutIn: [a_running_job_shows_who_has_it_and_until_when],
    /// A heartbeat without progress takes it back.
    ProgressIsForgotten: [progress_shows],
    /// Progress is not kept at the end.
    LastProgressIsForgotten: [progress_shows],
    /// A note is not kept.
    NoteIsForgotten: [progress_shows],
    /// Nothing is said of delayed jobs.
    NextDueForgetsDelayed: [next_due_tells_of_delayed_jobs],
    /// Jobs of all kinds count.
    NextDueOfAllKinds: [next_due_tells_of_delayed_jobs],
    /// Nothing is said of leases.
    NextDueForgetsLeases: [next_due_tells_of_leases_that_run_out],
    /// It is late.
    NextDueIsLate: [next_due_tells_of_delayed_jobs, next_due_tells_of_leases_that_run_out],
    /// Fences are counted by kind.
    FencesByKind: [fences_rise_over_all_leases],

    // Settling.
    /// What is done comes back.
    DoneComesBack: [a_job_that_is_done_is_over],
    /// What is done tells when it was put in, as the time when it was finished.
    FinishedWhenStarted: [a_running_job_shows_who_has_it_and_until_when],
    /// One that is not held stops those behind it.
    OneRefusedStopsAll: [each_settlement_is_answered],
    /// A retry is not counted.
    RetryIsNotCounted: [a_retry_counts_and_waits],
    /// A retry does not wait.
    RetryIsAtOnce: [a_retry_counts_and_waits, a_retry_does_the_work_of_its_twin],
    /// Why a job failed is not kept.
    FailureIsForgotten: [a_retry_counts_and_waits, a_dead_letter_says_why],
    /// A release is a failure.
    ReleaseCounts: [a_release_does_not_count_and_is_due_at_once],
    /// A release begins anew.
    ReleaseForgetsFailures: [a_release_does_not_count_and_is_due_at_once],
    /// A release waits.
    ReleaseWaits: [a_release_does_not_count_and_is_due_at_once, a_release_does_the_work_of_its_twin],
    /// What is dead comes back.
    DeadComesBack: [a_dead_letter_says_why],
    /// A dead letter that is put in again stays one.
    RequeueLeavesLetter: [dead_letters_are_put_in_again, what_is_put_in_again_is_coalesced_with_a_waiting_twin],
    /// It has failed before.
    RequeueKeepsFailures: [dead_letters_are_put_in_again],
    /// What was done is in the history no more.
    RequeueTakesHistory: [a_done_job_is_put_in_again_and_stays_in_the_history],
    /// What runs or waits is put in again.
    RequeueTakesAll: [what_is_not_finished_is_not_put_in_again],
    /// Nothing is repeated.
    NoRepeat: [a_repeat_is_a_new_job, a_repeat_may_have_another_payload],
    /// A repeat is due at once.
    RepeatIsAtOnce: [a_repeat_is_a_new_job, a_repeat_is_coalesced_with_a_twin],
    /// A repeat has failed before.
    RepeatKeepsFailures: [a_repeat_is_a_new_job],
    /// A repeat has the payload of the one before.
    RepeatKeepsPayload: [a_repeat_may_have_another_payload],
    /// An empty payload is none.
    RepeatOfNothingKeepsPayload: [a_repeat_may_have_another_payload],
    /// What is dead is not repeated.
    DeadIsNotRepeated: [a_dead_job_is_repeated],

    // Twins.
    /// There are no twins.
    NoTwins: [
        a_waiting_twin_is_coalesced,
        twins_of_a_batch_are_coalesced,
        a_running_twin_runs_once_more,
        several_twins_of_a_running_job_are_one,
        twins_that_come_at_once_are_one,
    ],
    /// The older payload stays.
    OlderPayloadStays: [a_waiting_twin_is_coalesced, several_twins_of_a_running_job_are_one],
    /// A twin that is coalesced comes last.
    CoalescedComesLast: [a_waiting_twin_is_coalesced],
    /// The newer priority counts.
    NewerPriorityCounts: [a_waiting_twin_takes_the_higher_priority, several_twins_of_a_running_job_are_one],
    /// The older priority counts.
    OlderPriorityCounts: [a_waiting_twin_takes_the_higher_priority],
    /// The newer time counts.
    NewerTimeCounts: [a_waiting_twin_takes_the_earlier_time, several_twins_of_a_running_job_are_one],
    /// The older time counts.
    OlderTimeCounts: [a_waiting_twin_takes_the_earlier_time, several_twins_of_a_running_job_are_one],
    /// A retry is made at the earlier time.
    RetryIsHurried: [a_twin_that_waits_for_a_retry_keeps_its_time],
    /// The jobs of a batch are no twins of one another.
    BatchHasNoTwins: [twins_of_a_batch_are_coalesced],
    /// A twin that runs is thought to wait.
    RunningIsCoalesced: [
        a_running_twin_runs_once_more,
        a_retry_does_the_work_of_its_twin,
        a_twin_that_comes_while_its_job_is_settled_is_not_lost,
    ],
    /// A twin that runs is thought to be over.
    RunningIsNoTwin: [a_running_twin_runs_once_more, twins_that_come_at_once_are_one],
    /// Nobody sees that a job will run once more.
    AgainIsHidden: [a_running_twin_runs_once_more],
    /// The first twin of a running job is kept.
    FirstTwinIsKept: [several_twins_of_a_running_job_are_one],
    /// A twin of a running job waits for nothing.
    TwinIsAtOnce: [a_delayed_twin_of_a_running_job_waits_for_its_time],
    /// Its time counts from when the job ends.
    TwinTimeCountsFromEnd: [a_delayed_twin_of_a_running_job_waits_for_its_time],
    /// Jobs of all kinds are twins.
    TwinsOfAllKinds: [others_are_no_twins],
    /// Jobs of all tenants are twins.
    TwinsOfAllTenants: [others_are_no_twins],
    /// Jobs of all users are twins.
    TwinsOfAllUsers: [others_are_no_twins],
    /// Jobs without a key are twins.
    NoKeyIsAKey: [a_job_without_a_key_has_no_twin],
    /// What is finished is a twin.
    FinishedIsATwin: [a_twin_of_a_finished_job_is_a_new_job],
    /// A retry forgets what came.
    RetryForgetsTwin: [a_retry_does_the_work_of_its_twin],
    /// A release forgets what came.
    ReleaseForgetsTwin: [a_release_does_the_work_of_its_twin],
    /// A lost lease forgets what came.
    LossForgetsTwin: [a_lost_job_does_the_work_of_its_twin],
    /// A lost lease brings what came twice.
    LossKeepsTwin: [a_lost_job_does_the_work_of_its_twin],
    /// A dead job forgets what came.
    DeadForgetsTwin: [a_dead_job_leaves_its_twin_waiting, a_job_that_is_dead_by_loss_leaves_its_twin_waiting],
    /// A repeat forgets what came.
    RepeatForgetsTwin: [a_repeat_is_coalesced_with_a_twin],
    /// A repeat and a twin are two jobs.
    RepeatBesideTwin: [a_repeat_is_coalesced_with_a_twin],
    /// What is put in again has no twins.
    RequeueHasNoTwins: [
        what_is_put_in_again_is_coalesced_with_a_waiting_twin,
        what_is_put_in_again_makes_a_running_twin_run_once_more,
    ],

    /// What is put in again is older than its twin.
    RequeuedIsOlder: [
        what_is_put_in_again_is_coalesced_with_a_waiting_twin,
        what_is_put_in_again_makes_a_running_twin_run_once_more,
    ],

    // Order.
    /// Whoever comes first is served first.
    FirstComeFirstServed: [
        a_noisy_user_does_not_hold_up_a_quiet_one,
        many_users_take_turns,
        a_user_who_comes_later_shares_from_then_on,
        users_take_turns_when_jobs_become_due_together,
    ],
    /// Whoever comes later catches up.
    NewcomersCatchUp: [a_user_who_comes_later_shares_from_then_on],
    /// Whoever comes later waits until all are served that are there.
    NewcomersComeLast: [a_noisy_user_does_not_hold_up_a_quiet_one, a_user_who_comes_later_shares_from_then_on],
    /// A job has its turn before it is due.
    TurnWhenPutIn: [users_take_turns_when_jobs_become_due_together],

    // What is known.
    /// What is delayed counts as ready.
    DelayedIsReady: [stats_count_by_kind, stats_tell_how_long_the_oldest_has_been_due],
    /// Retries are not counted.
    RetriesDoNotCount: [stats_count_by_kind],
    /// What was done is counted as long as it is kept.
    PurgedIsUncounted: [stats_count_by_kind],
    /// The oldest is the one that was put in first.
    OldestWhenPutIn: [stats_tell_how_long_the_oldest_has_been_due],
    /// Jobs in all states are found.
    StateIsIgnored: [jobs_are_found_by_state],
    /// What waits for its time is not found.
    DelayedIsNotFound: [jobs_are_found_by_state],
    /// Users of all tenants are found.
    TenantIsIgnored: [jobs_are_found_by_kind_owner_and_id],
    /// Jobs of all kinds are found.
    KindIsIgnored: [jobs_are_found_by_kind_owner_and_id],
    /// The end of the window is part of it.
    WindowHasItsEnd: [jobs_are_found_by_the_time_they_were_finished],
    /// The beginning of the window is no part of it.
    WindowHasNoBeginning: [jobs_are_found_by_the_time_they_were_finished],
    /// The last job of a page is the first of the next.
    PagesOverlap: [jobs_are_found_by_pages_in_their_order],
    /// Jobs are found in the order in which they are due.
    FoundByTime: [jobs_are_found_by_pages_in_their_order],
    /// A page is filled before it is looked at.
    LimitComesFirst: [jobs_are_found_by_pages_in_their_order],
    /// All are found where nothing is said.
    NoUsualLimit: [jobs_are_found_by_pages_in_their_order],
    /// What was finished at that moment is deleted.
    PurgeIsInclusive: [a_purge_deletes_what_was_finished_before],
    /// Dead letters are not deleted.
    PurgeLeavesDead: [a_purge_deletes_what_was_finished_before],
    /// It is not said how many.
    PurgeCountsNothing: [a_purge_deletes_what_was_finished_before],
    /// What is old is deleted.
    PurgeTakesAll: [a_purge_leaves_what_is_not_finished],

    // At once, and in part.
    /// Nobody is woken.
    NeverWakes: [
        waiting_ends_when_a_job_is_put_in,
        waiting_ends_when_a_job_comes_back,
    ],
    /// One is woken, whether or not the job is for it.
    WakesOne: [waiting_ends_when_a_job_is_put_in],
    /// What came before is not news.
    MissesWhatCame: [waiting_misses_nothing_that_came_before_it],
    /// What comes back is not news.
    SettleWakesNobody: [waiting_ends_when_a_job_comes_back],
    /// What is put in again is not news.
    RequeuedIsNoNews: [waiting_ends_when_a_job_comes_back],
    /// Choosing and taking are two steps.
    LeaseIsTwoSteps: [
        leasing_at_once_leases_no_job_twice,
        a_twin_that_comes_while_its_job_is_leased_is_not_lost,
    ],
    /// Looking for a twin and putting in are two steps.
    EnqueueIsTwoSteps: [twins_that_come_at_once_are_one],
    /// Reading a job and writing it are two steps.
    SettleIsTwoSteps: [
        a_twin_that_comes_while_its_job_is_settled_is_not_lost,
        settling_at_once_has_one_winner,
    ],
    /// The jobs of a batch are put in one after the other.
    EnqueueIsOneByOne: [a_dropped_enqueue_happens_whole_or_not_at_all],
    /// A lease has an end once it was answered.
    LeaseEndsLater: [a_dropped_lease_runs_out],
    /// What follows a job is put in when that is over.
    FollowerComesLater: [a_dropped_settlement_happens_whole_or_not_at_all],
});
