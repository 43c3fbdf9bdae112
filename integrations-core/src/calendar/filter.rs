//! Does a day satisfy the BYxxx parts of a rule that speak of days?

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

use super::rule::Rule;

/// Whether a day satisfies BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY and BYDAY, each read as a limit.
pub(super) fn day_matches(rule: &Rule, date: NaiveDate) -> bool {
    let month_length = date.num_days_in_month();
    (rule.by_month.is_empty() || rule.by_month.iter().any(|month| small(date.month()) == *month))
        && within(&rule.by_month_day, date.day(), u32::from(month_length))
        && within(&rule.by_year_day, date.ordinal(), if date.leap_year() { 366 } else { 365 })
        && (rule.by_day.is_empty()
            || rule.by_day.iter().any(|(_, day)| u32::from(*day) == date.weekday().num_days_from_monday()))
        && (rule.by_week_no.is_empty() || {
            let (week, weeks) = week_of_year(date, rule.week_start);
            within(&rule.by_week_no, week, weeks)
        })
}

/// Whether the `index`th of `length` is asked for, counted from either end.
fn within(wanted: &[i16], index: u32, length: u32) -> bool {
    let (index, length) = (small(index), small(length));
    wanted.is_empty() || wanted.contains(&index) || wanted.contains(&(index - length - 1))
}

fn small(number: u32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// The number of a day's week, and how many weeks its year has. Week 1 is the first with at least four
/// days in the year (RFC 5545, 3.3.10), so the week's fourth day decides which year it belongs to.
fn week_of_year(date: NaiveDate, week_start: Weekday) -> (u32, u32) {
    let first_of = |date: NaiveDate| date - TimeDelta::days(i64::from(date.weekday().days_since(week_start)));
    let year = (first_of(date) + TimeDelta::days(3)).year();
    let week_one = |year: i32| NaiveDate::from_ymd_opt(year, 1, 4).map_or(date, first_of);
    let weeks = |days: TimeDelta| u32::try_from(days.num_days() / 7).unwrap_or(0);
    (weeks(first_of(date) - week_one(year)) + 1, weeks(week_one(year + 1) - week_one(year)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_numbered_as_iso_8601_does() {
        let mut date = NaiveDate::from_ymd_opt(2008, 12, 1).unwrap();
        for _ in 0..5_000 {
            assert_eq!(week_of_year(date, Weekday::Mon).0, date.iso_week().week(), "{date}");
            date = date.succ_opt().unwrap();
        }
        assert_eq!(week_of_year(NaiveDate::from_ymd_opt(2020, 12, 31).unwrap(), Weekday::Mon), (53, 53));
    }
}
