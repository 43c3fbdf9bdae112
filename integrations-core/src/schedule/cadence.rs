//! When is a stream read next?

use std::time::Duration;

#[cfg(feature = "cron")]
use chrono::TimeDelta;
use chrono::{DateTime, Utc};

#[cfg(feature = "cron")]
use crate::error::{Error, ErrorKind, Result};

/// How often a stream is read.
///
/// ```
/// use std::time::Duration;
/// use integrations_core::schedule::Cadence;
///
/// let often = Cadence::every(Duration::from_secs(60)).at_least_every(Duration::from_secs(600));
/// # #[cfg(feature = "cron")] {
/// let at_night = Cadence::cron("30 3 * * *", chrono_tz::Europe::Berlin)?;
/// # }
/// # Ok::<(), integrations_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cadence(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Every {
        interval: Duration,
        longest: Duration,
    },
    #[cfg(feature = "cron")]
    Cron {
        times: Box<croner::Cron>,
        zone: chrono_tz::Tz,
        window: Duration,
    },
}

/// What is known of a stream when its next time is to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Streak {
    /// For how long nothing has changed in it.
    pub(super) idle: Duration,
    /// How many jobs in a row were given up.
    pub(super) failures: u32,
}

/// A stream is read about so many times in the time for which nothing has changed in it.
const READS_PER_IDLE_TIME: u32 = 12;

impl Default for Cadence {
    /// Every five minutes.
    fn default() -> Self {
        Self::every(Duration::from_secs(300))
    }
}

impl Cadence {
    /// Reads a stream every so often, a tenth more or less so that streams spread out.
    ///
    /// One in which nothing changes is read less often: by a twelfth of the time for which nothing has, but at
    /// [least](Self::at_least_every) every twelve intervals. One that fails is read after two, four, eight intervals,
    /// up to the same.
    pub fn every(interval: Duration) -> Self {
        let interval = interval.max(Duration::from_secs(1));
        Self(Kind::Every { interval, longest: interval.saturating_mul(12) })
    }

    /// The longest that a stream is left alone, however idle it is, or however often it fails. Not for cron
    /// expressions.
    pub fn at_least_every(mut self, time: Duration) -> Self {
        #[cfg_attr(not(feature = "cron"), allow(irrefutable_let_patterns, reason = "there is but one kind"))]
        if let Kind::Every { interval, longest } = &mut self.0 {
            *longest = time.max(*interval);
        }
        self
    }

    /// Reads a stream at the times of a cron expression (five fields, or six with seconds first), in a time zone.
    /// Streams spread out over the minute that follows.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for what is no cron expression, or has no time at all.
    #[cfg(feature = "cron")]
    pub fn cron(expression: &str, zone: chrono_tz::Tz) -> Result<Self> {
        use std::str::FromStr;

        let times = croner::Cron::from_str(expression).map_err(|error| {
            Error::new(ErrorKind::Configuration, "the schedule is no cron expression; the cause says where")
                .with_code("cron")
                .with_source(error.to_string())
        })?;
        let start = DateTime::<Utc>::UNIX_EPOCH.with_timezone(&zone);
        if times.find_next_occurrence(&start, true).is_err() {
            return Err(Error::new(ErrorKind::Configuration, "the cron expression never comes to a time")
                .with_code("cron"));
        }
        Ok(Self(Kind::Cron { times: Box::new(times), zone, window: Duration::from_secs(60) }))
    }

    /// Over how long the streams spread out that a cron expression names the same time for; a minute by default.
    #[cfg(feature = "cron")]
    pub fn spread_over(mut self, time: Duration) -> Self {
        if let Kind::Cron { window, .. } = &mut self.0 {
            *window = time;
        }
        self
    }

