//! Where do all limits of one service stand?
//!
//! Brings the parts together for one service: the cells of its static quotas, the gates that follow the
//! provider, the shared leases, and the calls under way. A call takes from all of them or from none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::cell::{Cell, Rate, Ticks};
use super::gate::Gate;
use super::lease::{Cut, Held, Lease};
use super::limiter::{Call, Decision, Hold, Moment, Observation};
use super::quota::{Calls, Counts, Limits, Scope};
use crate::connection::ConnectionId;

/// How often to look whether a place has become free, where nobody says so.
const CONCURRENCY_POLL: Duration = Duration::from_millis(50);

/// Who is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    App,
    Group(Arc<str>),
    Connection(ConnectionId),
}

/// What a gate stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct GateKey {
    pub(super) who: Who,
    pub(super) what: &'static str,
}

/// A mark for the other processes: this gate is closed for so long.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) gate: GateKey,
    pub(super) closed_for: Duration,
}

/// Something to ask the shared store for.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) quota: usize,
    /// Interval and number.
    pub(super) place: (u128, u32),
    pub(super) keep: Duration,
}

#[derive(Debug)]
pub(super) struct Service {
    limits: Limits,
    rates: Vec<Rate>,
    cells: HashMap<(usize, Who, &'static str), (Cell, Duration)>,
    gates: HashMap<GateKey, Gate>,
    /// For the quotas of the application, where there is a shared store; by number of quota.
    leases: HashMap<(usize, &'static str), Lease>,
    flights: HashMap<ConnectionId, u32>,
    pub(super) marks: Vec<Mark>,
    ticks: Ticks,
    now: Duration,
    /// How old the marks of other processes may be; `None` without a shared store.
    read_every: Option<Duration>,
    max_keys: usize,
    random: u64,
}

impl Service {
    pub(super) fn new(limits: Limits, read_every: Option<Duration>, max_keys: usize, seed: u64) -> Self {
        let rates = limits.quotas.iter().map(|quota| Rate::of(quota, limits.dearest(quota))).collect();
        Self {
            limits,
            rates,
            cells: HashMap::new(),
            gates: HashMap::new(),
            leases: HashMap::new(),
            flights: HashMap::new(),
            marks: Vec::new(),
            ticks: Ticks::default(),
            now: Duration::ZERO,
            read_every,
            max_keys,
            random: seed,
        }
    }

    pub(super) fn check(&mut self, call: &Call, moment: Moment) -> Decision {
        let now = self.tick(moment);
        let wall = wall(moment);
        let units = self.limits.cost(call.operation, call.cost);
        let (app, told) = self.gate_keys(call);
        if let Some(every) = self.read_every {
            let fresh = |gate: &Gate| gate.read_at.is_some_and(|read| now < read + every && now >= read);
            let fresh = |key: &GateKey| self.gates.get(key).is_some_and(fresh);
            if !self.marks.is_empty() || !fresh(&app) || !fresh(&told) {
                return Decision::Exchange;
            }
        }

        let mut longest: Option<(Duration, Hold)> = None;
        let mut wait = |after: Duration, hold: Hold| {
            longest = longest.max(Some((after, hold)));
        };
        if self.limits.concurrent.is_some_and(|most| self.under_way(&call.connection) >= most) {
            wait(CONCURRENCY_POLL, Hold::Connection);
        }
        for key in [Some(&told), (app != told).then_some(&app)].into_iter().flatten() {
            let gate = self.gate(key, now);
            if let Some(after) = gate.wait(units, call.priority, now) {
                wait(after, hold(&key.who, key.what.is_empty()));
            }
        }
        let mut exchange = false;
        let mut taken = Vec::new();
        for (number, quota) in self.limits.quotas.iter().enumerate() {
            let Some(what) = self.limits.counted(quota.calls, call.operation) else { continue };
            let units = if quota.counts == Counts::Requests { 1 } else { units };
            let hold = hold(&who(quota.scope, call), quota.calls == Calls::All);
            if self.leased(quota.scope) {
                match self.lease(number, what).check(units, wall) {
                    Held::Enough => {}
                    Held::Try => exchange = true,
                    Held::Wait(after) => wait(after, hold),
                }
                continue;
            }
            let key = (number, who(quota.scope, call), what);
            match self.cell(&key, now).take(units) {
                Ok(()) => taken.push((key, units)),
                Err(after) => wait(after, hold),
            }
        }
        if longest.is_some() || exchange {
            for (key, units) in taken {
                self.cell(&key, now).put_back(units);
            }
            return match longest {
                Some((after, hold)) => Decision::Wait { after, hold },
                None => Decision::Exchange,
            };
        }
        self.each_lease(call, units, Lease::take);
        self.gate(&told, now).take(units, now);
        if app != told {
            self.gate(&app, now).take(units, now);
        }
        *self.flights.entry(call.connection.clone()).or_default() += 1;
        Decision::Ready
    }

    pub(super) fn release(&mut self, call: &Call, sent: bool, moment: Moment) {
        let now = self.tick(moment);
        let units = self.limits.cost(call.operation, call.cost);
        if let Some(count) = self.flights.get_mut(&call.connection) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.flights.remove(&call.connection);
            }
        }
        let (app, told) = self.gate_keys(call);
        for key in [Some(&told), (app != told).then_some(&app)].into_iter().flatten() {
            if let Some(gate) = self.gates.get_mut(key) {
                gate.release(units, sent);
            }
        }
        if !sent {
            for (number, quota) in self.limits.quotas.iter().enumerate() {
                let Some(what) = self.limits.counted(quota.calls, call.operation) else { continue };
                let units = if quota.counts == Counts::Requests { 1 } else { units };
                if !self.leased(quota.scope) {
                    self.cell(&(number, who(quota.scope, call), what), now).put_back(units);
                }
            }
            self.each_lease(call, units, |lease, units| lease.put_back(units, wall(moment)));
        }
    }

