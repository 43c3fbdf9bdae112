//! How does a test hold an answer back without a clock?

use std::sync::Arc;

use tokio::sync::watch;

/// A gate on the way of a request or of its answer, which the test opens.
///
/// Clones are the same gate. Requests that come to a gate that is open go through.
///
/// ```
/// use integrations_testkit::{Fault, Gate};
///
/// let gate = Gate::new();
/// let held = Fault::on("token.refresh").hold_answer(&gate);
/// // Order the fault, start the refresh in a task, then:
/// //     gate.arrived(1).await;   // the exchange took place, its answer waits
/// //     gate.open();             // now it goes out
/// # drop(held);
/// ```
#[derive(Debug, Clone)]
pub struct Gate {
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    open: bool,
    arrived: usize,
    waiting: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A gate that is closed.
    pub fn new() -> Self {
        Self { state: Arc::new(watch::Sender::new(State::default())) }
    }

    /// Lets everything through that waits, and everything that comes later.
    pub fn open(&self) {
        self.state.send_modify(|state| state.open = true);
    }

    /// Holds everything that comes from now on.
    pub fn close(&self) {
        self.state.send_modify(|state| state.open = false);
    }

    /// How many wait now. One whose client went away no longer waits.
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting
    }

    /// Returns once so many have come to the gate since it was made, at once if they have.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn arrived(&self, count: usize) {
        // An error would mean that the sender is gone, and this gate holds it.
        let _ = self.state.subscribe().wait_for(|state| state.arrived >= count).await;
    }

    pub(crate) async fn pass(&self) {
        let mut state = self.state.subscribe();
        let _waiting = Waiting::begin(self);
        // As above.
        let _ = state.wait_for(|state| state.open).await;
    }
}

/// Counts one who waits, also when the wait is cut short.
struct Waiting<'a>(&'a Gate);

impl<'a> Waiting<'a> {
    fn begin(gate: &'a Gate) -> Self {
        gate.state.send_modify(|state| {
            state.arrived += 1;
            state.waiting += 1;
        });
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_holds_until_it_is_opened_and_forgets_who_left() {
        let gate = Gate::new();
        let held = tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass().await }
        });
        let gone = tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass().await }
        });
        gate.arrived(2).await;
        assert_eq!(gate.waiting(), 2);
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert_eq!(gate.waiting(), 1);
        gate.open();
        held.await.unwrap();
        gate.pass().await;
        assert_eq!(gate.waiting(), 0);
    }
}