    /// How long from now a stream is read next. `place` is uniform in `[0, 1)` and the same for each time of a stream;
    /// `chance` is drawn anew.
    #[cfg_attr(not(feature = "cron"), allow(unused_variables, reason = "cron expressions need them"))]
    pub(super) fn next(&self, now: DateTime<Utc>, streak: Streak, place: f64, chance: f64) -> Duration {
        match &self.0 {
            Kind::Every { interval, longest } => {
                let failing = interval.saturating_mul(2_u32.saturating_pow(streak.failures.min(31)));
                let idle = streak.idle / READS_PER_IDLE_TIME;
                failing.max(idle).clamp(*interval, *longest).mul_f64(0.9 + 0.2 * chance)
            }
            #[cfg(feature = "cron")]
            Kind::Cron { times, zone, window } => {
                let offset = TimeDelta::from_std(window.mul_f64(place)).unwrap_or_default();
                let from = (now - offset).with_timezone(zone);
                match times.find_next_occurrence(&from, false) {
                    Ok(next) => (next.to_utc() + offset - now).to_std().unwrap_or_default(),
                    // There is no more time in the years that the expression names.
                    Err(_) => NEVER,
                }
            }
        }
    }

    /// The longest time between two reads, where there is one.
    #[cfg_attr(not(feature = "cron"), allow(unused_variables, reason = "cron expressions need them"))]
    pub(super) fn longest(&self, now: DateTime<Utc>, place: f64) -> Duration {
        match &self.0 {
            Kind::Every { longest, .. } => longest.mul_f64(0.9 + 0.2 * place),
            #[cfg(feature = "cron")]
            Kind::Cron { .. } => self.next(now, Streak::default(), place, 0.0),
        }
    }
}

#[cfg(feature = "cron")]
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_interval_stretches_while_nothing_changes_and_while_it_fails() {
        let cadence = Cadence::default();
        let next = |minutes: u32, failures| {
            let streak = Streak { idle: MINUTE * minutes, failures };
            cadence.next(at("2026-03-01T09:00:00Z"), streak, 0.0, 0.5).as_secs() / 60
        };
        assert_eq!([0, 30, 60, 120, 360, 720, 9_000].map(|idle| next(idle, 0)), [5, 5, 5, 10, 30, 60, 60]);
        assert_eq!([1, 2, 3, 4, 40].map(|failures| next(0, failures)), [10, 20, 40, 60, 60]);
    }

    #[test]
    fn streams_spread_out_by_a_tenth() {
        let cadence = Cadence::default();
        let next =
            |chance| cadence.next(at("2026-03-01T09:00:00Z"), Streak::default(), 0.0, chance).as_secs();
        assert_eq!([0.0, 0.5, 1.0].map(next), [270, 300, 330]);
    }

    #[cfg(feature = "cron")]
    #[test]
    fn a_cron_expression_is_read_in_its_zone_over_a_change_of_the_clocks() {
        let cadence = Cadence::cron("30 3 * * *", chrono_tz::Europe::Berlin).unwrap();
        let next = |now: &str, place| at(now) + cadence.next(at(now), Streak::default(), place, 0.9);
        assert_eq!(next("2026-03-28T12:00:00Z", 0.0), at("2026-03-29T01:30:00Z"), "summer time has begun");
        assert_eq!(next("2026-03-27T12:00:00Z", 0.0), at("2026-03-28T02:30:00Z"));
        assert_eq!(next("2026-03-28T02:30:00Z", 0.0), at("2026-03-29T01:30:00Z"), "not the same time again");
        assert_eq!(
            next("2026-03-28T02:30:00Z", 0.5),
            at("2026-03-28T02:30:30Z"),
            "each stream has its place"
        );
        assert_eq!(next("2026-03-28T02:30:30Z", 0.5), at("2026-03-29T01:30:30Z"));
    }

    #[cfg(feature = "cron")]
    #[test]
    fn what_is_no_cron_expression_is_refused() {
        for text in ["", "every day", "61 * * * *", "0 0 31 2 *"] {
            let error = Cadence::cron(text, chrono_tz::UTC).unwrap_err();
            assert_eq!(
                (error.kind(), error.provider_code()),
                (ErrorKind::Configuration, Some("cron")),
                "{text}"
            );
        }
    }
}
