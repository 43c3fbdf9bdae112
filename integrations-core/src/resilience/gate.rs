//! What does the provider say of its limits right now?
//!
//! A [`Gate`] follows one key: it is closed for the time that a 429 names, spreads what the headers say
//! is left until the window starts anew, and after a 429 finds the rate that the provider bears. It is
//! pure: the moment is handed in, and units are whole numbers.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::limiter::{Moment, Observation, Reply};
use crate::http::Priority;

/// How far an answer's window may reach, and how long a 429 may close a gate, where no quota has a longer
/// window: a time beyond is a mistake of somebody's clock or unit.
const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 3_600);
const BUCKETS: u32 = 16;

#[derive(Debug)]
pub(super) struct Gate {
    /// The length of the provider's window, as far as is known.
    per: Duration,
    fallback: Duration,
    closed_until: Duration,
    /// What another process saw.
    closed_elsewhere: Duration,
    /// The last mark of another process.
    heard: Option<Heard>,
    /// 429s in a row that named no time.
    strikes: u32,
    window: Option<Window>,
    pace: Option<Pace>,
    meter: Meter,
    in_flight: u32,
    pub(super) last_used: Duration,
    /// When the marks of other processes were last read.
    pub(super) read_at: Option<Duration>,
}

/// What a process writes of a 429 for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// When it wrote that, by its own wall clock, in milliseconds since 1970.
    pub(super) at: i64,
    /// For how long its gate was closed then.
    pub(super) wait: Duration,
}

/// A mark of another process that was read.
#[derive(Debug, Clone, Copy)]
struct Heard {
    mark: Told,
    /// When it was first read.
    first: Duration,
    /// What the marks said that it took the place of.
    before: Duration,
}

/// What the headers say.
#[derive(Debug)]
struct Window {
    limit: f64,
    remaining: f64,
    resets: Duration,
    length: Duration,
    next: Duration,
}

/// The rate that the provider is believed to bear.
#[derive(Debug)]
struct Pace {
    /// Units a second, when the last 429 came.
    ceiling: f64,
    factor: f64,
    since: Duration,
    next: Duration,
}

impl Gate {
    pub(super) fn new(per: Duration, fallback: Duration, now: Duration) -> Self {
        Self {
            per,
            fallback,
            closed_until: Duration::ZERO,
            closed_elsewhere: Duration::ZERO,
            heard: None,
            strikes: 0,
            window: None,
            pace: None,
            meter: Meter { width: per / BUCKETS, ..Meter::default() },
            in_flight: 0,
            last_used: now,
            read_at: None,
        }
    }

    /// How long a call has to wait, if it has to.
    pub(super) fn wait(&self, cost: u32, priority: Priority, now: Duration) -> Option<Duration> {
        let mut until = self.closed_until.max(self.closed_elsewhere);
        if let Some(pace) = &self.pace {
            until = until.max(pace.next);
        }
        if let Some(window) = self.window.as_ref().filter(|window| now < window.resets) {
            until = until.max(window.until(cost, priority, now));
        }
        (until > now).then(|| until - now)
    }

    /// Lets a call go.
    pub(super) fn take(&mut self, cost: u32, now: Duration) {
        self.last_used = now;
        self.in_flight = self.in_flight.saturating_add(cost);
        self.meter.add(cost, now);
        if let Some(pace) = &mut self.pace {
            let gap = Duration::from_secs_f64(f64::from(cost) / pace.rate(self.per, now).max(1e-6));
            // Late timers must not cost units: a little of what was missed is made up for.
            let slack = (self.per / 100).min(Duration::from_secs(1));
            pace.next = pace.next.max(now.saturating_sub(slack)) + gap;
        }
        if let Some(window) = &mut self.window {
            if now < window.resets {
                window.next = window.next.max(now) + window.gap(cost, now);
                window.remaining = (window.remaining - f64::from(cost)).max(0.0);
            } else {
                self.window = None;
            }
        }
    }

    /// A call is over, or was never sent.
    pub(super) fn release(&mut self, cost: u32, sent: bool) {
        self.in_flight = self.in_flight.saturating_sub(cost);
        if !sent {
            self.meter.sub(cost);
            if let Some(window) = &mut self.window {
                window.remaining = (window.remaining + f64::from(cost)).min(window.limit);
            }
        }
    }

