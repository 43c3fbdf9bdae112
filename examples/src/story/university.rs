//! What do Ada's calendar and mailbox at the university hold?
//!
//! She lectures there one evening a week, and has another address. Some things reach both: an invitation is in
//! both calendars, and the mail about it in both mailboxes.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::Berlin;
use integrations_testkit::google::{FakeGoogle, MailSpec};
use integrations_testkit::msgraph::{CalendarSpec, FakeGraph, FakeGraphBuilder, FolderSpec};
use serde_json::{Value, json};

use super::chapters::Threads;
use super::clock::StoryClock;
use super::{ADA, ADA_AT_UNIVERSITY, at};

pub(super) const MINE: &str = "University";
const DEPARTMENT: &str = "Department";
pub(super) const INBOX: &str = "inbox";
const SENT: &str = "sentitems";
const STUDENTS: &str = "Students";

/// The zone, as Outlook calls it.
const ZONE: &str = "W. Europe Standard Time";

pub(super) const EMMY: (&str, &str) = ("Emmy Noether", "emmy@goettingen.example");
pub(super) const SOFJA: (&str, &str) = ("Sofja Kowalewskaja", "sofja@goettingen.example");
/// Her program gives no name beside the address.
const KATHERINE: (&str, &str) = ("katherine@example.com", "katherine@example.com");
const HOUSE: (&str, &str) = ("House office", "house@goettingen.example");

const LECTURE: &str = "Lecture: Engines and algebra";
const OFFICE_HOUR: &str = "Office hour";
const COLLOQUIUM: &str = "Colloquium: Symmetries";

/// The same in every calendar that the invitation came to.
const COLLOQUIUM_UID: &str = "colloquium-2026-03-05@goettingen.example";
/// The same in every mailbox that the mail came to.
const COLLOQUIUM_MAIL: &str = "<symmetries.2026-03-02@goettingen.example>";

const SYMMETRIES: &str = "Dear Ada,

on Thursday at 17:00 I speak on symmetries, and on what they leave alone. I have sent this to both of your
addresses, so that one of them may be forgotten.

Emmy
";

const GUEST: &str = "Hello Ada,

would your students like an evening on churn? I would bring the real numbers, and the test accounts.

Katherine
";

/// The calendar, the title, the day and the time that it begins in Berlin, how many minutes it takes, and where
/// it is.
type Row = (&'static str, &'static str, i64, (i64, i64), i64, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (MINE,       COLLOQUIUM,        3, (17,  0), 60, "Mathematical institute"),
    (DEPARTMENT, "Faculty meeting", 2, (14,  0), 90, "Senate room"),
];

pub(super) fn fake() -> FakeGraphBuilder {
    let mine = CalendarSpec::new(MINE).default_calendar().time_zone(ZONE);
    let department = CalendarSpec::new(DEPARTMENT).owner(EMMY.0, EMMY.1).read_only().time_zone(ZONE);
    FakeGraph::builder()
        .user(ADA_AT_UNIVERSITY)
        .mailbox_time_zone(ZONE)
        .calendar(mine)
        .calendar(department)
        .folder(FolderSpec::new(STUDENTS).inside(INBOX))
}

/// An event as Outlook has it.
pub(super) fn event(title: &str, start: DateTime<Utc>, minutes: i64, place: &str) -> Value {
    let time = |time: DateTime<Utc>| {
        let time = time.with_timezone(&Berlin).format("%Y-%m-%dT%H:%M:%S").to_string();
        json!({"dateTime": time, "timeZone": ZONE})
    };
    let end = start + TimeDelta::minutes(minutes);
    json!({"subject": title, "start": time(start), "end": time(end), "location": {"displayName": place}})
}

