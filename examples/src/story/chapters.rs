//! What happens next?
//!
//! In each chapter one thing of each sort happens at each service, and the same again whenever it is told.

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::connection::ServiceId;
use integrations_testkit::google::MailSpec;
use serde_json::json;

use super::calendars::{self, LUNCH, TEAM};
use super::{
    ADA, CHARLES, Colleague, GRACE, HARUKA, KATHERINE, Story, at, chat, code, meetings, todo, university,
};
use crate::changes::Sign;

/// Something that happened at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The service.
    pub service: ServiceId,
    /// What sort of deed it was.
    pub sign: Sign,
    /// What happened, in a line.
    pub what: String,
}

/// What later chapters go back to.
#[derive(Debug, Default)]
pub(super) struct Threads {
    chapter: usize,
    /// Mails by their ids, with their subjects: the last one will be read, and the one before it archived.
    pub(super) mails: Vec<(String, &'static str)>,
    /// Tasks of the review by their ids, with their titles: the last one will be done.
    pub(super) to_do: Vec<(String, &'static str)>,
    /// Messages that turn out to be wrong: the last one will be mended.
    pub(super) posts: Vec<Post>,
    /// Where the review is talked about.
    pub(super) review: String,
    /// The lecture, which will have to move.
    pub(super) lecture: String,
    /// An appointment at the university, with its title, which will be called off.
    pub(super) there: Option<(String, &'static str)>,
    /// Mails at the university, as above: the last one will be read.
    pub(super) letters: Vec<(String, &'static str)>,
    /// Issues of the store, with their titles: the last one will be closed.
    pub(super) issues: Vec<(u64, &'static str)>,
    /// A meeting at Zoom, with its title, that is to be held next.
    pub(super) call: (u64, &'static str),
}

#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) channel: &'static str,
    pub(super) ts: String,
    pub(super) who: &'static str,
    pub(super) better: &'static str,
}

/// A chapter.
struct Chapter {
    room: &'static str,
    date: &'static str,
    mail: (Colleague, &'static str, &'static str),
    task: &'static str,
    post: (&'static str, Colleague, &'static str, &'static str),
    reply: (Colleague, &'static str),
    hall: &'static str,
    there: &'static str,
    letter: ((&'static str, &'static str), &'static str),
    comment: (Colleague, &'static str),
    issue: (Colleague, &'static str),
    call: &'static str,
}

/// After the last one they begin anew.
#[rustfmt::skip]
const CHAPTERS: &[Chapter] = &[
    Chapter {
        room: "the blue room", date: "Tea with Emmy",
        mail: (CHARLES, "Lunch today: alas, no", "Dear Ada,\n\nthe engine has finished, and I cannot stop it. Next week?\n\nCharles\n"),
        task: "An adapter for the blue room’s projector",
        post: (chat::GENERAL, GRACE, "Room 4 has no projector. To the blue room!", "Room 4 has no projector. To the library!"),
        reply: (KATHERINE, "I could open, and you show the roadmap?"),
        hall: "hall 2", there: "Exam questions, with Emmy", letter: (university::EMMY, "Hall 2, because of the bees"),
        comment: (GRACE, "Rebased. The carry is a turn ahead of itself now."), issue: (CHARLES, "The bell rings twice"), call: "The numbers, aloud",
    },
    Chapter {
        room: "the library", date: "A call with Katherine",
        mail: (GRACE, "The blue room is being painted. Blue", "So we meet in the library, and we whisper.\n\nGrace\n"),
        task: "A stand for the handout",
        post: (chat::TOKYO, HARUKA, "The cherry tree has its first blossom.", "The cherry tree has its first four blossoms."),
        reply: (GRACE, "Katherine, then Ada. I hold the clock."),
        hall: "hall 1", there: "Sheet 5, with Sofja", letter: (university::SOFJA, "Both solutions"),
        comment: (CHARLES, "I have put my ear to it. It is faster."), issue: (KATHERINE, "Zero has two signs"), call: "A look at the garden",
    },
    Chapter {
        room: "the garden", date: "Cake tasting",
        mail: (KATHERINE, "It is seven numbers now", "I counted twice, which makes fourteen, but not on one slide.\n\nKatherine\n"),
        task: "1010 candles",
        post: (chat::GENERAL, CHARLES, "There is coffee again, to six places.", "There is coffee again, to twelve places."),
        reply: (CHARLES, "And I bring the coffee."),
        hall: "the observatory", there: "The library’s new shelf", letter: (university::EMMY, "Bring a coat"),
        comment: (KATHERINE, "The numbers agree, in both directions."), issue: (HARUKA, "Wheels in the wrong order"), call: "Who speaks when",
    },
    Chapter {
        room: "room 4 after all", date: "Tea with Charles",
        mail: (HARUKA, "A photo of the tree", "It is all white since this morning.\n\nHaruka\n"),
        task: "A frame for Haruka’s photo",
        post: (chat::TOKYO, HARUKA, "Thank you for the notebook!", "Thank you for the blue notebook!"),
        reply: (KATHERINE, "Twelve copies are printed."),
        hall: "hall 3 again", there: "Tea at the institute", letter: (university::SOFJA, "A third solution"),
        comment: (GRACE, "Squashed. It is one commit, and one page."), issue: (CHARLES, "Steam on the dial"), call: "The same again, shorter",
    },
];

/// Three a day, on working days.
fn time_of(chapter: usize) -> DateTime<Utc> {
    const TIMES: [(i64, i64); 3] = [(9, 10), (13, 40), (17, 20)];
    let day = i64::try_from(chapter / TIMES.len()).unwrap_or(i64::from(u16::MAX));
    let (hour, minute) = TIMES[chapter % TIMES.len()];
    at(day / 5 * 7 + day % 5, hour, minute)
}

/// When the meeting begins that is held before a chapter.
fn call_before(chapter: usize) -> DateTime<Utc> {
    const EARLIER: [i64; 3] = [10, 40, 35];
    time_of(chapter) - TimeDelta::minutes(EARLIER[chapter % EARLIER.len()])
}

pub(super) fn tell(story: &Story, threads: &mut Threads) -> Vec<Deed> {
    let number = threads.chapter;
    threads.chapter += 1;
    let chapter = &CHAPTERS[number % CHAPTERS.len()];
    let now = time_of(number);
    let mut deeds = Vec::new();
    on_line(story, chapter, number, threads, &mut deeds);
    story.clock.stand_at(now - TimeDelta::minutes(3));
    at_the_university(story, chapter, number, threads, &mut deeds);
    in_the_code(story, chapter, threads, &mut deeds);
    in_the_mailbox(story, chapter, threads, &mut deeds);
    in_the_calendars(story, chapter, number, &mut deeds);
    story.clock.stand_at(now - TimeDelta::minutes(1));
    in_the_lists(story, chapter, threads, &mut deeds);
    in_the_chat(story, chapter, threads, &mut deeds);
    story.clock.stand_at(now);
    story.clock.go_on();
    deeds.sort_by_key(|deed| ORDER.iter().position(|service| *service == deed.service.as_str()));
    deeds
}

/// The services, in the order in which they are told of.
const ORDER: [&str; 8] = [
    integrations_google::gmail::SERVICE,
    integrations_msgraph::mail::SERVICE,
    integrations_google::calendar::SERVICE,
    integrations_msgraph::calendar::SERVICE,
    integrations_zoom::SERVICE,
    integrations_google::tasks::SERVICE,
    integrations_github::SERVICE,
    integrations_slack::SERVICE,
];

fn in_the_calendars(story: &Story, chapter: &Chapter, number: usize, deeds: &mut Vec<Deed>) {
    use integrations_google::calendar::SERVICE;
    let google = &story.google;
    let mut note = |sign, what| deeds.push(Deed { service: SERVICE.into(), sign, what });
    google.patch_event(TEAM, calendars::REVIEW, json!({"location": format!("New York, {}", chapter.room)}));
    note(Sign::Changed, format!("Quarterly review: now in {}", chapter.room));
    let days = (time_of(number) - at(0, 0, 0)).num_days();
    let mut event = calendars::half_hour("", chapter.date, days + 1, 13);
    event["id"] = json!(format!("date{number:04}"));
    google.insert_event(ADA, event);
    note(Sign::New, chapter.date.to_owned());
    let (gone, title) = match number.checked_sub(1) {
        Some(before) => (format!("date{before:04}"), CHAPTERS[before % CHAPTERS.len()].date),
        None => (LUNCH.to_owned(), "Lunch with Charles"),
    };
    google.delete_event(ADA, &gone);
    note(Sign::Gone, title.to_owned());
}

fn in_the_mailbox(story: &Story, chapter: &Chapter, threads: &mut Threads, deeds: &mut Vec<Deed>) {
    use integrations_google::gmail::SERVICE;
    let google = &story.google;
    let mut note = |sign, what| deeds.push(Deed { service: SERVICE.into(), sign, what });
    let (from, title, text) = chapter.mail;
    let mail = google.add_message(MailSpec::new(title).from(&from.mailbox()).text(text));
    threads.mails.push((mail, title));
    note(Sign::New, format!("{} writes: {title}", from.name));
    if let [.., archived, read, _] = &*threads.mails {
        google.remove_labels(&read.0, &["UNREAD"]);
        note(Sign::Changed, format!("Ada reads: {}", read.1));
        google.remove_labels(&archived.0, &["INBOX"]);
        note(Sign::Changed, format!("Ada archives: {}", archived.1));
    }
}

fn in_the_lists(story: &Story, chapter: &Chapter, threads: &mut Threads, deeds: &mut Vec<Deed>) {
    use integrations_google::tasks::SERVICE;
    let google = &story.google;
    let mut note = |sign, what| deeds.push(Deed { service: SERVICE.into(), sign, what });
    if let Some((done, title)) = threads.to_do.last() {
        google.complete_task(todo::REVIEW, done);
        note(Sign::Changed, format!("Done: {title}"));
    }
    let task = google.insert_task(todo::REVIEW, json!({"title": chapter.task}));
    threads.to_do.push((task, chapter.task));
    note(Sign::New, chapter.task.to_owned());
}

fn in_the_chat(story: &Story, chapter: &Chapter, threads: &mut Threads, deeds: &mut Vec<Deed>) {
    use integrations_slack::SERVICE;
    let slack = &story.slack;
    let mut note = |sign, what| deeds.push(Deed { service: SERVICE.into(), sign, what });
    if let Some(Post { channel, ts, who, better }) = threads.posts.last() {
        slack.edit(channel, ts, json!({"text": better}));
        note(Sign::Changed, format!("{who} corrects: {better}"));
    }
    let (user, text) = chapter.reply;
    slack.reply(chat::REVIEW, &threads.review, json!({"user": user.id, "text": text}));
    note(Sign::New, format!("{} replies: {text}", user.name));
    let (channel, user, text, better) = chapter.post;
    let ts = slack.post(channel, json!({"user": user.id, "text": text}));
    threads.posts.push(Post { channel, ts, who: user.name, better });
    note(Sign::New, format!("{} writes: {text}", user.name));
}

fn at_the_university(
    story: &Story,
    chapter: &Chapter,
    number: usize,
    threads: &mut Threads,
    deeds: &mut Vec<Deed>,
) {
    use integrations_msgraph::{calendar, mail};
    let graph = &story.microsoft;
    let mut note = |service: &str, sign, what| deeds.push(Deed { service: service.into(), sign, what });
    graph.patch_event(&threads.lecture, json!({"location": {"displayName": chapter.hall}}));
    note(calendar::SERVICE, Sign::Changed, format!("The lecture: now in {}", chapter.hall));
    let days = (time_of(number) - at(0, 0, 0)).num_days();
    let event = university::event(chapter.there, at(days + 1, 14, 30), 45, "Room 12");
    let there = (graph.insert_event(university::MINE, event), chapter.there);
    note(calendar::SERVICE, Sign::New, chapter.there.to_owned());
    if let Some((gone, title)) = threads.there.replace(there) {
        graph.delete_event(&gone);
        note(calendar::SERVICE, Sign::Gone, title.to_owned());
    }
    let (from, title) = chapter.letter;
    let mut letter = university::mail(from, title, "More when we meet.\n", story.clock().now());
    letter["isRead"] = json!(false);
    let letter = graph.insert_message(university::INBOX, letter);
    note(mail::SERVICE, Sign::New, format!("{} writes: {title}", from.0));
    if let Some((read, title)) = threads.letters.last() {
        graph.mark_read(read, true);
        note(mail::SERVICE, Sign::Changed, format!("Ada reads: {title}"));
    }
    threads.letters.push((letter, title));
}

fn in_the_code(story: &Story, chapter: &Chapter, threads: &mut Threads, deeds: &mut Vec<Deed>) {
    use integrations_github::SERVICE;
    let github = &story.github;
    let mut note = |sign, what| deeds.push(Deed { service: SERVICE.into(), sign, what });
    let (who, text) = chapter.comment;
    github.comment(code::MILL, code::CARRY, json!({"user": who.login, "body": text}));
    github.notify(code::MILL, code::CARRY, "comment");
    note(Sign::New, format!("{} comments: {text}", who.login));
    if let Some((closed, title)) = threads.issues.last() {
        github.close_issue(code::STORE, *closed, Some("completed"));
        note(Sign::Changed, format!("Closed: {title}"));
    }
    let (who, title) = chapter.issue;
    let issue = github.open_issue(code::STORE, code::for_ada(who.login, title));
    github.notify(code::STORE, issue, "assign");
    note(Sign::New, format!("{} opens: {title}", who.login));
    threads.issues.push((issue, title));
}

fn on_line(story: &Story, chapter: &Chapter, number: usize, threads: &mut Threads, deeds: &mut Vec<Deed>) {
    use integrations_zoom::SERVICE;
    let mut note = |sign, what| deeds.push(Deed { service: SERVICE.into(), sign, what });
    let (held, title) = threads.call;
    meetings::hold(&story.zoom, &story.clock, held, call_before(number), 6, &[GRACE, KATHERINE]);
    note(Sign::New, format!("Held: {title}"));
    let next = meetings::meeting(chapter.call, call_before(number + 1), 15);
    threads.call = (story.zoom.create_meeting(next), chapter.call);
    note(Sign::New, chapter.call.to_owned());
}
