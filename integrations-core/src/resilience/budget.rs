//! How much may retries add to a provider's load?
//!
//! Retries help against a failure that is rare and harm in one that is not: where every call fails, three
//! retries make four times the load. A [`RetryBudget`] ties the retries of all calls to a service
//! together: each first try puts in a share of a token, each retry takes tokens out, and while there are
//! none, calls fail at their first try.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// What a retry costs, in thousandths of a token.
const PRICE: u64 = 1_000;
/// A timeout has held its place for the whole time, and the provider may well have done the work: a
/// retry after it loads both sides twice as much as one after a quick refusal.
const TIMEOUT_PRICE: u64 = 2_000;

/// How a [`RetryBudget`] is measured, in tokens: a retry takes one, after a timeout two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetSettings {
    /// What each first try puts in: 0.15 by default, so that retries add up to 15 % of the load.
    pub deposit: f64,
    /// How many tokens it holds at most: 100 by default.
    pub capacity: f64,
    /// With how many tokens it starts, and up to how many it fills by itself, so that a service that is
    /// seldom called can retry too: 10 by default.
    pub reserve: f64,
    /// How long a token of the reserve takes to come back: 30 s by default; zero for never.
    pub refill: Duration,
    /// The share of its price that a retry which succeeds gives back: 0.5 by default. It was worth it,
    /// but it was still a second call.
    pub refund: f64,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { deposit: 0.15, capacity: 100.0, reserve: 10.0, refill: Duration::from_secs(30), refund: 0.5 }
    }
}

/// The retries that all calls to a service share.
///
/// ```
/// use std::time::Duration;
/// use integrations_core::resilience::RetryBudget;
/// use integrations_core::{Error, ErrorKind};
///
/// let budget = RetryBudget::default();
/// let (now, error) = (Duration::ZERO, Error::from(ErrorKind::ServiceUnavailable));
/// budget.deposit();
/// let token = budget.withdraw(&error, now).expect("the reserve is full");
/// // ... the retry succeeds:
/// budget.refund(token);
/// assert!((budget.state().tokens - 9.65).abs() < 1e-9);
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    deposit: u64,
    capacity: u64,
    reserve: u64,
    refill: Duration,
    /// In thousandths of the price.
    refund: u64,
    account: Mutex<Account>,
}

#[derive(Debug, Clone, Copy)]
struct Account {
    /// In thousandths of a token, so that sums are exact.
    tokens: u64,
    /// Up to when the reserve has been filled.
    filled: Option<Duration>,
    withdrawn: u64,
    refused: u64,
}

/// The leave for one retry. Give it back with [`RetryBudget::refund`] when the retry succeeds; else drop it.
#[derive(Debug)]
#[must_use]
pub struct RetryToken {
    price: u64,
}

/// How a [`RetryBudget`] stands, for metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct BudgetState {
    /// How many tokens are left.
    pub tokens: f64,
    /// How many retries were allowed so far.
    pub withdrawn: u64,
    /// How many retries were refused so far.
    pub refused: u64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(BudgetSettings::default())
    }
}

impl RetryBudget {
    /// A budget with its reserve full. Settings that make no sense (negative, not a number, a reserve
    /// above the capacity) are pulled to the nearest that do.
    pub fn new(settings: BudgetSettings) -> Self {
        let capacity = thousandths(settings.capacity);
        let reserve = thousandths(settings.reserve).min(capacity);
        Self {
            deposit: thousandths(settings.deposit),
            capacity,
            reserve,
            refill: settings.refill,
            refund: thousandths(settings.refund).min(1_000),
            account: Mutex::new(Account { tokens: reserve, filled: None, withdrawn: 0, refused: 0 }),
        }
    }

    /// Counts the first try of a call.
    pub fn deposit(&self) {
        self.put(self.deposit);
    }

    /// Asks for leave to retry after this error; `None` if the budget does not allow it.
    ///
    /// `now` is [monotonic time](crate::clock::Clock::monotonic).
    pub fn withdraw(&self, error: &Error, now: Duration) -> Option<RetryToken> {
        let price = if error.kind() == ErrorKind::Timeout { TIMEOUT_PRICE } else { PRICE };
        let mut account = self.account();
        self.fill_reserve(&mut account, now);
        let Some(left) = account.tokens.checked_sub(price) else {
            account.refused += 1;
            return None;
        };
        account.tokens = left;
        account.withdrawn += 1;
        Some(RetryToken { price })
    }

    /// Gives back a part of the price of a retry that succeeded.
    #[allow(clippy::needless_pass_by_value, reason = "a token is given back once")]
    pub fn refund(&self, token: RetryToken) {
        self.put(token.price * self.refund / 1_000);
    }

