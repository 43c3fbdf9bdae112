//! Does a service sync as the family promises?
//!
//! The suite drives a gateway with a provider's own adapter over real HTTP against a stateful fake. The
//! scenarios are the same for every service; which of them apply is said by the adapter's
//! [`Capabilities`](integrations_core::adapter::Capabilities) and by the fake. One judge decides in all of
//! them: the sink holds exactly what the provider has, each item once and in its last state.
//!
//! A service gets all of it by one line and a [`Fake`]; those of this crate's fakes are [`fakes`]:
//!
//! ```ignore
//! use integrations_testkit::scenario::{Subject, fakes};
//!
//! fn subject() -> Subject {
//!     Subject::new(
//!         fakes::Tasks::start,
//!         |fake| GoogleTasks::new(config(fake.google())),
//!         || Arc::new(ReqwestTransport::new("tests").unwrap()),
//!     )
//! }
//!
//! integrations_testkit::scenarios!(subject, not_here: {
//!     a_lost_position_lists_again_and_deletes_what_is_gone: "changes are read since a time",
//! });
//! ```
//!
//! The line expands to a module `scenario` with a `#[test]` per scenario. One that does not apply has to be
//! listed with its reason, which shows in the output of the tests; one that is listed has to say itself that
//! it does not apply, or the test `what_is_not_here_says_so` fails.
//!
//! In the module `scenario::broken` the same scenarios are played on subjects that are [broken] on purpose,
//! and have to fail: each is the proof that a scenario looks, and that the fake does what it says.
//!
//! A fake that lives outside this crate is served by [`FakeApi`](crate::FakeApi), which knows faults. The
//! scenarios are ordinary functions, so a failure points at a line, and each can be called alone.

pub mod broken;
mod fake;
pub mod fakes;
mod faults;
mod host;
mod items;
mod killed;
mod lost;
mod reading;
mod runs;
mod streams;
mod subject;
mod wire;

pub use self::fake::{Answer, Fake, FakeServer, NotHere, ODD_WORD, SetUp};
pub use self::faults::*;
pub use self::items::*;
pub use self::killed::*;
pub use self::lost::*;
pub use self::reading::*;
pub use self::streams::*;
pub use self::subject::Subject;

