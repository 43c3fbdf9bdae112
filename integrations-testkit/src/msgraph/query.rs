//! Which parameters does a request carry, and may it?

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use super::errors::Refusal;
use crate::params::Params;
use crate::server::Call;

/// The parameters of a request. The names of Graph's own functions are read in any case, as there.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(call: &Call) -> Self {
        let plain = |(name, value): (&str, &str)| {
            let known = ["startDateTime", "endDateTime", "includeHiddenFolders", "changeType"];
            let spelt = known.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
            (spelt.unwrap_or(name).to_owned(), value.to_owned())
        };
        Self(Params::parse(call.query.as_bytes()).iter().map(plain).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Refuses what is not among these, and what stands twice.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        for (index, name) in self.names().enumerate() {
            if !known.contains(&name) {
                return Err(Refusal::unsupported(&format!("the parameter {name:?} here")));
            }
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                let message =
                    format!("Query parameter '{name}' is specified, but it should be specified only once.");
                return Err(Refusal::new(400, "BadRequest", message));
            }
        }
        Ok(())
    }

    /// A time of ISO 8601 in milliseconds; without an offset it is UTC.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let wrong =
            || Refusal::parameter(format!("The value of the parameter '{name}' is not a valid time."));
        time(text).map(Some).ok_or_else(wrong)
    }

    /// The window that a calendar view must have.
    pub(super) fn window(&self) -> Result<(i64, i64), Refusal> {
        let missing = "This request requires a time window specified by the query string parameters \
                       StartDateTime and EndDateTime.";
        let (Some(start), Some(end)) = (self.time("startDateTime")?, self.time("endDateTime")?) else {
            return Err(Refusal::parameter(missing));
        };
        if start >= end {
            let wrong = "The value of 'EndDateTime' must be later than that of 'StartDateTime'.";
            return Err(Refusal::parameter(wrong));
        }
        Ok((start, end))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::parameter(format!("The value of the parameter '{name}' is not valid."))),
        }
    }

    /// `$top`, which has to lie between 1 and 1000.
    pub(super) fn top(&self) -> Result<Option<usize>, Refusal> {
        match self.number("$top")? {
            Some(0 | 1_001..) => {
                let text = "The limit of '1000' for Top query has been exceeded, or it is not positive.";
                Err(Refusal::new(400, "BadRequest", text))
            }
            top => Ok(top.and_then(|top| usize::try_from(top).ok())),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let message = || {
            format!(
                "Invalid value '{text}' for {name} query option found: it requires a non-negative integer value."
            )
        };
        text.parse().map(Some).map_err(|_| Refusal::new(400, "BadRequest", message()))
    }
}

/// A time with an offset, or without one, which means UTC, or a day.
pub(super) fn time(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let naive = text.parse::<NaiveDateTime>().ok();
    let naive = naive.or_else(|| text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN)));
    naive.map(|time| time.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_offsets() {
        assert_eq!(time("2026-03-08T09:00:00Z"), Some(1_772_960_400_000));
        assert_eq!(time("2026-03-08T10:00:00+01:00"), Some(1_772_960_400_000));
        assert_eq!(time("2026-03-08T09:00:00.0000000"), Some(1_772_960_400_000));
        assert_eq!(time("2026-03-08"), Some(1_772_928_000_000));
        // A plus sign that was not encoded.
        assert_eq!(time("2026-03-08T10:00:00 01:00"), None);
        assert_eq!(time("next week"), None);
    }
}