    pub(super) fn observe(&mut self, call: &Call, told: &Observation, moment: Moment) {
        let now = self.tick(moment);
        let units = self.limits.cost(call.operation, call.cost);
        let (app, by_call) = self.gate_keys(call);
        let key = if told.app_wide { app } else { by_call };
        let jitter = self.jitter();
        if let Some(closed_for) = self.gate(&key, now).observe(units, told, moment, jitter)
            && self.read_every.is_some()
        {
            self.marks.retain(|mark| mark.gate != key);
            self.marks.push(Mark { gate: key, closed_for });
        }
    }

    /// What the shared store has to be asked before the call can be decided: the gates whose marks are
    /// too old, and the open slots of leases that are short.
    pub(super) fn questions(&mut self, call: &Call, moment: Moment) -> (Vec<GateKey>, Vec<Slot>) {
        let now = self.tick(moment);
        let units = self.limits.cost(call.operation, call.cost);
        let (app, told) = self.gate_keys(call);
        let mut keys = vec![told];
        if keys[0] != app {
            keys.push(app);
        }
        let every = self.read_every.unwrap_or(Duration::MAX);
        keys.retain(|key| {
            self.gates.get(key).and_then(|gate| gate.read_at).is_none_or(|read| now >= read + every)
        });
        let mut slots = Vec::new();
        for (number, quota) in self.limits.quotas.iter().enumerate() {
            let Some(what) = self.limits.counted(quota.calls, call.operation) else { continue };
            if self.leased(quota.scope) {
                let units = if quota.counts == Counts::Requests { 1 } else { units };
                let lease = self.lease(number, what);
                if lease.check(units, wall(moment)) == Held::Try {
                    slots.push(Slot { quota: number, place: lease.slot(), keep: lease.cut.keep() });
                }
            }
        }
        (keys, slots)
    }

    /// What other processes say of a gate: closed until then, or open.
    pub(super) fn read(&mut self, key: &GateKey, closed_for: Option<Duration>, moment: Moment) {
        let now = self.tick(moment);
        let gate = self.gate(key, now);
        gate.read_at = Some(now);
        gate.closed_elsewhere = closed_for.map_or(Duration::ZERO, |wait| now + wait);
    }

    /// What came of trying for a slot.
    pub(super) fn tried(&mut self, call: &Call, slot: &Slot, won: bool) {
        let Some(quota) = self.limits.quotas.get(slot.quota) else { return };
        if let Some(what) = self.limits.counted(quota.calls, call.operation) {
            self.lease(slot.quota, what).tried(slot.place, won);
        }
    }

    /// The name of a slot: those who cut the quota alike, and only they, name it alike.
    pub(super) fn slot_name(&self, call: &Call, slot: &Slot) -> String {
        let Some(quota) = self.limits.quotas.get(slot.quota) else { return String::new() };
        let what = self.limits.counted(quota.calls, call.operation).unwrap_or_default();
        let (interval, number) = slot.place;
        let per = quota.per.as_millis();
        format!("{}:{what}:{}per{per}:{interval}:{number}", slot.quota, quota.units)
    }

    /// How many keys are held.
    pub(super) fn keys(&self) -> usize {
        self.cells.len().max(self.gates.len())
    }

