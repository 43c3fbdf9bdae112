//! How long does the provider ask to wait, and how much of its quota is left?
//!
//! Providers say it in many ways: seconds, three forms of date, an epoch, a sentence. This file reads
//! them all and judges none: a cap on absurd values is the [retry policy's](super::ExponentialRetry).
//!
//! A point in time is read on the provider's clock, which its `Date` header shows: on a machine whose
//! clock runs ahead, "not before 9:00" must not come early.

use std::time::Duration;

use chrono::{DateTime, Datelike, Days, Months, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use http::header::{AsHeaderName, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};

/// Longer than any provider means, and short enough to be added to any time: 100 years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);
/// Clocks that differ by more are not compared: one of them is not set at all.
const MOST_SKEW: TimeDelta = TimeDelta::days(1);
/// The families of quota headers: GitHub and Zoom, others, and draft-ietf-httpapi-ratelimit-headers
/// (Microsoft Graph).
static QUOTA_HEADERS: [[HeaderName; 3]; 3] = [
    named(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
    named(["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"]),
    named(["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]),
];

/// Names that are read once, not at every answer.
const fn named(names: [&'static str; 3]) -> [HeaderName; 3] {
    let [limit, remaining, reset] = names;
    [HeaderName::from_static(limit), HeaderName::from_static(remaining), HeaderName::from_static(reset)]
}

/// What a provider says of its quota. Each part is there if the provider named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaHint {
    /// How many calls, or units, a period allows.
    pub limit: Option<u64>,
    /// How many are left of this period.
    pub remaining: Option<u64>,
    /// When the next period begins, on this machine's clock; never in the past.
    pub resets_at: Option<DateTime<Utc>>,
}

/// The least time to wait before the next call that the provider names, or `None` if it names none.
///
/// It reads, and the longest wins where there are several:
///
/// | Where | Form | Seen at |
/// |---|---|---|
/// | `Retry-After` | seconds, whole or with a fraction | Slack, GitHub, Microsoft Graph |
/// | `Retry-After` | an HTTP date, all three forms (RFC 9110, 5.6.7 and 10.2.3) | Microsoft Graph |
/// | `Retry-After` | an ISO 8601 date-time; UTC if it names no offset | Zoom |
/// | `x-ms-retry-after-ms`, `retry-after-ms` | milliseconds | Microsoft |
/// | `x-ratelimit-reset`, with `x-ratelimit-remaining: 0` | seconds since 1970, or from now | GitHub, Zoom |
/// | `body_message` | "... Retry after" and an RFC 3339 date-time | Gmail |
///
/// A time in the past is a wait of zero; what cannot be read counts as absent. The result is as the
/// provider wrote it, up to 100 years: cap it before you wait.
///
/// `now` is this machine's wall clock. Where the answer carries a `Date` header that is less than a day
/// off, points in time are read on the provider's clock instead.
pub fn retry_after(headers: &HeaderMap, body_message: Option<&str>, now: DateTime<Utc>) -> Option<Duration> {
    let there = provider_time(headers, now);
    let header = texts(headers, RETRY_AFTER).filter_map(|text| wait(text, there));
    let millis = ["x-ms-retry-after-ms", "retry-after-ms"]
        .into_iter()
        .flat_map(|name| texts(headers, name))
        .filter_map(|text| seconds(text).map(|millis| millis / 1_000));
    let exhausted = QUOTA_HEADERS.iter().filter_map(|[_, remaining, reset]| {
        (count(headers, remaining)? == 0).then_some(())?;
        until_reset(headers, reset, there)
    });
    let sentence = body_message.and_then(|message| in_sentence(message, there));
    header.chain(millis).chain(exhausted).chain(sentence).max().map(|wait| wait.min(LONGEST))
}

/// What the provider says of its quota: `x-ratelimit-limit`, `-remaining` and `-reset`, or the same
/// names with `x-rate-limit-` or `ratelimit-`. `None` if it names neither a limit nor what is left.
///
/// A reset is taken for seconds since 1970, or, if it is too small to be a date of this century, for
/// seconds from now.
pub fn quota(headers: &HeaderMap, now: DateTime<Utc>) -> Option<QuotaHint> {
    QUOTA_HEADERS.iter().find_map(|[limit, remaining, reset]| {
        let (limit, remaining) = (count(headers, limit), count(headers, remaining));
        if limit.is_none() && remaining.is_none() {
            return None;
        }
        // Most answers name no quota: only one that does has its date read.
        let there = provider_time(headers, now);
        let wait = until_reset(headers, reset, there).map(|wait| wait.min(LONGEST));
        let resets_at = wait.and_then(|wait| now.checked_add_signed(TimeDelta::from_std(wait).ok()?));
        Some(QuotaHint { limit, remaining, resets_at })
    })
}

/// The time until the next midnight in UTC, where some daily quotas begin anew (Zoom's, per user).
pub fn until_utc_midnight(now: DateTime<Utc>) -> Duration {
    let midnight = now.date_naive().checked_add_days(Days::new(1)).map(|day| day.and_time(NaiveTime::MIN));
    midnight.map_or(Duration::ZERO, |midnight| from(now, midnight.and_utc()))
}

fn texts<N: AsHeaderName>(headers: &HeaderMap, name: N) -> impl Iterator<Item = &str> + use<'_, N> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).map(str::trim)
}

fn provider_time(headers: &HeaderMap, now: DateTime<Utc>) -> DateTime<Utc> {
    texts(headers, DATE)
        .find_map(|text| http_date(text, now))
        .filter(|there| (*there - now).abs() <= MOST_SKEW)
        .unwrap_or(now)
}

fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    seconds(text).or_else(|| Some(from(now, http_date(text, now).or_else(|| iso_date(text))?)))
}

/// From one time to another; zero if the other lies before it.
fn from(now: DateTime<Utc>, at: DateTime<Utc>) -> Duration {
    (at - now).to_std().unwrap_or_default()
}

/// A number of seconds without a sign, with or without a fraction.
fn seconds(text: &str) -> Option<Duration> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let points = text.bytes().filter(|byte| *byte == b'.').count();
    if digits == 0 || points > 1 || digits + points != text.len() {
        return None;
    }
    if let Ok(whole) = text.parse() {
        return Some(Duration::from_secs(whole));
    }
    // What does not fit is absurd, but it is a number, and it means "do not come back".
    Some(Duration::try_from_secs_f64(text.parse().ok()?).unwrap_or(LONGEST))
}

/// The number that a quota header begins with: drafts of the standard let parameters follow it.
fn count(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    texts(headers, name).find_map(|text| {
        let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    })
}

fn until_reset(headers: &HeaderMap, name: &HeaderName, now: DateTime<Utc>) -> Option<Duration> {
    /// Before 2001, in seconds; in milliseconds, before the year 33658.
    const AN_EPOCH: u64 = 1_000_000_000;
    texts(headers, name).find_map(|text| {
        let given = seconds(text)?;
        let since_1970 = match given.as_secs() {
            ..AN_EPOCH => return Some(given),
            secs if secs >= AN_EPOCH * 1_000 => given / 1_000,
            _ => given,
        };
        let at = DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::from_std(since_1970).ok()?)?;
        Some(from(now, at))
    })
}

