//! When does the ready circuit breaker open, and when does it close again?
//!
//! It counts the calls of the last ten seconds, in ten buckets. When at least half of at least twenty
//! failed, it opens for a minute; then one call at a time tries, and its success closes the circuit, its
//! failure opens it for another minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::breaker::{Admission, BreakerChange, BreakerKey, BreakerState, CircuitBreaker, Outcome};
use crate::error::{Error, ErrorKind, Result};

const BUCKETS: usize = 10;
/// How many circuits are kept; those that rest make place. One more than that is not watched.
const CIRCUITS: usize = 4_096;
/// When to come again while a probe is under way: nobody knows how long it takes.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// How a [`RollingBreaker`] judges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerSettings {
    /// How far back it looks, in ten steps: 10 s by default.
    pub window: Duration,
    /// How many calls it has to have seen in that time: 20 by default.
    pub min_calls: u32,
    /// What share of them opens it: 0.5 by default.
    pub failure_rate: f64,
    /// How long it stays open: 60 s by default.
    pub open_for: Duration,
    /// How long a provider can hold it open by a hint: 1 h by default.
    pub longest_hold: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            min_calls: 20,
            failure_rate: 0.5,
            open_for: Duration::from_secs(60),
            longest_hold: Duration::from_secs(3_600),
        }
    }
}

/// A circuit breaker over a rolling window, with a circuit for each service and host.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use integrations_core::clock::{Clock, ManualClock};
/// use integrations_core::resilience::{
///     BreakerKey, BreakerPermit, BreakerState, CircuitBreaker, Outcome, RollingBreaker,
/// };
///
/// # fn main() -> integrations_core::Result<()> {
/// let breaker: Arc<dyn CircuitBreaker> = Arc::new(RollingBreaker::default());
/// let manual = ManualClock::at("2026-03-01T09:00:00Z");
/// let clock: Arc<dyn Clock> = Arc::new(manual.clone());
/// let key = BreakerKey { service: "slack".into(), host: "slack.com".into() };
/// for _ in 0..20 {
///     BreakerPermit::acquire(&breaker, &clock, key.clone())?.finish(Outcome::Failure);
/// }
/// assert!(BreakerPermit::acquire(&breaker, &clock, key.clone()).is_err());
/// manual.advance(Duration::from_secs(60));
/// BreakerPermit::acquire(&breaker, &clock, key.clone())?.finish(Outcome::Success);
/// assert_eq!(breaker.state(&key, clock.monotonic()), BreakerState::Closed);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RollingBreaker {
    settings: BreakerSettings,
    circuits: Mutex<HashMap<BreakerKey, Circuit>>,
}

#[derive(Debug)]
struct Circuit {
    phase: Phase,
    generation: u64,
    window: Window,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen { probing: bool },
}

impl Default for RollingBreaker {
    fn default() -> Self {
        Self::new(BreakerSettings::default())
    }
}

impl RollingBreaker {
    /// A breaker whose circuits are all closed.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, circuits: Mutex::default() }
    }

    /// Every circuit that is known, with its state: for health checks and metrics.
    pub fn states(&self, now: Duration) -> Vec<(BreakerKey, BreakerState)> {
        self.circuits().iter().map(|(key, circuit)| (key.clone(), circuit.state(now))).collect()
    }

    fn circuits(&self) -> MutexGuard<'_, HashMap<BreakerKey, Circuit>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key's circuit, made if there is place for it.
    fn circuit<'a>(
        &self,
        circuits: &'a mut HashMap<BreakerKey, Circuit>,
        key: &BreakerKey,
        now: Duration,
    ) -> Option<&'a mut Circuit> {
        if !circuits.contains_key(key) {
            if circuits.len() >= CIRCUITS {
                circuits.retain(|_, circuit| !circuit.rests(now));
            }
            if circuits.len() >= CIRCUITS {
                return None;
            }
            circuits.insert(key.clone(), Circuit::new(self.settings.window));
        }
        circuits.get_mut(key)
    }

    fn opens(&self, window: &Window) -> bool {
        let (calls, failures) = window.sums();
        failures > 0
            && calls >= self.settings.min_calls
            && f64::from(failures) >= self.settings.failure_rate * f64::from(calls)
    }
}

impl CircuitBreaker for RollingBreaker {
    fn admit(&self, key: &BreakerKey, now: Duration) -> Result<Admission> {
        let mut circuits = self.circuits();
        if let Some(circuit) = circuits.get_mut(key) {
            return circuit.admit(now);
        }
        match self.circuit(&mut circuits, key, now) {
            Some(circuit) => circuit.admit(now),
            None => Ok(Admission { probe: false, generation: 0, change: None }),
        }
    }

