//! Where do all limits of one service stand?
//!
//! Brings the parts together for one service: the cells of its static quotas, the gates that follow the
//! provider, the shared leases, and the calls under way. A call takes from all of them or from none.

use std::collections::HashMap;
use std::time::Duration;

use super::cell::{Cell, Rate, Ticks};
use super::gate::{Gate, Told};
use super::kept::{Forgettable, Kept};
use super::keys::{GateKey, What, Who, counting, hold, named, told, units_of, who};
use super::lease::{Cut, Held, Lease};
use super::limiter::{Call, Decision, Hold, Moment, Observation, Reply};
use super::quota::{Calls, Limits, Quota, Scope};
use crate::connection::ConnectionId;

/// How often to look whether a place has become free, where nobody says so.
const CONCURRENCY_POLL: Duration = Duration::from_millis(50);

/// A mark for the other processes: this gate is closed until then, in monotonic time.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) gate: GateKey,
    pub(super) until: Duration,
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
    cells: Cells,
    gates: Gates,
    /// For the quotas of the application, where there is a shared store; by number of quota.
    leases: HashMap<(usize, What), Lease>,
    /// Counted only where there is a limit.
    flights: HashMap<ConnectionId, u32>,
    pub(super) marks: Vec<Mark>,
    ticks: Ticks,
    now: Duration,
    /// How old the marks of other processes may be; `None` without a shared store.
    read_every: Option<Duration>,
    random: u64,
    /// Kept from check to check, so that none allocates.
    taken: Vec<usize>,
}

/// The gates: one for the whole application, which every call looks at, and those of the keys.
#[derive(Debug)]
struct Gates {
    limits: Limits,
    app: Gate,
    others: Kept<GateKey, Gate>,
}

impl Gates {
    fn of(&mut self, key: GateKey, now: Duration) -> &mut Gate {
        if key.is_app() { &mut self.app } else { other(&self.limits, &mut self.others, key, now) }
    }

    /// The application's gate, and that of the key where it is another.
    fn both(&mut self, key: GateKey, now: Duration) -> (&mut Gate, Option<&mut Gate>) {
        let other = (!key.is_app()).then(|| other(&self.limits, &mut self.others, key, now));
        (&mut self.app, other)
    }

    fn known(&mut self, key: &GateKey) -> Option<&mut Gate> {
        if key.is_app() { Some(&mut self.app) } else { self.others.known(key) }
    }
}

fn other<'a>(
    limits: &Limits,
    others: &'a mut Kept<GateKey, Gate>,
    key: GateKey,
    now: Duration,
) -> &'a mut Gate {
    others.of(key, now, |key| {
        let scope = match key.who {
            Who::App => Scope::App,
            Who::Group(_) => Scope::Group,
            Who::Connection(_) => Scope::Connection,
        };
        new_gate(limits, scope, now)
    })
}

fn new_gate(limits: &Limits, scope: Scope, now: Duration) -> Gate {
    // A connection of which no group is known is its own.
    let own_group = |quota: &&Quota| scope == Scope::Connection && quota.scope == Scope::Group;
    let quotas = limits.quotas.iter().filter(|quota| quota.scope == scope || own_group(quota));
    let per = quotas.map(|quota| quota.per).min().unwrap_or(Duration::from_secs(60));
    Gate::new(per, limits.fallback_wait, now)
}

impl Forgettable for Gate {
    fn matters(&self, now: Duration) -> bool {
        !self.idle(now)
    }

    fn used(&self) -> Duration {
        self.last_used
    }
}

/// The cells of the static quotas, each with the time of its last use.
#[derive(Debug)]
struct Cells {
    rates: Vec<Rate>,
    ticks: Ticks,
    all: Kept<(usize, Who, What), (Cell, Duration)>,
}

impl Cells {
    fn of(&mut self, number: usize, who: Who, what: What, now: Duration) -> &Cell {
        let Self { rates, ticks, all } = self;
        let entry = all.of((number, who, what), now, |_| (Cell::new(rates[number], ticks), now));
        entry.1 = now;
        &entry.0
    }
}

impl Forgettable for (Cell, Duration) {
    fn matters(&self, _: Duration) -> bool {
        !self.0.rested()
    }

    fn used(&self) -> Duration {
        self.1
    }
}

impl Service {
    pub(super) fn new(limits: Limits, read_every: Option<Duration>, max_keys: usize, seed: u64) -> Self {
        let rates = limits.quotas.iter().map(|quota| Rate::of(quota, limits.dearest(quota))).collect();
        let ticks = Ticks::default();
        Self {
            limits,
            cells: Cells { rates, ticks: ticks.clone(), all: Kept::new(max_keys) },
            gates: Gates {
                limits,
                app: new_gate(&limits, Scope::App, Duration::ZERO),
                others: Kept::new(max_keys),
            },
            leases: HashMap::new(),
            flights: HashMap::new(),
            marks: Vec::new(),
            ticks,
            now: Duration::ZERO,
            read_every,
            random: seed,
            taken: Vec::new(),
        }
    }

