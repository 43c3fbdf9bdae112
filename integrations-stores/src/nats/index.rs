//! Which jobs are there, and which of them comes first?
//!
//! Each process knows all jobs that wait or run, their payloads aside, and computes the order of them by itself. It
//! learns of them by what it writes, and by following the stream; of two accounts of the same slot the one with the
//! higher sequence is true.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use integrations_core::connection::Owner;
use integrations_core::queue::{JobKind, KindStats, Priority};

use super::counts::Counts;
use super::lane::Lane;
use super::record::{Glance, Stand};

#[derive(Default)]
pub(super) struct Index {
    slots: HashMap<u128, Entry>,
    /// The slots of jobs whose number is another.
    moved: HashMap<u128, u128>,
    kinds: Vec<Kind>,
    numbers: HashMap<JobKind, u32>,
    owners: HashSet<Arc<Owner>>,
    /// How many owners may be known before those without a job are forgotten.
    crowd: usize,
    /// Slots that were emptied, with the sequence of what was in them: what comes late of them is no news.
    emptied: HashMap<u128, u64>,
    /// The same, in the order of the sequences.
    emptied_last: BTreeSet<(u64, u128)>,
    /// Up to which sequence the stream was followed.
    seen: u64,
    /// Whether the stream is being told again.
    loading: bool,
    /// Counts the times that the index was loaded.
    generation: u32,
}

struct Entry {
    sequence: u64,
    number: u128,
    owner: Arc<Owner>,
    stand: Stand,
    /// Its place in its lane, from when it is ready until it is to be tried again.
    turn: Option<u64>,
    kind: u32,
    failures: u32,
    generation: u32,
    rank: u8,
    place: Place,
}

/// Which order an entry is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Ready,
    Delayed,
    Running,
    /// None: somebody in this process is about to change it.
    Taken,
}

#[derive(Default)]
struct Kind {
    name: Option<JobKind>,
    lanes: [Lane; Priority::ALL.len()],
    /// Times at which jobs are due, and their numbers.
    delayed: BTreeSet<(i64, u128)>,
    /// Times at which leases run out, and the numbers of their jobs.
    running: BTreeSet<(i64, u128)>,
    /// Those that are taken, and waited.
    taken: u64,
    counts: (u64, Counts),
}

/// What the index knows of a slot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) slot: u128,
    pub(super) sequence: u64,
    pub(super) number: u128,
    pub(super) kind: JobKind,
    pub(super) stand: Stand,
}

impl Index {
    /// A message was written or read, and says how a slot is; returns whether that is news.
    pub(super) fn learn(&mut self, slot: u128, sequence: u64, glance: &Glance, now: i64) -> bool {
        // What was followed already may have been emptied since.
        sequence > self.seen && self.apply(slot, sequence, glance, now)
    }

    /// As [`learn`](Self::learn), for a message of the stream that is followed.
    pub(super) fn apply(&mut self, slot: u128, sequence: u64, glance: &Glance, now: i64) -> bool {
        let generation = self.generation;
        if let Some(entry) = self.slots.get_mut(&slot)
            && entry.sequence >= sequence
        {
            entry.generation = generation;
            return false;
        }
        if self.emptied.get(&slot).is_some_and(|emptied| *emptied >= sequence) {
            return false;
        }
        let kind = self.kind(&glance.kind);
        let owner = self.owner(&glance.owner);
        let before = self.take_out(slot);
        let mut entry = Entry {
            sequence,
            number: glance.number(),
            owner,
            stand: glance.stand,
            turn: None,
            kind,
            failures: glance.failures,
            generation,
            rank: glance.rank.min(Priority::Low.rank()),
            place: Place::Taken,
        };
        if let Some(before) = before
            && before.number == entry.number
            && (before.rank, before.failures) == (entry.rank, entry.failures)
        {
            entry.turn = before.turn;
        }
        self.put_in(slot, entry, now);
        true
    }

    /// A slot is empty, or was when what it held last had this sequence.
    pub(super) fn remove(&mut self, slot: u128, sequence: u64) {
        if self.slots.get(&slot).is_some_and(|entry| entry.sequence <= sequence) {
            self.take_out(slot);
        }
        if (self.loading || sequence > self.seen)
            && self.emptied.get(&slot).is_none_or(|emptied| *emptied < sequence)
        {
            self.emptied.insert(slot, sequence);
            self.emptied_last.insert((sequence, slot));
        }
    }

    /// The stream was followed up to a sequence: nothing of before comes late.
    pub(super) fn see(&mut self, sequence: u64) {
        self.seen = self.seen.max(sequence);
        if self.loading {
            return;
        }
        while let Some(&(sequence, slot)) = self.emptied_last.first()
            && sequence <= self.seen
        {
            self.emptied_last.pop_first();
            if self.emptied.get(&slot) == Some(&sequence) {
                self.emptied.remove(&slot);
            }
        }
    }

