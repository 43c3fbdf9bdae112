//! What takes place in a stretch of time, once recurring events are spelled out?
//!
//! [`agenda`] takes events as they are stored (single ones, masters, exceptions, of any number of
//! calendars) and gives what somebody sees in a [`Window`]; [`occurrences`] gives the starts of one
//! series. Both are pure: the window comes from the caller, no clock is read.
//!
//! ```
//! use chrono::{TimeZone, Utc};
//! use integrations_core::calendar::{Limits, Window, agenda};
//! use integrations_core::model::{Event, EventTime, ZonedTime};
//!
//! let berlin = chrono_tz::Europe::Berlin;
//! let first = Utc.with_ymd_and_hms(2026, 3, 23, 8, 0, 0).unwrap();
//! let mut standup = Event::new("standup", "work", EventTime::At(ZonedTime::in_iana(first, berlin)));
//! standup.recurrence.push_line("RRULE:FREQ=WEEKLY;BYDAY=MO".to_owned());
//!
//! let window = Window {
//!     from: Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap(),
//!     to: Utc.with_ymd_and_hms(2026, 4, 1, 0, 0, 0).unwrap(),
//!     zone: berlin,
//! };
//! let agenda = agenda([&standup], &window, &Limits::default());
//! let starts: Vec<String> = agenda.occurrences.iter().map(|one| one.start.to_string()).collect();
//! // Nine o'clock stays nine o'clock, although summer time begins between the two.
//! assert_eq!(
//!     starts,
//!     ["2026-03-23T09:00:00+01:00[Europe/Berlin]", "2026-03-30T09:00:00+02:00[Europe/Berlin]"]
//! );
//! ```
//!
//! # How a series is read
//!
//! RFC 5545, and where it is silent or providers stray from it:
//!
//! | Question | Answer |
//! |---|---|
//! | In which zone does it repeat? | In the IANA zone of its start; with none, at the offset of its start. An all-day series repeats by days and never shifts. |
//! | A wall time that a clock change skips | moves on by the length of the gap; one that comes twice is the first of the two. |
//! | HOURLY, MINUTELY, SECONDLY over a clock change | count hours, minutes and seconds that pass, so that none is lost or doubled. BYHOUR and its kin look at the wall clock. |
//! | A start that its own rule does not give | is the first occurrence all the same, and COUNT counts it, as Google and Exchange do. EXDATE takes it out. Of several rules, it is enough that one gives it. |
//! | UNTIL before the start | ends that rule before its first occurrence. |
//! | UNTIL as a day, for a timed series | includes that day, in the series' zone. |
//! | UNTIL as a local time, for a zoned series | is a wall time in the series' zone. |
//! | UNTIL as a time, for an all-day series | is the day that is written there. |
//! | UNTIL and COUNT together | the earlier of the two ends the rule. |
//! | BYHOUR, BYMINUTE, BYSECOND in an all-day series | are ignored, as RFC 5545 asks. |
//! | Rule parts that begin with `X-`, or have an unknown name | are ignored; but an unknown `BY…` is refused, for it would change the dates. |
//! | BYxxx parts where RFC 5545 forbids them (BYMONTHDAY in a WEEKLY rule, …) | narrow the dates down. |
//! | BYWEEKNO without BYDAY | is all seven days of the week. |
//! | RDATE, EXDATE in a zone that is not of the IANA database | are read in the series' zone. |
//! | RDATE as a day, for a timed series | is that day at the series' wall time; EXDATE as a day takes out whatever starts on it. |
//! | RDATE as a period | gives its start; the length is that of the master. |
//! | How long is an occurrence? | Exactly as long as the master, in seconds that pass; an all-day one, in days. |
//!
//! # What is refused
//!
//! A series that cannot be read is a [`Failure`] and harms itself only. The codes
//! ([`Error::provider_code`](crate::Error::provider_code)):
//!
//! | Code | Kind | When |
//! |---|---|---|
//! | `recurrence_invalid` | `data_format` | A part or date cannot be read or is out of range, FREQ is missing, a part comes twice with two values, INTERVAL or COUNT is 0. |
//! | `recurrence_unsupported` | `unsupported_operation` | RSCALE other than GREGORIAN, SKIP other than OMIT, an unknown `BY…`; an hourly or finer rule for all-day events; what RFC 5545 forbids together with BYSETPOS; INTERVAL above 65535 in daily and coarser rules; BYDAY=-5.. in a MONTHLY rule, and more BYSETPOS than the period has days. |
//! | `recurrence_too_large` | `unsupported_operation` | Working it out would cost more than [`Limits`] allow. |
//!
//! # What it costs
//!
//! A rule without COUNT is taken up at the window, however long ago it began, and so is an hourly or
//! finer rule with nothing but FREQ, INTERVAL and COUNT. A rule with COUNT is walked from its start,
//! [`Limits::steps`] and a thousand years at most. Daily and coarser rules with more than 100 000 times
//! in one of their periods, and series with more than 16 rules, are refused.

mod agenda;
mod clock;
mod dates;
mod days;
mod filter;
mod limits;
mod reach;
mod rule;
mod series;
mod ticks;

pub use self::agenda::{Agenda, Failure, Occurrence, Starts, agenda, occurrences};
pub use self::limits::{Limits, Window};