    /// How it stands.
    pub fn state(&self) -> BudgetState {
        let account = *self.account();
        #[allow(clippy::cast_precision_loss, reason = "shown, not counted with")]
        let tokens = account.tokens as f64 / 1_000.0;
        BudgetState { tokens, withdrawn: account.withdrawn, refused: account.refused }
    }

    fn put(&self, tokens: u64) {
        let mut account = self.account();
        account.tokens = account.tokens.saturating_add(tokens).min(self.capacity);
    }

    fn fill_reserve(&self, account: &mut Account, now: Duration) {
        let filled = *account.filled.get_or_insert(now);
        let passed = now.saturating_sub(filled).as_nanos();
        let refill = self.refill.as_nanos();
        let grown = (passed * 1_000).checked_div(refill).unwrap_or(0);
        if grown > 0 {
            // What is left over below a thousandth goes on adding up.
            let rest = u64::try_from(passed - grown * refill / 1_000).unwrap_or(0);
            account.filled = Some(now.saturating_sub(Duration::from_nanos(rest)));
            if account.tokens < self.reserve {
                let grown = u64::try_from(grown).unwrap_or(u64::MAX);
                account.tokens = account.tokens.saturating_add(grown).min(self.reserve);
            }
        }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn thousandths(tokens: f64) -> u64 {
    /// More than anybody means, and far from where sums overflow.
    const MOST: f64 = 1e9;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 ..= 1e12")]
    let thousandths = (tokens.clamp(0.0, MOST) * 1_000.0).round() as u64;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_000);

    fn failed() -> Error {
        ErrorKind::ServiceUnavailable.into()
    }

    fn tokens(budget: &RetryBudget) -> f64 {
        budget.state().tokens
    }

    #[test]
    fn a_provider_that_fails_for_ten_minutes_gets_no_more_than_the_budget() {
        for per_second in [1_u32, 10, 100] {
            let budget = RetryBudget::default();
            let (mut first, mut extra) = (0_u32, 0_u32);
            for second in 0..600 {
                let now = START + Duration::from_secs(second);
                for _ in 0..per_second {
                    budget.deposit();
                    first += 1;
                    for _ in 0..3 {
                        extra += u32::from(budget.withdraw(&failed(), now).is_some());
                    }
                }
            }
            let bound = 10.0 + 600.0 / 30.0 + 0.15 * f64::from(first);
            assert!(f64::from(extra) <= bound, "{per_second}/s: {extra} extra calls, {bound} allowed");
            assert!(extra > first / 10, "{per_second}/s: {extra} extra calls of {first}: it starves");
            assert_eq!(budget.state().withdrawn, u64::from(extra));
        }
    }

    #[test]
    fn a_seldom_called_service_can_retry_again_after_a_while() {
        let budget = RetryBudget::new(BudgetSettings { deposit: 0.0, ..BudgetSettings::default() });
        let retries = |now| std::iter::from_fn(|| budget.withdraw(&failed(), now)).count();
        assert_eq!(retries(START), 10);
        assert_eq!(retries(START + Duration::from_secs(29)), 0);
        assert_eq!(retries(START + Duration::from_secs(30)), 1);
        assert_eq!(retries(START), 0, "time that runs backwards gives nothing");
        assert_eq!(retries(START + Duration::from_secs(1_000_000)), 10, "no more than the reserve");
    }

    #[test]
    fn a_timeout_costs_double_and_half_comes_back_on_success() {
        let budget = RetryBudget::default();
        let token = budget.withdraw(&ErrorKind::Timeout.into(), START).unwrap();
        assert!((tokens(&budget) - 8.0).abs() < 1e-9);
        budget.refund(token);
        assert!((tokens(&budget) - 9.0).abs() < 1e-9);
    }

    #[test]
    fn the_capacity_holds_and_settings_without_sense_are_mended() {
        let budget = RetryBudget::default();
        (0..10_000).for_each(|_| budget.deposit());
        assert!((tokens(&budget) - 100.0).abs() < 1e-9);
        let budget = RetryBudget::new(BudgetSettings {
            deposit: f64::NAN,
            capacity: 1.0,
            reserve: f64::INFINITY,
            refill: Duration::ZERO,
            refund: -3.0,
        });
        budget.deposit();
        assert!((tokens(&budget) - 1.0).abs() < 1e-9);
        budget.refund(budget.withdraw(&failed(), START).unwrap());
        assert!(budget.withdraw(&failed(), Duration::MAX).is_none());
        assert_eq!(budget.state().refused, 1);
    }
}
