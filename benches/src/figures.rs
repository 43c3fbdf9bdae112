//! How are figures made that hold on a busy machine?
//!
//! Contestants take turns, round by round, and are compared within a round: what else the machine does
//! hits all of them alike. What is reported is the median of the rounds, with the quartiles.

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};

/// The median of some rounds, with the half of them that lies around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// A quarter of the rounds lies below.
    pub low: f64,
    /// Half of the rounds lies below.
    pub median: f64,
    /// A quarter of the rounds lies above.
    pub high: f64,
}

impl Spread {
    /// The spread of some figures; all zero for none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |quarter| figures.get(figures.len() * quarter / 4).copied().unwrap_or_default();
        Self { low: at(1), median: at(2), high: at(3) }
    }

    /// The spread of the quotients of two rows of figures, round by round.
    pub fn of_ratios(above: &[f64], below: &[f64]) -> Self {
        Self::of(above.iter().zip(below).map(|(above, below)| above / below))
    }
}

/// `0.87 (0.85–0.90)`
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.low, self.high)
    }
}

/// Takes the time.
#[derive(Debug)]
pub struct Stopwatch {
    clock: SystemClock,
    start: Duration,
}

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        let clock = SystemClock::new();
        Self { clock, start: clock.monotonic() }
    }

    /// How many seconds have passed.
    pub fn seconds(&self) -> f64 {
        self.clock.monotonic().saturating_sub(self.start).as_secs_f64()
    }
}

/// Runs some work as often as fits into `about`, and says how many seconds one run took.
pub fn seconds_each<T>(about: Duration, mut work: impl FnMut() -> T) -> f64 {
    let watch = Stopwatch::start();
    let mut runs = 0.0;
    loop {
        black_box(work());
        runs += 1.0;
        let taken = watch.seconds();
        if taken >= about.as_secs_f64() {
            return taken / runs;
        }
    }
}

/// A count with its thousands apart, e.g. `123 456`.
pub fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Lays cells out in columns: the first to the left, the others to the right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
        cells.chain(["\n".to_owned()]).collect::<String>()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let spread = Spread::of_ratios(&[1.0, 20.0, 300.0, 1.0], &[2.0, 20.0, 100.0, 4.0]);
        assert_eq!(spread, Spread { low: 0.5, median: 1.0, high: 3.0 });
        assert_eq!(spread.to_string(), "1.00 (0.50–3.00)");
        assert_eq!(Spread::of([]).median.to_bits(), 0);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([7.0, 1234.0, 1_234_567.0].map(count), ["7", "1 234", "1 234 567"]);
    }
}