/// The three forms of RFC 9110, 5.6.7. A wrong day of the week is not minded.
fn http_date(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Some((_, date)) = text.split_once(", ") {
        return imf_fixdate(date).or_else(|| rfc850_date(date, now));
    }
    // asctime: Sun Nov  6 08:49:37 1994
    let (_, date) = text.split_once(' ')?;
    Some(NaiveDateTime::parse_from_str(date.trim_start(), "%b %e %H:%M:%S %Y").ok()?.and_utc())
}

/// 06 Nov 1994 08:49:37 GMT
fn imf_fixdate(date: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(date).ok().map(|date| date.to_utc())
}

/// 06-Nov-94 08:49:37 GMT
fn rfc850_date(date: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    const CENTURY: Months = Months::new(1_200);
    let mut date = NaiveDateTime::parse_from_str(date, "%d-%b-%y %H:%M:%S GMT").ok()?.and_utc();
    // A date that appears to be more than 50 years ahead lies in the past (RFC 9110, 5.6.7).
    while date.year() + 50 <= now.year() {
        date = date.checked_add_months(CENTURY)?;
    }
    while date > now.checked_add_months(Months::new(600))? {
        date = date.checked_sub_months(CENTURY)?;
    }
    Some(date)
}

fn iso_date(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.to_utc());
    }
    if let Ok(date) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(date.to_utc());
    }
    Some(NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc())
}