    /// Everything is about to be told again.
    pub(super) fn begin_load(&mut self) {
        self.generation += 1;
        self.loading = true;
    }

    /// Everything up to a sequence was told again: what was not among it is gone.
    pub(super) fn end_load(&mut self, sequence: u64) {
        self.loading = false;
        let generation = self.generation;
        let gone = self.slots.iter().filter(|(_, entry)| {
            entry.generation != generation && entry.sequence <= sequence && entry.place != Place::Taken
        });
        for slot in gone.map(|(slot, _)| *slot).collect::<Vec<_>>() {
            self.take_out(slot);
        }
    }

    pub(super) fn known(&self, slot: u128) -> Option<Known> {
        let entry = self.slots.get(&slot)?;
        Some(Known {
            slot,
            sequence: entry.sequence,
            number: entry.number,
            kind: self.kinds[entry.kind as usize].name.clone()?,
            stand: entry.stand,
        })
    }

    /// The job of a number.
    pub(super) fn job(&self, number: u128) -> Option<Known> {
        self.known(self.slot(number)).filter(|known| known.number == number)
    }

    /// Takes the first ready jobs of a kind out of the order, for the caller to lease. Some are skipped if enough
    /// others of the same priority are ready.
    pub(super) fn pick(&mut self, kind: &JobKind, most: usize, skip: usize, now: i64) -> Vec<Known> {
        let Some(&kind) = self.numbers.get(kind) else { return Vec::new() };
        self.ripen(kind, now);
        let lanes = &self.kinds[kind as usize].lanes;
        let first = lanes.iter().map(Lane::len).find(|ready| *ready > 0).unwrap_or(0);
        let skip = skip.min(first.saturating_sub(most));
        let numbers: Vec<u128> = lanes.iter().flat_map(Lane::numbers).skip(skip).take(most).collect();
        let picked: Vec<Known> = numbers.into_iter().filter_map(|number| self.job(number)).collect();
        for known in &picked {
            self.reserve(known.slot);
        }
        self.kinds[kind as usize].lanes.iter_mut().for_each(Lane::forget_past);
        picked
    }

    /// Takes those out of the order whose leases have run out by then, for the caller to put back.
    pub(super) fn pick_expired(&mut self, kind: &JobKind, by: i64) -> Vec<Known> {
        let Some(&kind) = self.numbers.get(kind) else { return Vec::new() };
        let expired = self.kinds[kind as usize].running.iter().take_while(|(until, _)| *until <= by);
        let picked: Vec<Known> = expired.filter_map(|(_, number)| self.job(*number)).collect();
        for known in &picked {
            self.reserve(known.slot);
        }
        picked
    }

    /// Takes a slot out of the order; false if somebody else of this process has it.
    pub(super) fn reserve(&mut self, slot: u128) -> bool {
        let Some(mut entry) = self.slots.remove(&slot) else { return false };
        let free = entry.place != Place::Taken;
        if free {
            self.unlink(&entry);
            entry.place = Place::Taken;
            self.kinds[entry.kind as usize].taken += u64::from(matches!(entry.stand, Stand::Waits(_)));
        }
        self.slots.insert(slot, entry);
        free
    }

    /// Gives back what was taken out and was not changed.
    pub(super) fn give_back(&mut self, slot: u128, now: i64) {
        if self.slots.get(&slot).is_some_and(|entry| entry.place == Place::Taken)
            && let Some(entry) = self.take_out(slot)
        {
            self.put_in(slot, entry, now);
        }
    }

    /// Whether a job of a kind is ready.
    pub(super) fn is_ready(&mut self, kind: &JobKind, now: i64) -> bool {
        let Some(&kind) = self.numbers.get(kind) else { return false };
        self.ripen(kind, now);
        self.kinds[kind as usize].lanes.iter().any(|lane| lane.len() > 0)
    }

    /// When the next job of a kind becomes due, and when the next lease runs out.
    pub(super) fn next(&self, kind: &JobKind) -> [Option<i64>; 2] {
        let Some(&kind) = self.numbers.get(kind) else { return [None, None] };
        let kind = &self.kinds[kind as usize];
        [kind.delayed.first().map(|(due, _)| *due), kind.running.first().map(|(until, _)| *until)]
    }

    /// All jobs that a condition lets through.
    pub(super) fn all(&self, wanted: impl Fn(&JobKind, &Owner, Stand, u128) -> bool) -> Vec<Known> {
        let fits = |entry: &Entry| {
            let kind = self.kinds[entry.kind as usize].name.as_ref();
            kind.is_some_and(|kind| wanted(kind, &entry.owner, entry.stand, entry.number))
        };
        let slots = self.slots.iter().filter(|(_, entry)| fits(entry)).map(|(slot, _)| *slot);
        slots.filter_map(|slot| self.known(slot)).collect()
    }