    /// Learns from an answer to a call of this cost that is still counted as under way. Returns for how
    /// long the gate is newly closed. `jitter` lies between 0 and 1.
    pub(super) fn observe(
        &mut self,
        cost: u32,
        told: &Observation,
        now: Moment,
        jitter: f64,
    ) -> Option<Duration> {
        let at = now.monotonic;
        self.last_used = at;
        if let (Some(remaining), Some(resets_at)) = (told.remaining, told.resets_at) {
            // By the provider's clock: what lies in the past, or too far off, says that the clocks differ.
            let left = (resets_at - now.wall).to_std().unwrap_or(Duration::ZERO);
            self.follow(told.limit, remaining, cost, at + left.min(self.longest()), at);
        }
        match told.outcome {
            Reply::Throttled { retry_after } => Some(self.close(retry_after, at, jitter)),
            Reply::Accepted if at >= self.closed_until => {
                self.strikes = 0;
                None
            }
            Reply::Accepted | Reply::Unknown => None,
        }
    }

    /// Learns from a mark that is still there, and is read `again` then.
    ///
    /// Wall clocks may differ by anything, and jump: they make the wait more exact, and neither longer
    /// than what was told, counted from when this process first read of it, nor shorter than the mark is
    /// there.
    pub(super) fn hear(&mut self, mark: Told, wall: DateTime<Utc>, now: Duration, again: Duration) {
        let mark = Told { wait: mark.wait.min(self.longest()), ..mark };
        let known = self.heard.filter(|heard| heard.mark == mark);
        let heard = known.unwrap_or(Heard { mark, first: now, before: self.closed_elsewhere });
        self.heard = Some(heard);
        let passed = wall.timestamp_millis().saturating_sub(mark.at).try_into().unwrap_or(0);
        let left = mark.wait.saturating_sub(Duration::from_millis(passed));
        let until = (now + left).max(again).min(heard.first + mark.wait);
        self.closed_elsewhere = until.max(heard.before);
    }

    /// No call is held back longer at once.
    fn longest(&self) -> Duration {
        self.per.max(LONGEST_WINDOW)
    }

    fn follow(&mut self, limit: Option<u32>, remaining: u32, cost: u32, resets: Duration, now: Duration) {
        if resets <= now {
            self.window = None;
            return;
        }
        let others = f64::from(self.in_flight.saturating_sub(cost));
        // The provider may not have counted yet what is under way.
        let remaining = (f64::from(remaining) - others).max(0.0);
        let left = resets - now;
        let second = Duration::from_secs(1);
        match &mut self.window {
            // The same window: answers come in any order, so only the last one under way may raise it.
            Some(window) if window.resets.abs_diff(resets) <= second.max(window.length / 100) => {
                let raise = others == 0.0 || remaining < window.remaining;
                window.remaining = if raise { remaining } else { window.remaining };
                window.length = window.length.max(left);
                window.limit = limit.map_or(window.limit, f64::from).max(remaining).max(1.0);
            }
            // An answer of the window before.
            Some(window) if resets < window.resets && now < window.resets => {}
            window => {
                *window = Some(Window {
                    limit: limit.map_or(remaining, f64::from).max(1.0),
                    remaining,
                    resets,
                    length: left.max(if left <= self.per { self.per } else { Duration::ZERO }),
                    next: now,
                });
            }
        }
    }

    fn close(&mut self, retry_after: Option<Duration>, now: Duration, jitter: f64) -> Duration {
        let already_closed = now < self.closed_until;
        let wait = retry_after.unwrap_or_else(|| {
            if !already_closed {
                self.strikes = (self.strikes + 1).min(5);
            }
            self.fallback * (1 << self.strikes.saturating_sub(1))
        });
        let wait = wait.min(self.longest());
        let wait = wait + (wait / 10).min(Duration::from_secs(1)).mul_f64(jitter);
        self.closed_until = self.closed_until.max(now + wait);
        // The answers of calls that left before the gate closed say nothing new.
        let last = self.pace.as_ref().map(|pace| pace.since);
        if !already_closed && last.is_none_or(|last| now - last >= self.per / 8) {
            let measured = self.meter.total(now).max(1.0) / self.per.as_secs_f64();
            let paced = self.pace.as_ref().map_or(f64::MAX, |pace| pace.rate(self.per, now));
            let again = last.is_some_and(|last| now - last < self.per * 2 + wait);
            self.pace = Some(Pace {
                ceiling: measured.min(paced),
                factor: if again { 0.85 } else { 0.98 },
                since: now,
                next: now,
            });
        }
        self.closed_until - now
    }

    /// Whether forgetting it forgets nothing of weight.
    pub(super) fn idle(&self, now: Duration) -> bool {
        self.in_flight == 0
            && now >= self.closed_until.max(self.closed_elsewhere)
            && self.window.as_ref().is_none_or(|window| now >= window.resets)
            && now.saturating_sub(self.last_used) > self.per
    }
}

