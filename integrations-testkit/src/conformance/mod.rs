//! Does a host's storage keep its promises?
//!
//! Each trait has a suite: one named case per promise of the trait's documentation. A host calls the
//! suite's macro in a test of its own, with a function that makes an empty store:
//!
//! ```
//! # mod tests {
//! use std::sync::Arc;
//! use integrations_core::clock::Clock;
//! use integrations_core::memory::MemoryStore;
//!
//! async fn make(clock: Arc<dyn Clock>) -> MemoryStore {
//!     MemoryStore::with_clock(clock)
//! }
//!
//! integrations_testkit::sync_sink_conformance!(make);
//! integrations_testkit::token_store_conformance!(make);
//! integrations_testkit::key_value_store_conformance!(make);
//! integrations_testkit::job_queue_conformance!(make);
//! # }
//! ```
//!
//! Each macro expands to a module, named as the suite, with a `#[test]` per case; each test has a store
//! and a multi-threaded runtime of its own. The store must ask the given clock for every expiry: it
//! stands still until a case moves it. Two stores under test stand in two modules.
//!
//! Where something has to outlive the store, such as a temporary directory or a schema that is dropped
//! at the end, the function returns it with the store, and the macro is told so:
//!
//! ```
//! # mod tests {
//! # use std::sync::Arc;
//! # use integrations_core::clock::Clock;
//! # use integrations_core::memory::MemoryStore;
//! async fn make(clock: Arc<dyn Clock>) -> (MemoryStore, impl Sized) {
//!     (MemoryStore::with_clock(clock), String::from("dropped after the store"))
//! }
//!
//! integrations_testkit::sync_sink_conformance!(make, with guard);
//! # }
//! ```
//!
//! A store that needs a server stays out of a plain test run: `sync_sink_conformance!(make, ignore = "needs
//! postgres")`, or `(make, with guard, ignore = "needs postgres")`, marks each test as ignored, with the reason.
//!
//! The cases are ordinary functions, so a failure points at the line of the promise, and a host may
//! call a single one. Each suite also offers them as data, by name: `sync_sink::CASES` and so on, for a
//! harness of one's own.

pub mod authenticator;
pub mod job_queue;
pub mod key_value_store;
mod samples;
pub mod sync_sink;
pub mod token_store;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use integrations_core::clock::ManualClock;
use integrations_core::{ErrorKind, Result};

pub use self::samples::{connection, deletion, exception, quarantined, record, stream, upsert};

/// A case of a suite, as data.
pub struct Case<S: ?Sized> {
    /// The name of its function: the promise.
    pub name: &'static str,
    /// Plays it on an empty store, which asks this clock for every expiry; panics when the promise is broken.
    pub play: fn(Arc<S>, ManualClock) -> Played,
}

/// A case that is being played.
pub type Played = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<S: ?Sized> fmt::Debug for Case<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

/// The clock that a case begins with.
pub fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

/// Runs a case on a runtime of its own, with several threads so that what is concurrent is parallel.
pub fn run(case: impl Future<Output = ()>) {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build() {
        Ok(runtime) => runtime.block_on(case),
        Err(error) => panic!("no runtime for the case: {error}"),
    }
}

#[track_caller]
pub(crate) fn ok<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("expected success, got {error:?}"),
    }
}

#[track_caller]
fn conflict<T>(result: Result<T>) {
    match result {
        Ok(_) => panic!("expected a conflict, got success"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}"),
    }
}

/// Does the same in many tasks at once, and returns what each has got.
async fn at_once<T, F>(tasks: usize, mut make: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(tokio::sync::Barrier::new(tasks));
    let tasks: Vec<_> = (0..tasks)
        .map(|index| {
            let (task, barrier) = (make(index), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                task.await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        match task.await {
            Ok(result) => results.push(result),
            Err(error) => panic!("a task of the case failed: {error}"),
        }
    }
    results
}

/// Expands a suite; use [`sync_sink_conformance`](crate::sync_sink_conformance) and its siblings.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_suite {
    ($suite:ident, cases $trait:ident, [$($case:ident,)+]) => {
        /// The cases, in the order of the suite.
        pub const CASES: &[$crate::conformance::Case<dyn $trait>] = &[
            $($crate::conformance::Case {
                name: stringify!($case),
                play: |store, clock| Box::pin($case(store, clock)),
            },)+
        ];
    };
    ($suite:ident, $pattern:pat => $store:ident, $make:ident, [$($case:ident,)+]) => {
        $crate::__conformance_suite!(@ {} $suite, $pattern => $store, $make, [$($case,)+]);
    };
    ($suite:ident, $pattern:pat => $store:ident, $make:ident, ignore = $reason:literal, [$($case:ident,)+]) => {
        $crate::__conformance_suite!(
            @ { #[ignore = $reason] } $suite, $pattern => $store, $make, [$($case,)+]
        );
    };
    (@ $attributes:tt $suite:ident, $pattern:pat => $store:ident, $make:ident, [$($case:ident,)+]) => {
        mod $suite {
            use super::*;

            $($crate::__conformance_suite!(@case $attributes $suite, $pattern => $store, $make, $case);)+
        }
    };
    (@case { $($attribute:tt)* } $suite:ident, $pattern:pat => $store:ident, $make:ident, $case:ident) => {
        #[test]
        $($attribute)*
        fn $case() {
            $crate::conformance::run(async {
                let clock = $crate::conformance::clock();
                let $pattern = $make(::std::sync::Arc::new(clock.clone())).await;
                let store = $crate::conformance::$suite::shared($store);
                $crate::conformance::$suite::$case(store, clock).await;
            });
        }
    };
}
