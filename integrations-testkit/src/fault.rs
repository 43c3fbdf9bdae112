//! How does an answer go wrong?
//!
//! A [`Fault`] names the operation it strikes, which of the coming calls, and what happens to the
//! answer. Faults know no provider: the fake supplies the error body that goes with a status.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::gate::Gate;

/// Something that goes wrong with one answer of a fake, or with several.
///
/// By default a fault strikes once, at the next call of its operation. Effects combine: a delay may
/// come before a status, a truncation cuts whatever the answer is.
///
/// ```
/// use std::time::Duration;
/// use integrations_testkit::Fault;
///
/// let slow_then_unavailable = Fault::on("events.list")
///     .nth(3)
///     .times(2)
///     .delay(Duration::from_secs(5))
///     .status(503)
///     .header("retry-after", "30");
/// # drop(slow_then_unavailable);
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    operation: String,
    nth: u64,
    remaining: Option<u64>,
    effect: Effect,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Effect {
    pub(crate) delay: Option<Duration>,
    pub(crate) before: Option<Gate>,
    pub(crate) after: Option<Gate>,
    pub(crate) status: Option<u16>,
    pub(crate) reason: Option<String>,
    pub(crate) body: Option<(Bytes, HeaderValue)>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) ending: Ending,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    #[default]
    Whole,
    Truncated(usize),
    /// Closed before the work is done.
    Reset,
    /// Closed after the work is done.
    Lost,
}

impl Fault {
    /// A fault of the operation with this name, such as `events.list`; `token.*` means every operation
    /// that begins with `token.`, and `*` means any.
    pub fn on(operation: &str) -> Self {
        Self { operation: operation.to_owned(), nth: 1, remaining: Some(1), effect: Effect::default() }
    }

    fn names(&self, operation: &str) -> bool {
        match self.operation.strip_suffix('*') {
            Some(beginning) => operation.starts_with(beginning),
            None => operation == self.operation,
        }
    }

    /// Strikes at the `n`-th call from now; 1 is the next one. Default 1.
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = n.max(1);
        self
    }

    /// Strikes so many calls in a row. Default 1.
    pub fn times(mut self, times: u64) -> Self {
        self.remaining = Some(times);
        self
    }

    /// Strikes every call from the [`nth`](Self::nth) on.
    pub fn always(mut self) -> Self {
        self.remaining = None;
        self
    }

    /// Answers with this status and the provider's error body for it; the work is not done.
    pub fn status(mut self, status: u16) -> Self {
        self.effect.status = Some(status);
        self
    }

    /// Sets the provider's reason in the error body, such as `rateLimitExceeded` or `invalid_grant`. It goes
    /// with a [`status`](Self::status); Slack's failures have status 200, so there a reason alone will do.
    pub fn reason(mut self, reason: &str) -> Self {
        self.effect.reason = Some(reason.to_owned());
        self
    }

    /// Answers with this body, and status 200 unless [`status`](Self::status) says otherwise; the work
    /// is not done.
    ///
    /// # Panics
    /// When the content type is no header value.
    pub fn body(mut self, text: &str, content_type: &str) -> Self {
        let Ok(content_type) = HeaderValue::from_str(content_type) else {
            panic!("Fault::body: {content_type:?} is no header value");
        };
        self.effect.body = Some((Bytes::copy_from_slice(text.as_bytes()), content_type));
        self
    }

    /// Answers with a page of HTML, as a load balancer or a captive portal does.
    pub fn html(self) -> Self {
        let page = "<!DOCTYPE html><html lang=\"en\"><title>Error</title><h1>Temporary problem</h1>";
        self.body(page, "text/html; charset=UTF-8")
    }

    /// Adds a header to the answer; one of the same name that the fake would send gives way.
    ///
    /// # Panics
    /// When the name or the value cannot stand in a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
            panic!("Fault::header: {name:?}: {value:?} is no header");
        };
        self.effect.headers.push((name, value));
        self
    }

    /// Waits on the fake's clock before anything else.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.effect.delay = Some(delay);
        self
    }

    /// Waits at a gate before anything else; the work is not done until the test opens it.
    pub fn hold(mut self, gate: &Gate) -> Self {
        self.effect.before = Some(gate.clone());
        self
    }

    /// Does the work, then holds the answer at a gate until the test opens it.
    pub fn hold_answer(mut self, gate: &Gate) -> Self {
        self.effect.after = Some(gate.clone());
        self
    }

    /// Closes the connection after so many bytes of a body whose `Content-Length` promises all of it;
    /// the work is done.
    pub fn truncate(mut self, bytes: usize) -> Self {
        self.effect.ending = Ending::Truncated(bytes);
        self
    }

    /// Closes the connection with no answer; the work is not done.
    pub fn reset(mut self) -> Self {
        self.effect.ending = Ending::Reset;
        self
    }

    /// Closes the connection with no answer although the work is done: the case in which a client
    /// cannot know whether its token was rotated.
    pub fn lose_answer(mut self) -> Self {
        self.effect.ending = Ending::Lost;
        self
    }
}