impl Window {
    /// What is kept for the higher priorities. It melts away towards the window's end, so that nothing is
    /// left over.
    fn reserve(&self, priority: Priority, now: Duration) -> f64 {
        let share = match priority {
            Priority::Backfill => 0.10,
            Priority::Webhook => 0.05,
            Priority::Interactive => 0.0,
        };
        self.limit * share * self.left(now)
    }

    /// The share of the window that lies ahead.
    fn left(&self, now: Duration) -> f64 {
        (self.resets - now).as_secs_f64() / self.length.as_secs_f64()
    }

    /// When a call may go; at the latest when the window starts anew.
    fn until(&self, cost: u32, priority: Priority, now: Duration) -> Duration {
        let (cost, available) = (f64::from(cost), self.remaining - self.reserve(priority, now));
        if available < cost {
            let lacking = cost - self.remaining;
            if lacking > 0.0 {
                return self.resets;
            }
            // The reserve melts at an even speed: wait until it has melted far enough.
            let speed = self.reserve(priority, now) / (self.resets - now).as_secs_f64();
            let melt = Duration::from_secs_f64(((cost - available) / speed.max(1e-9)).clamp(0.001, 1e6));
            return (now + melt).min(self.resets);
        }
        // A person does not wait for a rhythm; and where there is plenty, nobody does.
        if priority == Priority::Interactive { now } else { self.next.min(self.resets) }
    }

    /// The time until the next call, so that what is left lasts.
    fn gap(&self, cost: u32, now: Duration) -> Duration {
        let plenty = self.remaining / self.limit >= self.left(now) - 0.05;
        let available = self.remaining - self.reserve(Priority::Backfill, now);
        if plenty || available < 1.0 {
            return Duration::ZERO;
        }
        (self.resets - now).mul_f64((f64::from(cost) / available).min(1.0))
    }
}

impl Pace {
    /// Just below the rate that was too much; then back to it by even steps, slowly enough that the next
    /// 429 is one in over a thousand; and, where none comes, beyond it ever faster.
    fn rate(&self, per: Duration, now: Duration) -> f64 {
        let elapsed = (now - self.since).as_secs_f64();
        let per = per.as_secs_f64();
        let back = (40.0 * per).max(2_000.0 / self.ceiling.max(1e-6));
        let share = self.factor + (1.0 - self.factor) * (elapsed / back).min(1.0);
        let beyond = ((elapsed - back).max(0.0) / (10.0 * per)).min(40.0);
        self.ceiling * share * beyond.exp2()
    }
}

/// How many units went in the last window.
#[derive(Debug, Default)]
struct Meter {
    width: Duration,
    /// The number of the newest bucket.
    newest: u64,
    buckets: [u32; BUCKETS as usize],
}

impl Meter {
    fn add(&mut self, units: u32, now: Duration) {
        self.roll(now);
        let slot = self.slot(self.newest);
        self.buckets[slot] = self.buckets[slot].saturating_add(units);
    }

    fn sub(&mut self, units: u32) {
        let slot = self.slot(self.newest);
        self.buckets[slot] = self.buckets[slot].saturating_sub(units);
    }

    /// The units of the last window: the buckets reach back over a part of a bucket less than a window,
    /// so they are scaled up once there has been a whole one.
    fn total(&mut self, now: Duration) -> f64 {
        self.roll(now);
        let sum: u32 = self.buckets.iter().fold(0, |sum, units| sum.saturating_add(*units));
        let into = now.as_secs_f64() / self.width.as_secs_f64() - to_f64(self.newest);
        let oldest = self.buckets[self.slot(self.newest + 1)];
        if oldest == 0 {
            return f64::from(sum);
        }
        f64::from(sum) * f64::from(BUCKETS) / (f64::from(BUCKETS) - 1.0 + into.clamp(0.0, 1.0))
    }

    fn roll(&mut self, now: Duration) {
        let number = nanos(now) / nanos(self.width).max(1);
        let passed = number.saturating_sub(self.newest).min(u64::from(BUCKETS));
        for step in 0..passed {
            let slot = self.slot(number - step);
            self.buckets[slot] = 0;
        }
        self.newest = self.newest.max(number);
    }

    #[allow(clippy::unused_self, reason = "it reads as a question to the meter")]
    fn slot(&self, number: u64) -> usize {
        usize::try_from(number % u64::from(BUCKETS)).unwrap_or(0)
    }
}

/// In 64 bits, which last for 584 years and are divided in a tenth of the time of 128.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Times in buckets are far below 2^52.
#[allow(clippy::cast_precision_loss, reason = "numbers of buckets are small")]
fn to_f64(number: u64) -> f64 {
    number as f64
}
