//! How are things named on the server?

use integrations_core::queue::{JobId, JobKind, JobState};
use integrations_core::{Error, ErrorKind, Result};
use uuid::Uuid;

/// The streams and subjects of a queue.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) queue: String,
    /// The stream of the jobs that wait or run.
    pub(super) jobs: String,
    /// The stream of those that are over.
    pub(super) history: String,
}

impl Names {
    pub(super) fn new(queue: &str) -> Result<Self> {
        let letters =
            |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || matches!(one, '_' | '-');
        if queue.is_empty() || queue.len() > 63 || !queue.chars().all(letters) {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the queue's name is not made of at most 63 lower-case letters, digits, underscores and hyphens; \
                 give another one",
            )
            .with_code("invalid_name")
            .with_operation("nats.connect"));
        }
        let stream = queue.to_ascii_uppercase();
        Ok(Self {
            queue: queue.to_owned(),
            jobs: format!("{stream}_JOBS"),
            history: format!("{stream}_HISTORY"),
        })
    }

    /// All subjects of the stream of jobs.
    pub(super) fn all_jobs(&self) -> Vec<String> {
        ["slot.>", "count.>", "tick"].iter().map(|subject| format!("{}.{subject}", self.queue)).collect()
    }

    pub(super) fn all_history(&self) -> String {
        format!("{}.history.>", self.queue)
    }

    pub(super) fn slot(&self, kind: &JobKind, slot: u128) -> String {
        format!("{}.slot.{}.{slot:032x}", self.queue, token(kind))
    }

    pub(super) fn count(&self, kind: &JobKind) -> String {
        format!("{}.count.{}", self.queue, token(kind))
    }

    /// What is written here comes to all who follow the stream, behind all that was written before.
    pub(super) fn tick(&self) -> String {
        format!("{}.tick", self.queue)
    }

    /// Where it is said, outside of the streams, which slot was emptied.
    pub(super) fn gone(&self) -> String {
        format!("{}.gone", self.queue)
    }

    pub(super) fn finished(&self, state: JobState, id: &JobId) -> Option<String> {
        let (number, kind) = parts(id)?;
        Some(format!("{}.history.{}.{kind}.{number:032x}", self.queue, state.as_str()))
    }

    /// Those of the history in a state and of a kind.
    pub(super) fn some_history(&self, state: Option<JobState>, kind: Option<&JobKind>) -> String {
        let state = state.map_or("*", JobState::as_str);
        let kind = kind.map_or_else(|| "*".to_owned(), token);
        format!("{}.history.{state}.{kind}.*", self.queue)
    }

    /// The slot that a subject stands for.
    pub(super) fn slot_of(&self, subject: &str) -> Option<u128> {
        let rest = subject.strip_prefix(&self.queue)?.strip_prefix(".slot.")?;
        u128::from_str_radix(rest.rsplit_once('.')?.1, 16).ok()
    }

    pub(super) fn is_count(&self, subject: &str) -> bool {
        subject.strip_prefix(&self.queue).is_some_and(|rest| rest.starts_with(".count."))
    }
}

/// A kind as a part of a subject: what a subject may not hold, or what may look like a wildcard, as `=` and the
/// byte in hexadecimal digits.
fn token(kind: &JobKind) -> String {
    use std::fmt::Write;
    let mut token = String::with_capacity(kind.as_str().len().max(1));
    for byte in kind.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            token.push(char::from(byte));
        } else {
            let _ = write!(token, "={byte:02x}");
        }
    }
    if token.is_empty() {
        token.push('=');
    }
    token
}

/// A number for a new job. Later ones of the same process are higher, those of others about so.
pub(super) fn new_number() -> u128 {
    Uuid::now_v7().as_u128()
}

/// The id of a job: its number, so that ids are ordered by time, and its kind, so that it is found in the history.
pub(super) fn id(number: u128, kind: &JobKind) -> JobId {
    format!("{number:032x}-{}", token(kind)).into()
}

/// The number in an id.
pub(super) fn number(id: &JobId) -> Option<u128> {
    parts(id).map(|(number, _)| number)
}

fn parts(id: &JobId) -> Option<(u128, &str)> {
    let (number, rest) = id.as_str().split_at_checked(32)?;
    let kind = rest.strip_prefix('-')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=');
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !is_number || kind.is_empty() || !kind.bytes().all(plain) {
        return None;
    }
    Some((u128::from_str_radix(number, 16).ok()?, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_one_token_of_a_subject_whatever_its_text() {
        for (kind, expected) in [
            ("incremental_sync", "incremental_sync"),
            ("a.b", "a=2eb"),
            ("*", "=2a"),
            ("", "="),
            ("=2e", "=3d2e"),
        ] {
            assert_eq!(token(&kind.into()), expected);
        }
    }

    #[test]
    fn ids_are_ordered_and_lead_to_the_history() {
        let names = Names::new("app").unwrap();
        let (one, other) = (new_number(), new_number());
        assert!(one < other && id(one, &"b".into()) < id(other, &"a".into()));
        let id = id(one, &"a.b".into());
        assert_eq!(number(&id), Some(one));
        let subject = names.finished(JobState::Done, &id).unwrap();
        assert_eq!(subject, format!("app.history.done.a=2eb.{one:032x}"));
    }

    #[test]
    fn ids_of_others_name_no_subject() {
        for id in [
            "",
            "7",
            "é".repeat(16).as_str(),
            &format!("{:032x}-*", 7),
            &format!("{:032x}-a.>", 7),
            &format!("+{:031x}-a", 7),
        ] {
            assert_eq!(number(&id.into()), None, "{id}");
        }
    }

    #[test]
    fn names_that_a_stream_or_a_subject_cannot_have_are_refused() {
        for name in ["", "A", "a.b", "a b", ">", &"a".repeat(64)] {
            let error = Names::new(name).unwrap_err();
            assert_eq!(
                (error.kind(), error.provider_code()),
                (ErrorKind::Configuration, Some("invalid_name"))
            );
        }
    }
}