    pub(super) fn counts(&self, kind: &JobKind) -> (u64, Counts) {
        self.numbers.get(kind).map_or((0, Counts::default()), |kind| self.kinds[*kind as usize].counts)
    }

    pub(super) fn set_counts(&mut self, kind: &JobKind, sequence: u64, counts: Counts) {
        let kind = self.kind(kind);
        let known = &mut self.kinds[kind as usize].counts;
        if known.0 < sequence {
            *known = (sequence, counts);
        }
    }

    /// What there is of each kind, dead letters aside.
    pub(super) fn stats(&mut self, now: i64) -> Vec<(JobKind, KindStats)> {
        let mut all = Vec::with_capacity(self.kinds.len());
        for number in 0..self.kinds.len() {
            self.ripen(u32::try_from(number).unwrap_or(u32::MAX), now);
            let kind = &self.kinds[number];
            let Some(name) = kind.name.clone() else { continue };
            let mut stats = KindStats::default();
            stats.ready = kind.lanes.iter().map(|lane| lane.len() as u64).sum::<u64>() + kind.taken;
            stats.delayed = kind.delayed.len() as u64;
            stats.running = kind.running.len() as u64;
            let (_, Counts { done, retried, dead }) = kind.counts;
            (stats.done_ever, stats.retried_ever, stats.dead_ever) = (done, retried, dead);
            let due = kind.lanes.iter().flat_map(Lane::numbers).filter_map(|number| {
                match self.slots.get(&self.slot(number))?.stand {
                    Stand::Waits(due) => Some(due),
                    _ => None,
                }
            });
            let oldest = due.min().map(|due| u64::try_from(now.saturating_sub(due)).unwrap_or(0));
            stats.oldest = oldest.map(std::time::Duration::from_micros);
            all.push((name, stats));
        }
        all
    }

    fn slot(&self, number: u128) -> u128 {
        self.moved.get(&number).copied().unwrap_or(number)
    }

    fn kind(&mut self, name: &JobKind) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
        self.kinds.push(Kind { name: Some(name.clone()), ..Kind::default() });
        self.numbers.insert(name.clone(), number);
        number
    }

    /// The same owner in the same memory.
    fn owner(&mut self, owner: &Owner) -> Arc<Owner> {
        if let Some(known) = self.owners.get(owner) {
            return Arc::clone(known);
        }
        if self.owners.len() > self.crowd.max(1024) {
            self.owners.retain(|owner| Arc::strong_count(owner) > 1);
            self.crowd = 2 * self.owners.len();
        }
        let owner = Arc::new(owner.clone());
        self.owners.insert(Arc::clone(&owner));
        owner
    }

    /// Those whose time has come are ready, in the order of their times.
    fn ripen(&mut self, kind: u32, now: i64) {
        while let Some(&(due, number)) = self.kinds[kind as usize].delayed.first()
            && due <= now
        {
            let slot = self.slot(number);
            match self.take_out(slot) {
                Some(entry) => self.put_in(slot, entry, now),
                None => drop(self.kinds[kind as usize].delayed.pop_first()),
            }
        }
    }

    fn take_out(&mut self, slot: u128) -> Option<Entry> {
        let entry = self.slots.remove(&slot)?;
        self.unlink(&entry);
        if entry.number != slot {
            self.moved.remove(&entry.number);
        }
        Some(entry)
    }

    fn unlink(&mut self, entry: &Entry) {
        let kind = &mut self.kinds[entry.kind as usize];
        match (entry.place, entry.stand) {
            (Place::Ready, _) => {
                kind.lanes[usize::from(entry.rank)].remove(entry.turn.unwrap_or_default(), entry.number);
            }
            (Place::Delayed, Stand::Waits(due)) => {
                kind.delayed.remove(&(due, entry.number));
            }
            (Place::Running, Stand::Runs(until, _)) => {
                kind.running.remove(&(until, entry.number));
            }
            (Place::Taken, Stand::Waits(_)) => kind.taken -= 1,
            _ => {}
        }
    }

    fn put_in(&mut self, slot: u128, mut entry: Entry, now: i64) {
        let kind = &mut self.kinds[entry.kind as usize];
        entry.place = match entry.stand {
            Stand::Waits(due) if due > now => {
                kind.delayed.insert((due, entry.number));
                Place::Delayed
            }
            Stand::Waits(_) => {
                let lane = &mut kind.lanes[usize::from(entry.rank)];
                let turn = entry.turn.unwrap_or_else(|| lane.turn(&entry.owner));
                lane.insert(turn, entry.number);
                entry.turn = Some(turn);
                Place::Ready
            }
            Stand::Runs(until, _) => {
                kind.running.insert((until, entry.number));
                Place::Running
            }
            Stand::Ended(_) => Place::Taken,
        };
        if entry.number != slot {
            self.moved.insert(entry.number, slot);
        }
        self.slots.insert(slot, entry);
    }
}
