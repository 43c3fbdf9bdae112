//! What does task number `i` of a generated list look like?
//!
//! A task is a pure function of the seed, the list, the start day and its index. Tasks come in blocks of
//! four, whose first may have the others under it.

use std::ops::Range;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::task::{GAP, Task, fill, settle};
use crate::google::event::instant;
use crate::random::{Draw, hash_text, mix};

const BLOCK: u64 = 4;
/// The place of the first task; those that are inserted later stand before it.
pub(super) const FIRST_PLACE: u64 = 1 << 40;
/// Generated tasks were last changed in this span before the start day, in the order of their index.
const SPAN: i64 = 400 * 86_400_000;

const TITLES: &[&str] = &[
    "Buy milk",
    "Call the plumber",
    "Müll rausbringen",
    "Review the draft \u{2013} second half",
    "牛乳を買う",
    "Pay invoice #4711",
    "Book the train to Köln \u{1f686}",
    "Ответить Ольге",
    "Renew \"passport\"",
    "",
];

const NOTES: &[&str] = &[
    "The blue one, not the green one.",
    "Nummer steht am Kühlschrank.\nNicht vor 9 Uhr anrufen.",
    "See https://docs.example.com/d/1a2b and <ask> & decide.",
    "資料は前日までに",
];

/// Makes up the tasks of one list.
#[derive(Debug)]
pub(super) struct Generator {
    key: u64,
    count: u64,
    list: String,
    midnight: DateTime<Utc>,
    /// How far the changes lie apart, in milliseconds.
    step: i64,
}

impl Generator {
    pub(super) fn new(seed: u64, list: &str, count: u64, now: DateTime<Utc>) -> Self {
        Self {
            key: mix(seed ^ hash_text(list) ^ 0x7461_736b),
            count,
            list: list.to_owned(),
            midnight: now.date_naive().and_time(NaiveTime::MIN).and_utc(),
            step: SPAN / i64::try_from(count.max(1)).unwrap_or(i64::MAX),
        }
    }

    pub(super) const fn key(&self) -> u64 {
        self.key
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    fn updated_time(&self, index: u64) -> DateTime<Utc> {
        let place = self.step.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX));
        self.midnight - TimeDelta::milliseconds(SPAN) + TimeDelta::milliseconds(place)
    }

    /// When the task was last changed, in milliseconds; grows with the index.
    pub(super) fn updated(&self, index: u64) -> i64 {
        self.updated_time(index).timestamp_millis()
    }

    fn draw(&self, index: u64) -> Draw {
        Draw::new(mix(self.key.wrapping_add(index)) ^ self.key)
    }

    /// The generated tasks of the block that an index is in.
    pub(super) fn block(&self, index: u64) -> Range<u64> {
        let first = index / BLOCK * BLOCK;
        first.min(self.count)..(first + BLOCK).min(self.count)
    }

    /// The task above this one.
    fn parent(&self, index: u64) -> Option<u64> {
        let first = index / BLOCK * BLOCK;
        (index != first && self.draw(index).percent(25)).then_some(first)
    }

    /// The task; `id` tells the ids of tasks.
    pub(super) fn task(&self, index: u64, id: impl Fn(u64) -> String) -> Task {
        let parent = self.parent(index);
        let mut draw = self.draw(index);
        // The draw that decides about the parent.
        draw.next();
        let updated = self.updated_time(index);
        let mut task = Task::new();
        let mut put = |field: &str, value: Value| task.insert(field.to_owned(), value);
        put("title", json!(draw.pick(TITLES)));
        if draw.percent(40) {
            put("notes", json!(draw.pick(NOTES)));
        }
        if draw.percent(50) {
            let day = self.midnight + TimeDelta::days(i64::from(draw.below(120)) - 60);
            put("due", json!(instant(day)));
        }
        if draw.percent(35) {
            let earlier = TimeDelta::seconds(i64::from(draw.below(3_600)));
            put("status", json!("completed"));
            put("completed", json!(instant(updated - earlier)));
            if draw.percent(60) {
                put("hidden", json!(true));
            }
        }
        if let Some(parent) = parent {
            put("parent", json!(id(parent)));
        } else if draw.percent(3) {
            put(
                "assignmentInfo",
                json!({
                    "linkToTask": "https://docs.google.com/document/d/1a2b/edit?disco=AAA",
                    "surfaceType": "DOCUMENT",
                    "driveResourceInfo": {"driveFileId": "1a2b", "resourceKey": "0-x"},
                }),
            );
        }
        if draw.percent(5) {
            let link = "https://mail.google.com/mail/#all/19a1b2c3d4e5f607";
            put("links", json!([{"type": "email", "description": "Re: the offer", "link": link}]));
        }
        let mut task = fill(task, &id(index), &self.list, FIRST_PLACE + index * GAP, updated);
        settle(&mut task, updated);
        task
    }
}