    fn tick(&mut self, moment: Moment) -> Duration {
        self.now = self.now.max(moment.monotonic);
        self.ticks.set(self.now);
        self.now
    }

    fn under_way(&self, connection: &ConnectionId) -> u32 {
        self.flights.get(connection).copied().unwrap_or_default()
    }

    fn leased(&self, scope: Scope) -> bool {
        scope == Scope::App && self.read_every.is_some()
    }

    fn each_lease(&mut self, call: &Call, units: u32, mut act: impl FnMut(&mut Lease, u32)) {
        for (number, quota) in self.limits.quotas.iter().enumerate() {
            let Some(what) = self.limits.counted(quota.calls, call.operation) else { continue };
            if self.leased(quota.scope) {
                act(self.lease(number, what), if quota.counts == Counts::Requests { 1 } else { units });
            }
        }
    }

    fn lease(&mut self, number: usize, what: &'static str) -> &mut Lease {
        let limits = &self.limits;
        self.leases.entry((number, what)).or_insert_with(|| {
            let quota = &limits.quotas[number];
            Lease::new(Cut::of(quota, limits.dearest(quota)))
        })
    }

    /// The gate of the whole application, and the one that the provider's answers to the call speak of.
    fn gate_keys(&self, call: &Call) -> (GateKey, GateKey) {
        let what = self.limits.counted(self.limits.told_calls, call.operation).unwrap_or_default();
        (GateKey { who: Who::App, what: "" }, GateKey { who: who(self.limits.told_scope, call), what })
    }

    fn gate(&mut self, key: &GateKey, now: Duration) -> &mut Gate {
        if !self.gates.contains_key(key) {
            if self.gates.len() >= self.max_keys {
                retire(&mut self.gates, |gate| !gate.idle(now), |gate| gate.last_used);
            }
            let scope = match key.who {
                Who::App => Scope::App,
                Who::Group(_) => Scope::Group,
                Who::Connection(_) => Scope::Connection,
            };
            let quotas = self.limits.quotas.iter().filter(|quota| quota.scope == scope);
            let per = quotas.map(|quota| quota.per).min().unwrap_or(Duration::from_secs(60));
            self.gates.insert(key.clone(), Gate::new(per, self.limits.fallback_wait, now));
        }
        let limits = &self.limits;
        self.gates
            .entry(key.clone())
            .or_insert_with(|| Gate::new(Duration::from_secs(60), limits.fallback_wait, now))
    }

    fn cell(&mut self, key: &(usize, Who, &'static str), now: Duration) -> &Cell {
        if !self.cells.contains_key(key) && self.cells.len() >= self.max_keys {
            retire(&mut self.cells, |(cell, _)| !cell.rested(), |(_, used)| *used);
        }
        let entry =
            self.cells.entry(key.clone()).or_insert_with(|| (Cell::new(self.rates[key.0], &self.ticks), now));
        entry.1 = now;
        &entry.0
    }

    /// Between 0 and 1, by SplitMix64.
    fn jitter(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}

/// Makes room in a full map: first what no longer matters, then an eighth, the longest unused.
fn retire<K: Clone + Eq + std::hash::Hash, V>(
    map: &mut HashMap<K, V>,
    matters: impl Fn(&V) -> bool,
    used: impl Fn(&V) -> Duration,
) {
    let full = map.len();
    map.retain(|_, value| matters(value));
    let excess = map.len().saturating_sub(full - full.div_ceil(8));
    if excess > 0 {
        let mut times: Vec<_> = map.iter().map(|(key, value)| (used(value), key.clone())).collect();
        times.select_nth_unstable_by_key(excess - 1, |(used, _)| *used);
        for (_, key) in &times[..excess] {
            map.remove(key);
        }
    }
}

fn who(scope: Scope, call: &Call) -> Who {
    match (scope, &call.group) {
        (Scope::App, _) => Who::App,
        (Scope::Group, Some(group)) => Who::Group(Arc::clone(group)),
        (Scope::Group, None) | (Scope::Connection, _) => Who::Connection(call.connection.clone()),
    }
}

/// Who has to wait with a call that this holds up.
fn hold(who: &Who, all_operations: bool) -> Hold {
    match (who, all_operations) {
        (_, false) => Hold::Operation,
        (Who::App, true) => Hold::Service,
        (_, true) => Hold::Connection,
    }
}

/// The wall-clock time in nanoseconds; 0 before 1970.
fn wall(moment: Moment) -> u128 {
    let since = moment.wall.signed_duration_since(chrono::DateTime::UNIX_EPOCH);
    since.to_std().map_or(0, |since| since.as_nanos())
}