/// Expands to a module `scenario` with a test per scenario; see [`scenario`](crate::scenario).
#[macro_export]
macro_rules! scenarios {
    ($subject:ident) => {
        $crate::scenarios!($subject, not_here: {});
    };
    ($subject:ident, not_here: { $($($absent:ident)::+: $why:literal),* $(,)? }) => {
        $crate::__scenarios!($subject, [$($($absent)::+: $why,)*], [
            a_first_sync_brings_every_item_once,
            a_run_without_news_changes_nothing,
            an_item_that_is_added_comes,
            an_item_that_changes_changes,
            an_item_that_is_deleted_goes,
            every_page_boundary_of_a_listing,
            every_page_boundary_of_changes,
            what_happens_during_a_listing_is_not_lost,
            what_happens_while_changes_are_read_is_not_lost,
            an_empty_page_with_a_next_page_is_no_end,
            an_item_that_comes_twice_is_there_once,
            a_full_sync_keeps_what_is_there,
            a_page_holds_no_more_than_is_asked_for,
            a_lost_position_lists_again_and_deletes_what_is_gone,
            a_position_lost_in_the_middle_of_a_listing_begins_it_again,
            a_position_lost_in_the_middle_of_changes_lists_again,
            a_deletion_is_found_when_it_is_time_to_list_again,
            an_empty_listing_deletes_nothing_until_the_host_says_so,
            a_listing_that_shrinks_sharply_is_not_believed,
            a_malformed_item_harms_itself_alone,
            a_malformed_item_that_is_mended_becomes_a_record,
            a_record_that_turns_malformed_stays,
            a_word_that_nobody_knows_is_kept,
            a_rate_limit_is_waited_out_as_told,
            a_rate_limit_that_is_not_waited_out_says_when_to_come_back,
            a_token_that_is_refused_between_pages_is_refreshed_once,
            a_server_error_that_passes_is_passed_over,
            a_page_of_html_is_no_answer,
            half_an_answer_is_no_answer,
            a_redirect_does_not_get_the_token,
            a_listing_that_is_killed_anywhere_is_gone_on_with,
            a_run_of_changes_that_is_killed_anywhere_is_gone_on_with,
            two_runs_at_once_lose_nothing,
            a_stream_that_fails_does_not_stop_the_others,
            a_stream_that_appears_is_read_from_its_start,
            a_stream_that_vanishes_is_named_and_kept,
            a_window_is_kept_to,
            a_window_is_asked_for,
            a_wider_window_lists_again,
            disconnecting_forgets,
        ], [
            an_adapter_that_reads_one_page_of_a_listing: [
                a_first_sync_brings_every_item_once,
                every_page_boundary_of_a_listing,
            ],
            an_adapter_that_reads_one_page_of_changes: [every_page_boundary_of_changes],
            an_adapter_that_stops_at_an_empty_page: [an_empty_page_with_a_next_page_is_no_end],
            an_adapter_that_sees_no_changes: [an_item_that_is_added_comes, an_item_that_changes_changes],
            an_adapter_that_lists_instead_of_reading_changes: [a_run_without_news_changes_nothing],
            an_adapter_that_takes_its_mark_last: [
                what_happens_during_a_listing_is_not_lost,
                what_happens_while_changes_are_read_is_not_lost,
            ],
            an_adapter_that_keeps_its_own_position: [
                a_run_of_changes_that_is_killed_anywhere_is_gone_on_with,
            ],
            an_adapter_that_overlooks_deletions: [an_item_that_is_deleted_goes],
            an_adapter_that_promises_to_name_deletions: [a_deletion_is_found_when_it_is_time_to_list_again],
            an_adapter_that_does_not_know_a_lost_position: [
                a_lost_position_lists_again_and_deletes_what_is_gone,
                a_position_lost_in_the_middle_of_a_listing_begins_it_again,
                a_position_lost_in_the_middle_of_changes_lists_again,
            ],
            an_adapter_that_gives_up_on_a_refused_token: [
                a_token_that_is_refused_between_pages_is_refreshed_once,
            ],
            an_adapter_that_gives_up_on_a_server_error: [a_server_error_that_passes_is_passed_over],
            an_adapter_that_fails_with_a_bad_item: [a_malformed_item_harms_itself_alone],
            an_adapter_that_drops_bad_items: [a_malformed_item_harms_itself_alone],
            an_adapter_that_refuses_odd_words: [a_word_that_nobody_knows_is_kept],
            an_adapter_that_takes_nonsense_for_an_empty_page: [a_page_of_html_is_no_answer],
            an_adapter_that_asks_for_everything: [a_window_is_asked_for],
            an_adapter_that_asks_for_large_pages: [a_page_holds_no_more_than_is_asked_for],
            an_adapter_that_remembers_its_streams: [
                a_stream_that_appears_is_read_from_its_start,
                a_stream_that_vanishes_is_named_and_kept,
            ],
            an_adapter_that_is_poisoned_by_a_failure: [a_stream_that_fails_does_not_stop_the_others],
            a_sink_that_moves_the_position_first: [
                a_listing_that_is_killed_anywhere_is_gone_on_with,
                a_run_of_changes_that_is_killed_anywhere_is_gone_on_with,
            ],
            a_sink_that_never_sweeps: [
                a_lost_position_lists_again_and_deletes_what_is_gone,
                a_listing_that_shrinks_sharply_is_not_believed,
            ],
            a_sink_that_believes_every_listing: [
                an_empty_listing_deletes_nothing_until_the_host_says_so,
                a_listing_that_shrinks_sharply_is_not_believed,
            ],
            a_sink_that_lets_everybody_commit: [two_runs_at_once_lose_nothing],
            a_sink_that_knows_no_item_twice: [an_item_that_comes_twice_is_there_once],
            a_sink_that_keeps_what_was_quarantined: [a_malformed_item_that_is_mended_becomes_a_record],
            a_sink_that_sweeps_what_was_quarantined: [a_record_that_turns_malformed_stays],
            a_sink_that_forgets_nothing: [disconnecting_forgets],
            a_sink_that_forgets_the_window: [a_window_is_kept_to, a_wider_window_lists_again],
            a_sink_that_tells_no_listings_apart: [a_full_sync_keeps_what_is_there],
            a_client_that_follows_redirects: [a_redirect_does_not_get_the_token],
            a_client_that_loses_retry_after: [
                a_rate_limit_is_waited_out_as_told,
                a_rate_limit_that_is_not_waited_out_says_when_to_come_back,
            ],
            a_client_that_takes_a_break_for_the_end: [half_an_answer_is_no_answer],
        ]);
    };
}

/// Plays a scenario that has to go well.
///
/// # Panics
/// When it does not apply.
#[doc(hidden)]
pub fn applies(scenario: impl Future<Output = Answer>) {
    if let Err(not_here) = run(scenario) {
        panic!("the scenario does not apply: {not_here}; list it under `not_here`");
    }
}

/// Plays a scenario that has to say that it does not apply.
///
/// # Panics
/// When it goes well.
#[doc(hidden)]
pub fn does_not_apply(scenario: impl Future<Output = Answer>) {
    assert!(run(scenario).is_err(), "the scenario applies: take it off the list of `not_here`");
}

/// Plays a scenario on a runtime of its own. It has a single thread: whoever gives way to the others knows
/// that they have had their turn, so that the clock moves only when nothing is left to be done.
fn run(scenario: impl Future<Output = Answer>) -> Answer {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(scenario),
        Err(error) => panic!("no runtime for the scenario: {error}"),
    }
}

