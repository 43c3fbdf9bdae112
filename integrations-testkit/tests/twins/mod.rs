//! Can every case of the conformance suites fail?
//!
//! Each suite has a twin of the store in memory here, which does everything right, or everything but one thing: its
//! flaw. A flaw names the cases that must fail because of it; a case that no flaw fails would be one that looks
//! at nothing.

mod job_queue;
mod key_value_store;
mod sync_sink;
mod token_store;

use std::collections::BTreeSet;
use std::fmt;
use std::panic;
use std::sync::{Arc, Once};
use std::thread;

use integrations_core::clock::ManualClock;
use integrations_testkit::conformance::{self, Case};

/// Declares the flaws of a twin, each with the cases of its suite that must fail because of it, and the tests.
macro_rules! flaws {
    (
        $suite:ident of $twin:ident {
            $($(#[$doc:meta])* $flaw:ident: [$($case:ident),+ $(,)?],)+
        }
    ) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Flaw {
            $($(#[$doc])* $flaw,)+
        }

        const FLAWS: &[(Flaw, &[&str])] = &[$((Flaw::$flaw, &[$(stringify!($case)),+]),)+];

        fn fails(case: &conformance::Case<dyn $suite>, flaw: Option<Flaw>) -> bool {
            super::fails(case, move |clock| std::sync::Arc::new($twin::new(std::sync::Arc::new(clock), flaw)))
        }

        #[test]
        fn the_twin_without_a_flaw_passes() {
            super::assert_none_fails(CASES, |case| fails(case, None));
        }

        #[test]
        fn every_flaw_is_found() {
            super::assert_found(CASES, FLAWS, |case, flaw| fails(case, Some(flaw)));
        }

        #[test]
        fn every_case_can_fail() {
            super::assert_each_is_named(CASES, FLAWS);
        }
    };
}
pub(super) use flaws;

/// The name of the threads on which cases are meant to fail.
const QUIET: &str = "a twin";

/// Whether a case fails. It has one thread: what is concurrent takes turns, in the same order each time. And where
/// nothing goes on, its time runs out at once.
fn fails<S: ?Sized + Send + Sync + 'static>(
    case: &Case<S>,
    make: impl FnOnce(ManualClock) -> Arc<S> + Send + 'static,
) -> bool {
    keep_quiet();
    let play = case.play;
    let played = thread::Builder::new().name(QUIET.into()).spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let clock = conformance::clock();
        runtime.block_on(play(make(clock.clone()), clock));
    });
    played.unwrap().join().is_err()
}

/// A failure that is meant leaves no trace in the output.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() != Some(QUIET) {
                loud(panic);
            }
        }));
    });
}

fn assert_none_fails<S: ?Sized>(cases: &[Case<S>], fails: impl Fn(&Case<S>) -> bool) {
    let failed: Vec<&str> = cases.iter().filter(|case| fails(case)).map(|case| case.name).collect();
    assert!(failed.is_empty(), "{failed:#?} fail although nothing is broken");
}

fn assert_found<S: ?Sized, F: fmt::Debug + Copy>(
    cases: &[Case<S>],
    flaws: &[(F, &[&str])],
    fails: impl Fn(&Case<S>, F) -> bool,
) {
    let mut missed = Vec::new();
    for (flaw, names) in flaws {
        for name in *names {
            let case = cases.iter().find(|case| case.name == *name);
            let case = case.unwrap_or_else(|| panic!("there is no case {name}, which {flaw:?} names"));
            if !fails(case, *flaw) {
                missed.push(format!("{flaw:?} in {name}"));
            }
        }
    }
    assert!(missed.is_empty(), "not noticed: {missed:#?}");
}

fn assert_each_is_named<S: ?Sized, F>(cases: &[Case<S>], flaws: &[(F, &[&str])]) {
    let named: BTreeSet<&str> = flaws.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let blind: Vec<&str> = cases.iter().map(|case| case.name).filter(|name| !named.contains(name)).collect();
    assert!(blind.is_empty(), "{blind:#?} fail because of no flaw");
}

/// Lets everybody else get on: what follows is a step of its own.
async fn gap() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}