/// A fault that was ordered, to take it back. Dropping it changes nothing.
#[derive(Debug)]
pub struct ArmedFault {
    faults: Arc<Faults>,
    number: u64,
}

impl ArmedFault {
    /// Takes the fault back, whether or not it has struck.
    pub fn take_back(self) {
        self.faults.lock().armed.retain(|(number, _)| *number != self.number);
    }
}

/// The faults that wait for their call.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    state: Mutex<Armed>,
}

#[derive(Debug, Default)]
struct Armed {
    armed: Vec<(u64, Fault)>,
    ordered: u64,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Armed> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn arm(self: &Arc<Self>, fault: Fault) -> ArmedFault {
        let mut state = self.lock();
        state.ordered += 1;
        let number = state.ordered;
        state.armed.push((number, fault));
        ArmedFault { faults: Arc::clone(self), number }
    }

    pub(crate) fn clear(&self) {
        self.lock().armed.clear();
    }

    /// What happens to this call. One fault strikes a call; others that are due wait for the next.
    pub(crate) fn strike(&self, operation: &str) -> Option<Effect> {
        let mut state = self.lock();
        let mut effect = None;
        for (_, fault) in state.armed.iter_mut().filter(|(_, fault)| fault.names(operation)) {
            fault.nth = fault.nth.saturating_sub(1);
            if fault.nth == 0 && effect.is_none() && fault.remaining != Some(0) {
                fault.remaining = fault.remaining.map(|remaining| remaining - 1);
                effect = Some(fault.effect.clone());
            }
        }
        state.armed.retain(|(_, fault)| fault.remaining != Some(0));
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(faults: &Arc<Faults>, calls: usize) -> Vec<Option<u16>> {
        (0..calls).map(|_| faults.strike("list").and_then(|effect| effect.status)).collect()
    }

    #[test]
    fn a_fault_strikes_the_call_it_names_and_as_often_as_it_says() {
        let faults = Arc::new(Faults::default());
        faults.arm(Fault::on("list").nth(2).times(2).status(500));
        assert_eq!(faults.strike("get").map(|_| ()), None);
        assert_eq!(statuses(&faults, 4), [None, Some(500), Some(500), None]);
    }

    #[test]
    fn faults_due_at_the_same_call_strike_one_after_the_other() {
        let faults = Arc::new(Faults::default());
        faults.arm(Fault::on("list").status(500));
        faults.arm(Fault::on("*").status(503));
        assert_eq!(statuses(&faults, 3), [Some(500), Some(503), None]);
    }

    #[test]
    fn always_means_every_call_until_the_faults_are_cleared() {
        let faults = Arc::new(Faults::default());
        faults.arm(Fault::on("list").always().status(500));
        assert_eq!(statuses(&faults, 3), [Some(500); 3]);
        faults.clear();
        assert_eq!(statuses(&faults, 1), [None]);
    }

    #[test]
    fn a_fault_that_is_taken_back_leaves_the_others() {
        let faults = Arc::new(Faults::default());
        let first = faults.arm(Fault::on("li*").always().status(500));
        faults.arm(Fault::on("list").status(503));
        faults.arm(Fault::on("get*").always().status(504));
        assert_eq!(statuses(&faults, 1), [Some(500)]);
        first.take_back();
        assert_eq!(statuses(&faults, 2), [Some(503), None]);
    }
}