/// "User-rate limit exceeded.  Retry after 2026-03-01T09:15:30.123Z (Mail sending)"
fn in_sentence(message: &str, now: DateTime<Utc>) -> Option<Duration> {
    const WORDS: &str = "retry after";
    // ASCII lowering keeps every byte's place.
    let lower = message.to_ascii_lowercase();
    lower.match_indices(WORDS).find_map(|(at, _)| {
        let word = message[at + WORDS.len()..].trim_start_matches([' ', ':']).split_whitespace().next()?;
        let word = word.trim_matches(|char: char| !char.is_ascii_alphanumeric());
        Some(from(now, iso_date(word)?))
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    const NOW: &str = "2026-03-01T09:00:00Z";

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn read(pairs: &[(&'static str, &'static str)]) -> Option<f64> {
        retry_after(&headers(pairs), None, at(NOW)).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        let table: &[(&str, Option<f64>)] = &[
            // Seconds.
            ("0", Some(0.0)),
            ("120", Some(120.0)),
            (" 120 ", Some(120.0)),
            ("007", Some(7.0)),
            ("1.5", Some(1.5)),
            (".25", Some(0.25)),
            ("2.", Some(2.0)),
            ("99999999999999999999999", Some(LONGEST.as_secs_f64())),
            ("18446744073709551615", Some(LONGEST.as_secs_f64())),
            // HTTP dates.
            ("Sun, 01 Mar 2026 09:02:00 GMT", Some(120.0)),
            ("Sun, 01 Mar 2026 10:02:00 +0100", Some(120.0)),
            ("Mon, 01 Mar 2026 09:02:00 GMT", Some(120.0)),
            ("Sunday, 01-Mar-26 09:02:00 GMT", Some(120.0)),
            ("Sun Mar  1 09:02:00 2026", Some(120.0)),
            ("Tue Mar 31 09:00:00 2026", Some(30.0 * 86_400.0)),
            // The past.
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0.0)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(0.0)),
            ("Saturday, 01-Jan-77 00:00:00 GMT", Some(0.0)),
            ("Sun Nov  6 08:49:37 1994", Some(0.0)),
            // Dates of ISO 8601.
            ("2026-03-02T00:00:00Z", Some(54_000.0)),
            ("2026-03-01T10:02:00+01:00", Some(120.0)),
            ("2026-03-01T10:02:00.500+0100", Some(120.5)),
            ("2026-03-01T09:00:30", Some(30.0)),
            ("2026-03-01T09:00:00.250Z", Some(0.25)),
            ("2026-02-28T00:00:00Z", Some(0.0)),
            // Nonsense.
            ("", None),
            ("-5", None),
            ("+5", None),
            ("1e3", None),
            ("1.2.3", None),
            (".", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("later, perhaps", None),
            ("5 seconds", None),
            ("Sun, 99 Mar 2026 09:02:00 GMT", None),
            ("2026-13-01T00:00:00Z", None),
        ];
        for (text, wait) in table {
            assert_eq!(read(&[("retry-after", text)]), *wait, "{text:?}");
        }
        let bytes = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_bytes(b"\xff\xfe").unwrap())]);
        assert_eq!(retry_after(&bytes, None, at(NOW)), None);
    }

    #[test]
    fn two_digits_of_a_year_mean_the_next_fifty_years_or_the_past() {
        let year = |text, now| http_date(text, at(now)).unwrap().year();
        assert_eq!(year("Sunday, 01-Mar-75 00:00:00 GMT", NOW), 2075);
        assert_eq!(year("Sunday, 01-Mar-77 00:00:00 GMT", NOW), 1977);
        assert_eq!(year("Sunday, 01-Mar-05 00:00:00 GMT", "2070-01-01T00:00:00Z"), 2105);
    }

    #[test]
    fn other_headers_are_read_and_the_longest_wait_wins() {
        // 2026-03-01T09:10:00Z
        const RESET: (&str, &str) = ("x-ratelimit-reset", "1772356200");
        const EMPTY: (&str, &str) = ("x-ratelimit-remaining", "0");
        type Case = (&'static [(&'static str, &'static str)], Option<f64>);
        let table: &[Case] = &[
            (&[], None),
            (&[("x-ms-retry-after-ms", "1500")], Some(1.5)),
            (&[("x-ms-retry-after-ms", "1500"), ("retry-after", "1")], Some(1.5)),
            (&[("retry-after", "3"), ("retry-after", "nonsense"), ("retry-after", "9")], Some(9.0)),
            (&[RESET, EMPTY], Some(600.0)),
            (&[("x-ratelimit-reset", "1772356200000"), EMPTY], Some(600.0)),
            (&[("x-ratelimit-reset", "30"), EMPTY], Some(30.0)),
            (&[("ratelimit-reset", "7"), ("ratelimit-remaining", "0")], Some(7.0)),
            (&[("x-ratelimit-reset", "1000000000"), EMPTY], Some(0.0)),
            (&[RESET, ("x-ratelimit-remaining", "1")], None),
            (&[RESET, ("x-ratelimit-remaining", "00")], Some(600.0)),
            (&[RESET], None),
            (&[EMPTY], None),
            (&[RESET, EMPTY, ("retry-after", "60")], Some(600.0)),
            (&[RESET, EMPTY, ("retry-after", "3600")], Some(3600.0)),
            (&[RESET, ("ratelimit-remaining", "0")], None),
        ];
        for (pairs, wait) in table {
            assert_eq!(read(pairs), *wait, "{pairs:?}");
        }
    }

    #[test]
    fn a_point_in_time_is_read_on_the_providers_clock() {
        let until = ("retry-after", "Sun, 01 Mar 2026 09:02:00 GMT");
        assert_eq!(read(&[until, ("date", "Sun, 01 Mar 2026 08:50:00 GMT")]), Some(720.0));
        assert_eq!(read(&[until, ("date", "Sun, 01 Mar 2026 09:30:00 GMT")]), Some(0.0));
        assert_eq!(read(&[until, ("date", "Fri, 09 Jan 1970 00:00:00 GMT")]), Some(120.0));
        assert_eq!(read(&[until, ("date", "nonsense")]), Some(120.0));
        assert_eq!(read(&[("retry-after", "5"), ("date", "Sun, 01 Mar 2026 08:50:00 GMT")]), Some(5.0));
    }

    #[test]
    fn a_sentence_is_read() {
        let read = |text| retry_after(&HeaderMap::new(), Some(text), at(NOW)).map(|wait| wait.as_millis());
        let table = [
            ("User-rate limit exceeded.  Retry after 2026-03-01T09:15:30.123Z", Some(930_123)),
            ("User-rate limit exceeded.  Retry after 2026-03-01T09:15:30.123Z (Mail sending)", Some(930_123)),
            ("limit; RETRY AFTER: 2026-03-01T10:00:10+01:00.", Some(10_000)),
            ("Retry after a while. Retry after 2026-03-01T09:00:01Z", Some(1_000)),
            ("Retry after 2020-01-01T00:00:00Z", Some(0)),
            ("Retry after lunch", None),
            ("ünïcode İ retry after", None),
            ("You have exceeded a secondary rate limit. Please wait a few minutes.", None),
            ("", None),
        ];
        for (text, wait) in table {
            assert_eq!(read(text), wait, "{text:?}");
        }
    }

    #[test]
    fn a_quota_is_read_as_far_as_it_is_named() {
        let read = |pairs: &[_]| quota(&headers(pairs), at(NOW));
        let full = read(&[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1772356200"),
        ]);
        let resets_at = Some(at("2026-03-01T09:10:00Z"));
        assert_eq!(full, Some(QuotaHint { limit: Some(5000), remaining: Some(4999), resets_at }));
        let draft = read(&[("ratelimit-limit", "100, 100;w=60"), ("ratelimit-remaining", "0")]);
        assert_eq!(draft, Some(QuotaHint { limit: Some(100), remaining: Some(0), resets_at: None }));
        let past = read(&[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "1700000000")]);
        assert_eq!(past.unwrap().resets_at, Some(at(NOW)));
        let skewed = read(&[
            ("x-ratelimit-remaining", "3"),
            ("x-ratelimit-reset", "1772356200"),
            ("date", "Sun, 01 Mar 2026 08:59:00 GMT"),
        ]);
        assert_eq!(skewed.unwrap().resets_at, Some(at("2026-03-01T09:11:00Z")));
        assert_eq!(read(&[("x-ratelimit-reset", "1772356200")]), None);
        assert_eq!(read(&[("x-ratelimit-limit", "many"), ("x-ratelimit-remaining", "-1")]), None);
    }

    #[test]
    fn the_next_day_begins_at_midnight() {
        assert_eq!(until_utc_midnight(at("2026-12-31T23:59:30Z")), Duration::from_secs(30));
        assert_eq!(until_utc_midnight(at("2026-03-01T00:00:00Z")), Duration::from_secs(86_400));
    }
}