/// What is in the calendars before anybody looks. The seminar is held at this address.
pub(super) fn fill_calendars(graph: &FakeGraph, google: &FakeGoogle, seminar: &str, threads: &mut Threads) {
    for &(calendar, title, day, (hour, minute), minutes, place) in ROWS {
        let mut event = event(title, at(day, hour, minute), minutes, place);
        if title == COLLOQUIUM {
            event["iCalUId"] = json!(COLLOQUIUM_UID);
            event["organizer"] = json!({"emailAddress": {"name": EMMY.0, "address": EMMY.1}});
        }
        graph.insert_event(calendar, event);
    }
    let (start, end) = (at(3, 17, 0), at(3, 18, 0));
    let colloquium = json!({
        "id": "symmetry", "summary": COLLOQUIUM, "location": "Mathematical institute", "iCalUID": COLLOQUIUM_UID,
        "start": {"dateTime": start, "timeZone": "Europe/Berlin"}, "end": {"dateTime": end, "timeZone": "Europe/Berlin"},
        "organizer": {"displayName": EMMY.0, "email": EMMY.1},
    });
    google.insert_event(ADA, colloquium);
    graph.insert_event(MINE, event("Seminar with Emmy", at(2, 11, 0), 60, seminar));
    let mut lecture = event(LECTURE, at(-13, 18, 15), 90, "Hall 3");
    lecture["recurrence"] = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday"},
        "range": {"type": "noEnd", "startDate": "2026-02-17", "recurrenceTimeZone": ZONE},
    });
    threads.lecture = graph.insert_event(MINE, lecture);
    let office_hour = graph.insert_event(MINE, event(OFFICE_HOUR, at(4, 13, 0), 60, "Room 12"));
    threads.there = Some((office_hour, OFFICE_HOUR));
}

/// A mail as Outlook has it.
pub(super) fn mail(from: (&str, &str), title: &str, text: &str, when: DateTime<Utc>) -> Value {
    json!({
        "subject": title, "from": {"emailAddress": {"name": from.0, "address": from.1}},
        "toRecipients": [{"emailAddress": {"name": "Ada Lovelace", "address": ADA_AT_UNIVERSITY}}],
        "body": {"contentType": "text", "content": text},
        "receivedDateTime": when, "sentDateTime": when, "isRead": true,
    })
}

/// What is in the mailbox before anybody looks, the oldest first; the last one is not in this one alone.
pub(super) fn fill_mailbox(
    graph: &FakeGraph,
    google: &FakeGoogle,
    clock: &StoryClock,
    threads: &mut Threads,
) {
    let insert = |folder: &str, mail: Value, unread: bool, when: DateTime<Utc>| {
        clock.stand_at(when);
        let mut mail = mail;
        mail["isRead"] = json!(!unread);
        graph.insert_message(folder, mail)
    };
    let mine = ("Ada Lovelace", ADA_AT_UNIVERSITY);
    let when = at(-6, 16, 40);
    insert(STUDENTS, mail(SOFJA, "Sheet 4", "Four pages, and one doubt.\n", when), false, when);
    let when = at(-4, 10, 2);
    insert(INBOX, mail(HOUSE, "Hall 3 has chalk again", "White, and some blue.\n", when), false, when);
    let when = at(0, 7, 5);
    let title = "Sheet 5, and a question";
    let text = "The third exercise has two solutions. Do you want both?\n\nSofja\n";
    threads.letters = vec![(insert(INBOX, mail(SOFJA, title, text, when), true, when), title)];
    let when = at(0, 7, 10);
    insert(INBOX, mail(KATHERINE, "A guest lecture on churn?", GUEST, when), false, when);
    let when = at(0, 7, 50);
    let answer = "Gladly. The test accounts may sit in the last row.\n";
    insert(SENT, mail(mine, "Re: A guest lecture on churn?", answer, when), false, when);
    let when = at(0, 7, 58);
    let title = "Colloquium on Thursday: symmetries";
    let mut invitation = mail(EMMY, title, SYMMETRIES, when);
    invitation["internetMessageId"] = json!(COLLOQUIUM_MAIL);
    insert(INBOX, invitation, true, when);
    let emmy = format!("{} <{}>", EMMY.0, EMMY.1);
    let invitation = MailSpec::new(title).from(&emmy).to(ADA).to(ADA_AT_UNIVERSITY).text(SYMMETRIES);
    google.add_message(invitation.header("Message-ID", COLLOQUIUM_MAIL).date(when));
}