    fn record(
        &self,
        key: &BreakerKey,
        admission: Admission,
        outcome: Outcome,
        now: Duration,
    ) -> Option<BreakerChange> {
        let mut circuits = self.circuits();
        let circuit = circuits.get_mut(key)?;
        if circuit.generation != admission.generation {
            return None;
        }
        let open = Phase::Open { until: now.saturating_add(self.settings.open_for) };
        match (circuit.phase, outcome) {
            (Phase::HalfOpen { .. }, Outcome::Success) => circuit.enter(Phase::Closed),
            (Phase::HalfOpen { .. }, Outcome::Failure) => circuit.enter(open),
            (Phase::HalfOpen { .. }, Outcome::Ignored) => circuit.enter(Phase::HalfOpen { probing: false }),
            (Phase::Closed, Outcome::Success | Outcome::Failure) => {
                circuit.window.count(now, outcome == Outcome::Failure);
                if self.opens(&circuit.window) { circuit.enter(open) } else { None }
            }
            (Phase::Closed, Outcome::Ignored) | (Phase::Open { .. }, _) => None,
        }
    }

    fn hold_open(&self, key: &BreakerKey, until: Duration, now: Duration) -> Option<BreakerChange> {
        let until = until.min(now.saturating_add(self.settings.longest_hold));
        if until <= now {
            return None;
        }
        let mut circuits = self.circuits();
        let circuit = self.circuit(&mut circuits, key, now)?;
        match circuit.phase {
            Phase::Open { until: already } if already >= until => None,
            _ => circuit.enter(Phase::Open { until }),
        }
    }

    fn state(&self, key: &BreakerKey, now: Duration) -> BreakerState {
        self.circuits().get(key).map_or(BreakerState::Closed, |circuit| circuit.state(now))
    }
}

fn held_back(wait: Duration) -> Error {
    Error::new(ErrorKind::CircuitOpen, "many calls to this provider failed; it is left alone for a while")
        .with_retry_after(wait)
}

impl Circuit {
    fn new(window: Duration) -> Self {
        Self { phase: Phase::Closed, generation: 1, window: Window::new(window) }
    }

    fn admit(&mut self, now: Duration) -> Result<Admission> {
        match self.phase {
            Phase::Closed => Ok(Admission { probe: false, generation: self.generation, change: None }),
            Phase::Open { until } if now < until => Err(held_back(until - now)),
            Phase::HalfOpen { probing: true } => Err(held_back(PROBE_WAIT)),
            Phase::Open { .. } | Phase::HalfOpen { probing: false } => {
                let change = self.enter(Phase::HalfOpen { probing: true });
                Ok(Admission { probe: true, generation: self.generation, change })
            }
        }
    }

    /// Goes to a phase, and says so if it shows from outside.
    fn enter(&mut self, phase: Phase) -> Option<BreakerChange> {
        let from = self.phase.state();
        let to = phase.state();
        self.phase = phase;
        // Whoever was admitted before says nothing about what comes now.
        self.generation += 1;
        self.window.clear();
        (from != to).then_some(BreakerChange { from, to })
    }

    fn state(&self, now: Duration) -> BreakerState {
        match self.phase {
            Phase::Open { until } if now >= until => BreakerState::HalfOpen,
            phase => phase.state(),
        }
    }

    /// Whether forgetting it changes nothing.
    fn rests(&self, now: Duration) -> bool {
        matches!(self.phase, Phase::Closed) && self.window.is_over(now)
    }
}

