//! What does the text of one recurrence rule say?
//!
//! The forms that providers send are brought to one form here, so that what works dates out meets
//! nothing but numbers in range.

use chrono::Weekday;

use super::dates::{Stamp, invalid};
use crate::error::{Error, ErrorKind, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Freq {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// One recurrence rule of RFC 5545. Every number is in its range, every list sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Its head, for errors.
    pub(super) text: String,
    pub(super) freq: Freq,
    pub(super) interval: u32,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Stamp>,
    pub(super) week_start: Weekday,
    pub(super) by_month: Vec<i16>,
    pub(super) by_week_no: Vec<i16>,
    pub(super) by_year_day: Vec<i16>,
    pub(super) by_month_day: Vec<i16>,
    /// Which one of the month or year, or 0 for each, and the day of the week counted from Monday.
    pub(super) by_day: Vec<(i16, u8)>,
    pub(super) by_hour: Vec<i16>,
    pub(super) by_minute: Vec<i16>,
    pub(super) by_second: Vec<i16>,
    pub(super) by_set_pos: Vec<i16>,
}

/// The words of weekdays, in the order of `chrono::Weekday`.
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

impl Rule {
    /// Reads the value of an RRULE or EXRULE.
    ///
    /// # Errors
    ///
    /// `recurrence_invalid` for what cannot be read, `recurrence_unsupported` for what is known yet
    /// not done.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let upper = text.to_ascii_uppercase();
        let mut parts = Parts { list: Vec::new() };
        // Some senders end with a semicolon or double one; nothing is lost by reading over it.
        for part in upper.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| unreadable(text, "a part without `=`"))?;
            let (name, value) = (name.trim(), value.trim());
            match parts.get(name) {
                Some(earlier) if earlier == value => {}
                Some(_) => return Err(unreadable(text, "a part that comes twice")),
                None => parts.list.push((name, value)),
            }
        }
        parts.refuse_unknown(text)?;
        parts.rule(text).map_err(|part| unreadable(text, part))
    }

    /// Whether it has nothing but FREQ, INTERVAL, COUNT and UNTIL.
    pub(super) fn is_plain(&self) -> bool {
        !self.has_day_parts()
            && self.by_month.is_empty()
            && self.by_hour.is_empty()
            && self.by_minute.is_empty()
            && self.by_second.is_empty()
            && self.by_set_pos.is_empty()
    }

    /// Whether it says which days of its year, month or week it means.
    pub(super) fn has_day_parts(&self) -> bool {
        !(self.by_week_no.is_empty()
            && self.by_year_day.is_empty()
            && self.by_month_day.is_empty()
            && self.by_day.is_empty())
    }
}

/// The parts of a rule, each once, in upper case.
struct Parts<'a> {
    list: Vec<(&'a str, &'a str)>,
}

const KNOWN_BY: [&str; 9] =
    ["BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS"];

impl Parts<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.list.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    fn refuse_unknown(&self, text: &str) -> Result<()> {
        for (name, value) in &self.list {
            let refused = match *name {
                "RSCALE" => *value != "GREGORIAN",
                "SKIP" => *value != "OMIT",
                name => name.starts_with("BY") && !KNOWN_BY.contains(&name),
            };
            if refused {
                return Err(unsupported(text, "RSCALE, SKIP or an unknown BY part"));
            }
        }
        Ok(())
    }

    /// The rule, or the name of the part that cannot be read.
    fn rule(&self, text: &str) -> Result<Rule, &'static str> {
        let freq = match self.get("FREQ") {
            Some("YEARLY") => Freq::Yearly,
            Some("MONTHLY") => Freq::Monthly,
            Some("WEEKLY") => Freq::Weekly,
            Some("DAILY") => Freq::Daily,
            Some("HOURLY") => Freq::Hourly,
            Some("MINUTELY") => Freq::Minutely,
            Some("SECONDLY") => Freq::Secondly,
            _ => return Err("FREQ"),
        };
        let until = match self.get("UNTIL") {
            None => None,
            Some(value) => Some(Stamp::parse(value).ok_or("UNTIL")?),
        };
        let week_start = match self.get("WKST") {
            None => Weekday::Mon,
            Some(value) => WEEKDAYS.iter().find(|(word, _)| *word == value).ok_or("WKST")?.1,
        };
        Ok(Rule {
            text: excerpt(text),
            freq,
            interval: self.positive("INTERVAL")?.unwrap_or(1),
            count: self.positive("COUNT")?,
            until,
            week_start,
            by_month: self.numbers("BYMONTH", 1, 12)?,
            by_week_no: self.numbers("BYWEEKNO", -53, 53)?,
            by_year_day: self.numbers("BYYEARDAY", -366, 366)?,
            by_month_day: self.numbers("BYMONTHDAY", -31, 31)?,
            by_day: self.days(freq)?,
            by_hour: self.numbers("BYHOUR", 0, 23)?,
            by_minute: self.numbers("BYMINUTE", 0, 59)?,
            by_second: self.numbers("BYSECOND", 0, 59)?,
            by_set_pos: self.numbers("BYSETPOS", -366, 366)?,
        })
    }

    fn positive(&self, name: &'static str) -> Result<Option<u32>, &'static str> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match digits(value) {
            Some(number) if number > 0 => Ok(Some(number)),
            _ => Err(name),
        }
    }

    fn numbers(&self, name: &'static str, min: i16, max: i16) -> Result<Vec<i16>, &'static str> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let mut numbers = Vec::new();
        for word in value.split(',').map(str::trim) {
            let number = signed(word).ok_or(name)?;
            // Where negative numbers count from the end, nothing is the zeroth.
            if !(min..=max).contains(&number) || (min < 0 && number == 0) {
                return Err(name);
            }
            numbers.push(number);
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    fn days(&self, freq: Freq) -> Result<Vec<(i16, u8)>, &'static str> {
        let Some(value) = self.get("BYDAY") else { return Ok(Vec::new()) };
        let mut days = Vec::new();
        for word in value.split(',').map(str::trim) {
            let cut = word.len().checked_sub(2).filter(|cut| word.is_char_boundary(*cut)).ok_or("BYDAY")?;
            let (nth, name) = word.split_at(cut);
            let weekday = WEEKDAYS.iter().find(|(other, _)| *other == name).ok_or("BYDAY")?.1;
            let nth = if nth.is_empty() { 0 } else { signed(nth).filter(|nth| *nth != 0).ok_or("BYDAY")? };
            let most = if freq == Freq::Monthly { 5 } else { 53 };
            if nth.abs() > most {
                return Err("BYDAY");
            }
            // Only a month or a year has a first Monday. RFC 5545 forbids the number elsewhere, and
            // whoever sends it all the same means each Monday.
            let nth = if freq > Freq::Monthly { 0 } else { nth };
            days.push((nth, u8::try_from(weekday.num_days_from_monday()).unwrap_or(0)));
        }
        days.sort_unstable();
        days.dedup();
        Ok(days)
    }
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn signed(text: &str) -> Option<i16> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = i16::try_from(digits(rest)?).ok()?;
    Some(if negative { -number } else { number })
}