/// What can stand on the list of `not_here`.
#[doc(hidden)]
pub mod names {
    pub use super::broken::*;
    pub use super::*;
}

/// Expands the suite; use [`scenarios`](crate::scenarios).
#[doc(hidden)]
#[macro_export]
macro_rules! __scenarios {
    (
        $subject:ident,
        [$($($absent:ident)::+: $why:literal,)*],
        [$($case:ident,)+],
        [$($flaw:ident: [$($fails:ident),+ $(,)?],)+]
    ) => {
        mod scenario {
            use super::*;

            // What is listed is called so here.
            $(const _: () = { $(let _ = $crate::scenario::names::$absent;)+ };)*
            $crate::__scenarios!(@cases $subject, [$($($absent)::+: $why,)*], [$($case,)+]);

            mod broken {
                $crate::__scenarios!(
                    @broken $subject, [$($($absent)::+: $why,)*], [$($flaw: [$($fails)+],)+]
                );
            }
        }
    };
    (@cases $subject:ident, $absent:tt, [$($case:ident,)+]) => {
        $($crate::__scenario!(
            $absent, [$case], $case,
            $crate::scenario::applies($crate::scenario::$case($subject())),
            $crate::scenario::does_not_apply($crate::scenario::$case($subject()))
        );)+
    };
    (@broken $subject:ident, $absent:tt, [$($flaw:ident: $fails:tt,)+]) => {
        $(
            mod $flaw {
                use super::super::*;

                $crate::__scenarios!(@flaw $subject, $absent, $flaw, $fails);
            }
        )+
    };
    (@flaw $subject:ident, $absent:tt, $flaw:ident, [$($fails:ident)+]) => {
        $($crate::__scenario!(
            $absent, [$flaw::$fails, $flaw, $fails], $fails,
            $crate::scenario::broken::bites(
                $crate::scenario::broken::$flaw($subject()),
                $crate::scenario::$fails,
            ),
            $crate::scenario::broken::cannot_bite(
                $crate::scenario::broken::$flaw($subject()),
                $crate::scenario::$fails,
            )
        );)+
    };
}

/// Expands to a test, or, if one of its names is on the list of `not_here`, to one that is ignored with the
/// reason, and beside it to a test that it is not here.
#[doc(hidden)]
#[macro_export]
macro_rules! __scenario {
    ($absent:tt, [], $test:ident, $is_here:expr, $is_not_here:expr) => {
        #[test]
        fn $test() {
            $is_here;
        }
    };
    (
        [$($($absent:ident)::+: $why:literal,)*],
        [$($name:ident)::+ $(, $($more:tt)*)?],
        $test:ident, $is_here:expr, $is_not_here:expr
    ) => {
        macro_rules! __chosen {
            $(($($absent)::+) => {
                #[test]
                #[ignore = $why]
                fn $test() {}

                mod $test {
                    use super::*;

                    #[test]
                    fn is_not_here() {
                        $is_not_here;
                    }
                }
            };)*
            ($($name)::+) => {
                $crate::__scenario!(
                    [$($($absent)::+: $why,)*], [$($($more)*)?], $test, $is_here, $is_not_here
                );
            };
        }
        __chosen!($($name)::+);
    };
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    async fn goes_well(_: Subject) -> Answer {
        Ok(())
    }

    async fn is_not_here(_: Subject) -> Answer {
        Err(NotHere("for a test"))
    }

    async fn fails(_: Subject) -> Answer {
        panic!("it fails")
    }

    fn subject() -> Subject {
        Subject::new(fakes::Calendar::start, |_| unreachable!(), || unreachable!())
    }

    /// Whether it panics.
    fn panics(check: impl FnOnce()) -> bool {
        catch_unwind(AssertUnwindSafe(check)).is_err()
    }

    #[test]
    fn a_scenario_that_does_not_apply_is_never_green() {
        assert!(!panics(|| applies(goes_well(subject()))));
        assert!(panics(|| applies(is_not_here(subject()))));
        assert!(panics(|| applies(fails(subject()))));
    }

    #[test]
    fn what_is_listed_as_not_here_has_to_say_so_itself() {
        assert!(!panics(|| does_not_apply(is_not_here(subject()))));
        assert!(panics(|| does_not_apply(goes_well(subject()))));
        assert!(panics(|| does_not_apply(fails(subject()))));
    }

    #[test]
    fn only_a_scenario_that_fails_has_noticed_what_is_broken() {
        assert!(!panics(|| broken::bites(subject(), fails)));
        assert!(panics(|| broken::bites(subject(), goes_well)));
        assert!(panics(|| broken::bites(subject(), is_not_here)));
        assert!(panics(|| broken::cannot_bite(subject(), fails)));
        assert!(!panics(|| broken::cannot_bite(subject(), goes_well)));
        assert!(!panics(|| broken::cannot_bite(subject(), is_not_here)));
    }
}
