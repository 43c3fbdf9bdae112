//! Would the scenarios notice?
//!
//! Each function breaks one thing that a subject does right. [`bites`] plays a scenario on the broken subject
//! and asserts that it fails: so a scenario that looks at nothing is found out, and so is a fake that says it
//! has done something and has not.

mod adapter;
mod sink;
mod transport;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use self::adapter::*;
pub use self::sink::*;
pub use self::transport::*;
use super::fake::{Answer, NotHere};
use super::run;
use super::subject::Subject;

/// Asserts that a scenario, played on a subject that was broken, fails.
///
/// # Panics
/// When it goes well, and when it does not apply.
pub fn bites<F: Future<Output = Answer>>(broken: Subject, scenario: impl FnOnce(Subject) -> F) {
    match noticed(broken, scenario) {
        Ok(true) => {}
        Ok(false) => panic!("the scenario goes well, although the subject is broken"),
        Err(not_here) => panic!("the scenario does not apply: {not_here}; list it under `not_here`"),
    }
}

/// Asserts that a scenario does not fail on a broken subject, since it does not apply, or since the service
/// has nothing that could be broken in this way.
///
/// # Panics
/// When it fails: then it does apply.
pub fn cannot_bite<F: Future<Output = Answer>>(broken: Subject, scenario: impl FnOnce(Subject) -> F) {
    if let Ok(true) = noticed(broken, scenario) {
        panic!("the scenario fails as it should: take it off the list of `not_here`");
    }
}

/// Whether a scenario fails on a broken subject.
fn noticed<F: Future<Output = Answer>>(
    broken: Subject,
    scenario: impl FnOnce(Subject) -> F,
) -> Result<bool, NotHere> {
    match catch_unwind(AssertUnwindSafe(|| run(scenario(broken)))) {
        Ok(answer) => answer.map(|()| false),
        Err(_) => Ok(true),
    }
}