/// As much of a rule as an error shows: rules hold no names or texts of users, but may be of any length.
fn excerpt(rule: &str) -> String {
    rule.chars().take(120).map(|char| if char.is_ascii_graphic() { char } else { '?' }).collect()
}

fn unreadable(rule: &str, part: &str) -> Error {
    invalid(format!("{part} cannot be read in the rule {}", excerpt(rule)))
}

/// The error for what is known, yet not done.
pub(super) fn unsupported(rule: &str, what: &str) -> Error {
    let message = format!("{what} is not supported in the rule {}", excerpt(rule));
    Error::new(ErrorKind::UnsupportedOperation, message).with_code("recurrence_unsupported")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_blanks_and_stray_semicolons_are_read_over() {
        let read = |text: &str| Rule { text: String::new(), ..Rule::parse(text).unwrap() };
        let odd = read("freq=weekly;;byday= mo,TU ;until=20260301t090000z; X-FOO=1;");
        assert_eq!(odd, read("FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20260301T090000Z"));
        assert_eq!(read("FREQ=DAILY;RSCALE=GREGORIAN;SKIP=OMIT;NEWPART=1"), read("FREQ=DAILY"));
    }

    #[test]
    fn what_is_out_of_range_or_garbage_is_invalid() {
        for rule in [
            "",
            "DAILY",
            "FREQ=OFTEN",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=-1",
            "FREQ=DAILY;INTERVAL=",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;COUNT=99999999999",
            "FREQ=DAILY;FREQ=WEEKLY",
            "FREQ=DAILY;UNTIL=",
            "FREQ=DAILY;UNTIL=tomorrow",
            "FREQ=DAILY;UNTIL=20260230",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "FREQ=MONTHLY;BYDAY=6MO",
            "FREQ=YEARLY;BYDAY=54TU",
            "FREQ=YEARLY;BYDAY=1UZ",
            "FREQ=YEARLY;BYDAY=é",
            "FREQ=YEARLY;BYDAY=",
            "FREQ=YEARLY;BYMONTH=13",
            "FREQ=YEARLY;BYMONTH=0",
            "FREQ=YEARLY;BYHOUR=24",
            "FREQ=YEARLY;BYHOUR=-1",
            "FREQ=YEARLY;BYSECOND=60",
            "FREQ=YEARLY;WKST=1",
        ] {
            let error = Rule::parse(rule).unwrap_err();
            assert_eq!(error.provider_code(), Some("recurrence_invalid"), "{rule}");
            assert_eq!(error.kind(), ErrorKind::DataFormat);
        }
    }

    #[test]
    fn what_would_change_the_dates_unseen_is_unsupported() {
        for rule in ["FREQ=YEARLY;BYEASTER=0", "FREQ=YEARLY;RSCALE=HEBREW", "FREQ=MONTHLY;SKIP=FORWARD"] {
            let error = Rule::parse(rule).unwrap_err();
            assert_eq!(error.provider_code(), Some("recurrence_unsupported"), "{rule}");
        }
    }

    #[test]
    fn an_error_shows_no_more_than_the_head_of_the_rule() {
        let error = Rule::parse(&format!("FREQ=DAILY;BYHOUR={}\r\n", "é".repeat(500))).unwrap_err();
        assert!(error.to_string().len() < 300, "{error}");
        assert!(error.message().chars().all(|char| !char.is_control()), "{error}");
    }
}
