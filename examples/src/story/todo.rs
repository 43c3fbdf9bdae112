//! What does Ada have to do?

use integrations_testkit::google::{FakeGoogle, TaskListSpec};
use serde_json::{Value, json};

use super::at;
use super::chapters::Threads;
use super::clock::StoryClock;

pub(super) const MINE: &str = "MDQ0NDQ3MTExMTM1";
pub(super) const REVIEW: &str = "UmV2aWV3LVE0MjAyNQ";

const JANUARY: &str = "Send Katherine the January figures";

/// The list, the id, the title, the day in March that it is due on, or 0, and the task that it is a part of.
type Row = (&'static str, &'static str, &'static str, u32, &'static str);

/// From the bottom of each list to its top, where Google adds what is new.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    (MINE,   "pack",      "Pack for Hamburg",                   11, ""),
    (MINE,   "book",      "Give Emmy her book back",             0, ""),
    (MINE,   "ticket",    "Book the train to Hamburg",           0, ""),
    (MINE,   "school",    "Tell the school who comes",           3, ""),
    (MINE,   "fig",       "Water the fig tree",                  2, ""),
    (REVIEW, "handout",   "Print the handout, 12 copies",        3, ""),
    (REVIEW, "slides",    "Slides 4 to 9",                       2, ""),
    (REVIEW, "chart",     "Redraw the churn chart",              0, "slides"),
    (REVIEW, "page7",     "Page 7: this year’s numbers",         0, "slides"),
    (REVIEW, "january",   JANUARY,                               2, ""),
];

pub(super) fn lists() -> Vec<TaskListSpec> {
    vec![TaskListSpec::new(MINE).title("My tasks"), TaskListSpec::new(REVIEW).title("The review")]
}

/// A task as Google has it.
pub(super) fn task(id: &str, title: &str, due: Option<String>) -> Value {
    let mut task = json!({"id": id, "title": title});
    if let Some(day) = due {
        task["due"] = json!(format!("{day}T00:00:00.000Z"));
    }
    task
}

/// What is in the lists before anybody looks.
pub(super) fn fill(google: &FakeGoogle, clock: &StoryClock, threads: &mut Threads) {
    clock.stand_at(at(-4, 18, 0));
    let passport = task("passport", "Renew the passport", Some("2026-02-27".to_owned()));
    google.insert_task(MINE, passport);
    for &(list, id, title, due, parent) in ROWS {
        let mut task = task(id, title, (due > 0).then(|| format!("2026-03-{due:02}")));
        if !parent.is_empty() {
            task["parent"] = json!(parent);
        }
        google.insert_task(list, task);
    }
    clock.stand_at(at(-2, 11, 10));
    google.complete_task(MINE, "ticket");
    threads.to_do = vec![("january".to_owned(), JANUARY)];
}