    pub(super) fn check(&mut self, call: &Call, moment: Moment) -> Decision {
        let now = self.tick(moment);
        let limits = self.limits;
        let units = limits.cost(call.operation, call.cost);
        let key = told(&limits, call);
        if let Some(every) = self.read_every {
            let fresh = |gate: &Gate| gate.read_at.is_some_and(|read| now < read + every && now >= read);
            let told = self.gates.known(&key).is_some_and(|gate| fresh(gate));
            if !self.marks.is_empty() || !told || !fresh(&self.gates.app) {
                return Decision::Exchange;
            }
        }

        let mut longest: Option<(Duration, Hold)> = None;
        let mut wait = |after: Duration, hold: Hold| {
            longest = longest.max(Some((after, hold)));
        };
        if limits.concurrent.is_some_and(|most| self.under_way(&call.connection) >= most) {
            wait(CONCURRENCY_POLL, Hold::Connection);
        }
        let held_by_key = hold(&key.who, key.what.is_none());
        let (app, told) = self.gates.both(key, now);
        if let Some(after) = app.wait(units, call.priority, now) {
            wait(after, Hold::Service);
        }
        if let Some(after) = told.as_ref().and_then(|gate| gate.wait(units, call.priority, now)) {
            wait(after, held_by_key);
        }
        let mut exchange = false;
        self.taken.clear();
        for (number, quota, what) in counting(&limits, call) {
            let units = units_of(quota, units);
            let hold = hold(&who(quota.scope, call), quota.calls == Calls::All);
            if leased(self.read_every, quota.scope) {
                match lease(&mut self.leases, &limits, number, what).check(units, wall(moment)) {
                    Held::Enough => {}
                    Held::Try => exchange = true,
                    Held::Wait(after) => wait(after, hold),
                }
                continue;
            }
            match self.cells.of(number, who(quota.scope, call), what, now).take(units) {
                Ok(()) => self.taken.push(number),
                Err(after) => wait(after, hold),
            }
        }
        if longest.is_some() || exchange {
            for (number, quota, what) in counting(&limits, call) {
                if self.taken.contains(&number) {
                    let own = self.cells.of(number, who(quota.scope, call), what, now);
                    own.put_back(units_of(quota, units));
                }
            }
            return match longest {
                Some((after, hold)) => Decision::Wait { after, hold },
                None => Decision::Exchange,
            };
        }
        app.take(units, now);
        if let Some(told) = told {
            told.take(units, now);
        }
        self.each_lease(call, units, Lease::take);
        if limits.concurrent.is_some() {
            *self.flights.entry(call.connection.clone()).or_default() += 1;
        }
        Decision::Ready
    }

    pub(super) fn release(&mut self, call: &Call, sent: bool, moment: Moment) {
        let now = self.tick(moment);
        let limits = self.limits;
        let units = limits.cost(call.operation, call.cost);
        self.landed(&call.connection);
        let key = told(&limits, call);
        self.gates.app.release(units, sent);
        if !key.is_app()
            && let Some(gate) = self.gates.known(&key)
        {
            gate.release(units, sent);
        }
        if !sent {
            for (number, quota, what) in counting(&limits, call) {
                if !leased(self.read_every, quota.scope) {
                    let own = self.cells.of(number, who(quota.scope, call), what, now);
                    own.put_back(units_of(quota, units));
                }
            }
            self.each_lease(call, units, |lease, units| lease.put_back(units, wall(moment)));
        }
    }

    pub(super) fn observe(&mut self, call: &Call, told: &Observation, moment: Moment) {
        let key = self.spoken_of(call, told);
        self.learn(key, call, told, moment);
    }

    /// Observes, then releases a call that was sent.
    pub(super) fn settle(&mut self, call: &Call, told: &Observation, moment: Moment) {
        let key = self.spoken_of(call, told);
        if told.app_wide {
            self.learn(key, call, told, moment);
            return self.release(call, true, moment);
        }
        let is_app = key.is_app();
        let (gate, units) = self.learn(key, call, told, moment);
        gate.release(units, true);
        if !is_app {
            self.gates.app.release(units, true);
        }
        self.landed(&call.connection);
    }

    /// What an answer speaks of.
    fn spoken_of(&self, call: &Call, observation: &Observation) -> GateKey {
        if observation.app_wide { GateKey::APP } else { told(&self.limits, call) }
    }