impl Phase {
    fn state(self) -> BreakerState {
        match self {
            Self::Closed => BreakerState::Closed,
            Self::Open { until } => BreakerState::Open { until },
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

/// In 64 bits, which last for 584 years and are divided in a tenth of the time of 128.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The calls of the last while, in steps of a tenth of it.
#[derive(Debug)]
struct Window {
    /// In nanoseconds.
    step: u64,
    /// The step of the newest bucket, counted from the clock's start.
    newest: u64,
    /// Calls and failures; the bucket of a step is at its number, modulo their count.
    buckets: [(u32, u32); BUCKETS],
}

impl Window {
    fn new(length: Duration) -> Self {
        let step = (nanos(length) / BUCKETS as u64).max(1);
        Self { step, newest: 0, buckets: [(0, 0); BUCKETS] }
    }

    fn clear(&mut self) {
        self.buckets = [(0, 0); BUCKETS];
    }

    fn count(&mut self, now: Duration, failed: bool) {
        // Two threads may come in another order than they read the clock: the later one's step stands.
        let step = (nanos(now) / self.step).max(self.newest);
        if step - self.newest >= BUCKETS as u64 {
            self.clear();
        } else {
            for passed in self.newest + 1..=step {
                self.buckets[Self::place(passed)] = (0, 0);
            }
        }
        self.newest = step;
        let (calls, failures) = &mut self.buckets[Self::place(step)];
        *calls = calls.saturating_add(1);
        *failures = failures.saturating_add(u32::from(failed));
    }

    fn sums(&self) -> (u32, u32) {
        self.buckets.iter().fold((0, 0), |(calls, failures), bucket| {
            (calls.saturating_add(bucket.0), u32::saturating_add(failures, bucket.1))
        })
    }

    fn is_over(&self, now: Duration) -> bool {
        nanos(now) / self.step >= self.newest + BUCKETS as u64
    }

    #[allow(clippy::cast_possible_truncation, reason = "less than BUCKETS")]
    fn place(step: u64) -> usize {
        (step % BUCKETS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::breaker::BreakerPermit;
    use super::*;
    use crate::clock::{Clock, ManualClock};

    struct Bench {
        manual: ManualClock,
        clock: Arc<dyn Clock>,
        breaker: Arc<dyn CircuitBreaker>,
        key: BreakerKey,
    }

    impl Bench {
        fn new() -> Self {
            let manual = ManualClock::at("2026-03-01T09:00:00Z");
            Self {
                clock: Arc::new(manual.clone()),
                manual,
                breaker: Arc::new(RollingBreaker::default()),
                key: BreakerKey { service: "s".into(), host: "h".into() },
            }
        }

        fn ask(&self) -> Result<BreakerPermit> {
            BreakerPermit::acquire(&self.breaker, &self.clock, self.key.clone())
        }

        fn calls(&self, count: u32, outcome: Outcome) -> Option<BreakerChange> {
            (0..count).fold(None, |change, _| self.ask().unwrap().finish(outcome).or(change))
        }

        fn pass(&self, secs: u64) {
            self.manual.advance(Duration::from_secs(secs));
        }

        fn state(&self) -> BreakerState {
            self.breaker.state(&self.key, self.clock.monotonic())
        }

        fn in_secs(&self, secs: u64) -> Duration {
            self.clock.monotonic() + Duration::from_secs(secs)
        }
    }

    #[test]
    fn it_opens_at_half_of_twenty_calls_and_says_how_long_to_wait() {
        let bench = Bench::new();
        assert_eq!(bench.calls(19, Outcome::Failure), None);
        let until = bench.in_secs(60);
        let opened = BreakerChange { from: BreakerState::Closed, to: BreakerState::Open { until } };
        assert_eq!(bench.calls(1, Outcome::Failure), Some(opened));
        bench.pass(15);
        let error = bench.ask().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CircuitOpen);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(45)));

        let bench = Bench::new();
        bench.calls(11, Outcome::Success);
        assert_eq!(bench.calls(10, Outcome::Failure), None, "10 of 21 are less than half");
        assert!(bench.calls(1, Outcome::Failure).is_some());
    }

    #[test]
    fn what_lies_ten_seconds_back_is_forgotten_bucket_by_bucket() {
        let bench = Bench::new();
        bench.calls(10, Outcome::Failure);
        bench.pass(5);
        bench.calls(5, Outcome::Failure);
        bench.pass(5);
        assert_eq!(bench.calls(14, Outcome::Failure), None, "ten are out of the window, 19 in it");
        assert!(bench.calls(1, Outcome::Failure).is_some());
        let bench = Bench::new();
        bench.calls(19, Outcome::Failure);
        bench.pass(100_000_000_000);
        assert_eq!(bench.calls(19, Outcome::Failure), None, "a leap of the clock empties the window");
    }

    #[test]
    fn ignored_calls_never_count() {
        let bench = Bench::new();
        bench.calls(1_000, Outcome::Ignored);
        assert_eq!(bench.calls(19, Outcome::Failure), None);
        assert!(bench.calls(1, Outcome::Failure).is_some());
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let bench = Bench::new();
        bench.calls(20, Outcome::Failure);
        bench.pass(60);
        assert_eq!(bench.state(), BreakerState::HalfOpen);
        let probe = bench.ask().unwrap();
        assert_eq!(probe.change().map(|change| change.to), Some(BreakerState::HalfOpen));
        assert_eq!(bench.ask().unwrap_err().retry_after(), Some(PROBE_WAIT));
        assert!(matches!(probe.finish(Outcome::Failure).unwrap().to, BreakerState::Open { .. }));
        assert!(bench.ask().is_err());
        bench.pass(60);
        let cancelled = bench.ask().unwrap();
        drop(cancelled);
        let probe = bench.ask().unwrap();
        assert_eq!(probe.finish(Outcome::Success).unwrap().to, BreakerState::Closed);
        assert_eq!(bench.calls(19, Outcome::Failure), None, "the old failures are forgotten");
    }

    #[test]
    fn a_half_open_circuit_lets_one_of_many_threads_through() {
        let bench = Bench::new();
        for _ in 0..100 {
            bench.breaker.hold_open(&bench.key, bench.in_secs(1), bench.clock.monotonic());
            bench.pass(1);
            let through: Vec<_> = std::thread::scope(|scope| {
                let asks: Vec<_> = (0..8).map(|_| scope.spawn(|| bench.ask().ok())).collect();
                asks.into_iter().filter_map(|ask| ask.join().unwrap()).collect()
            });
            assert_eq!(through.len(), 1);
            for probe in through {
                assert!(probe.finish(Outcome::Success).is_some());
            }
        }
    }

    #[test]
    fn who_was_admitted_before_says_nothing_about_now() {
        let bench = Bench::new();
        let (late, later) = (bench.ask().unwrap(), bench.ask().unwrap());
        bench.calls(20, Outcome::Failure);
        assert_eq!(late.finish(Outcome::Success), None);
        bench.pass(60);
        let probe = bench.ask().unwrap();
        assert_eq!(later.finish(Outcome::Failure), None, "the probe decides, nobody else");
        assert!(bench.ask().is_err(), "and nobody else ends it");
        assert!(probe.finish(Outcome::Success).is_some());
    }

    #[test]
    fn the_provider_can_hold_it_open_longer_but_not_shorter_and_not_for_ever() {
        let bench = Bench::new();
        let hold = |secs| bench.breaker.hold_open(&bench.key, bench.in_secs(secs), bench.clock.monotonic());
        assert_eq!(hold(0), None);
        assert_eq!(hold(300).unwrap().to, BreakerState::Open { until: bench.in_secs(300) });
        assert_eq!(hold(10), None);
        assert_eq!(bench.state(), BreakerState::Open { until: bench.in_secs(300) });
        hold(100_000_000);
        assert_eq!(bench.state(), BreakerState::Open { until: bench.in_secs(3_600) });
    }

    #[test]
    fn a_wall_clock_that_jumps_changes_nothing_and_hosts_do_not_share() {
        let bench = Bench::new();
        bench.calls(20, Outcome::Failure);
        bench.manual.set_wall(bench.manual.now() + chrono::TimeDelta::days(400));
        assert!(bench.ask().is_err());
        let other = BreakerKey { host: "other".into(), ..bench.key.clone() };
        assert!(BreakerPermit::acquire(&bench.breaker, &bench.clock, other).is_ok());
    }

    #[test]
    fn time_that_arrives_out_of_order_does_no_harm() {
        let breaker = RollingBreaker::default();
        let key = BreakerKey { service: "s".into(), host: "h".into() };
        let call = |secs| {
            let admission = breaker.admit(&key, Duration::from_secs(secs)).unwrap();
            breaker.record(&key, admission, Outcome::Failure, Duration::from_secs(secs))
        };
        (0..19).for_each(|call_no| assert_eq!(call(100 - call_no % 3), None));
        assert!(call(98).is_some());
    }

    #[test]
    fn the_circuits_kept_are_bounded() {
        let breaker = RollingBreaker::default();
        let key = |host: usize| BreakerKey { service: "s".into(), host: host.to_string().into() };
        let fail = |host, now| {
            let admission = breaker.admit(&key(host), now).unwrap();
            breaker.record(&key(host), admission, Outcome::Failure, now);
        };
        let start = Duration::from_secs(1_000);
        (0..CIRCUITS * 2).for_each(|host| fail(host, start));
        assert_eq!(breaker.states(start).len(), CIRCUITS);
        fail(CIRCUITS * 3, start + Duration::from_secs(11));
        assert_eq!(breaker.states(start).len(), 1);
    }
}