    fn learn(&mut self, key: GateKey, call: &Call, told: &Observation, moment: Moment) -> (&mut Gate, u32) {
        let now = self.tick(moment);
        let units = self.limits.cost(call.operation, call.cost);
        let jitter = self.jitter();
        let shared = self.read_every.is_some();
        let mark = (shared && matches!(told.outcome, Reply::Throttled { .. })).then(|| key.clone());
        let gate = self.gates.of(key, now);
        if let Some(closed_for) = gate.observe(units, told, moment, jitter)
            && let Some(key) = mark
        {
            self.marks.retain(|mark| mark.gate != key);
            self.marks.push(Mark { gate: key, until: now + closed_for });
        }
        (gate, units)
    }

    /// What the shared store has to be asked before the call can be decided: the gates whose marks are
    /// too old, and the open slots of leases that are short.
    pub(super) fn questions(&mut self, call: &Call, moment: Moment) -> (Vec<GateKey>, Vec<Slot>) {
        let now = self.tick(moment);
        let limits = self.limits;
        let units = limits.cost(call.operation, call.cost);
        let mut keys = vec![told(&limits, call)];
        if !keys[0].is_app() {
            keys.push(GateKey::APP);
        }
        let every = self.read_every.unwrap_or(Duration::MAX);
        keys.retain(|key| {
            self.gates.known(key).and_then(|gate| gate.read_at).is_none_or(|read| now >= read + every)
        });
        let mut slots = Vec::new();
        for (number, quota, what) in counting(&limits, call) {
            if leased(self.read_every, quota.scope) {
                let lease = lease(&mut self.leases, &limits, number, what);
                if lease.check(units_of(quota, units), wall(moment)) == Held::Try {
                    slots.push(Slot { quota: number, place: lease.slot(), keep: lease.cut.keep() });
                }
            }
        }
        (keys, slots)
    }

    /// The marks for the other processes that were not fetched before, each with the time it has left.
    pub(super) fn take_marks(&mut self, moment: Moment) -> Vec<(GateKey, Duration)> {
        let now = self.tick(moment);
        let marks = std::mem::take(&mut self.marks).into_iter();
        let left = marks.map(|Mark { gate, until }| (gate, until.saturating_sub(now)));
        left.filter(|(_, left)| !left.is_zero()).collect()
    }

    /// What other processes say of a gate: closed, by that mark, or nothing.
    pub(super) fn read(&mut self, key: &GateKey, mark: Option<Told>, moment: Moment) {
        let now = self.tick(moment);
        let again = now + self.read_every.unwrap_or_default();
        let gate = self.gates.of(key.clone(), now);
        gate.read_at = Some(now);
        if let Some(mark) = mark {
            gate.hear(mark, moment.wall, now, again);
        }
    }

    /// What came of trying for a slot.
    pub(super) fn tried(&mut self, call: &Call, slot: &Slot, won: bool) {
        let Some(quota) = self.limits.quotas.get(slot.quota) else { return };
        if let Some(what) = self.limits.counted(quota.calls, call.operation) {
            lease(&mut self.leases, &self.limits, slot.quota, named(what)).tried(slot.place, won);
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

    /// How many keys are held, beside that of the application.
    pub(super) fn keys(&self) -> usize {
        self.cells.all.len().max(self.gates.others.len())
    }

    fn tick(&mut self, moment: Moment) -> Duration {
        self.now = self.now.max(moment.monotonic);
        self.ticks.set(self.now);
        self.now
    }

    fn under_way(&self, connection: &ConnectionId) -> u32 {
        self.flights.get(connection).copied().unwrap_or_default()
    }

    /// A call is no longer under way.
    fn landed(&mut self, connection: &ConnectionId) {
        if let Some(count) = self.flights.get_mut(connection) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.flights.remove(connection);
            }
        }
    }

    fn each_lease(&mut self, call: &Call, units: u32, mut act: impl FnMut(&mut Lease, u32)) {
        let limits = self.limits;
        for (number, quota, what) in counting(&limits, call) {
            if leased(self.read_every, quota.scope) {
                act(lease(&mut self.leases, &limits, number, what), units_of(quota, units));
            }
        }
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

fn leased(read_every: Option<Duration>, scope: Scope) -> bool {
    scope == Scope::App && read_every.is_some()
}

fn lease<'a>(
    leases: &'a mut HashMap<(usize, What), Lease>,
    limits: &Limits,
    number: usize,
    what: What,
) -> &'a mut Lease {
    leases.entry((number, what)).or_insert_with(|| {
        let quota = &limits.quotas[number];
        Lease::new(Cut::of(quota, limits.dearest(quota)))
    })
}

/// The wall-clock time in nanoseconds; 0 before 1970.
fn wall(moment: Moment) -> u128 {
    let since = moment.wall.signed_duration_since(chrono::DateTime::UNIX_EPOCH);
    since.to_std().map_or(0, |since| since.as_nanos())
}
