//! What the user reads: text for people, or one JSON document for machines.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use chrono::DateTime;
use chrono_tz::Tz;
use integrations_core::connection::ServiceId;
use integrations_core::sync::StreamReport;
use integrations_core::{Connection, Error};
use integrations_examples::changes::{Change, Sign};
use integrations_examples::providers::Providers;
use integrations_examples::story::Deed;
use serde_json::{Map, Value, json};

use super::agenda::Week;
use super::inbox::{Inbox, Line};
use super::tables;
use super::todo::Open;

const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const NEW: Style = AnsiColor::Green.on_default();
const GONE: Style = AnsiColor::Red.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();

/// How wide the names of what a service has are, all in all.
const PARTS: usize = 36;
/// Streams that say by their names no more than the kinds of what is in them do.
const PLAIN: &[&str] =
    &["Messages", "Labels", "Folders", "Users", "Channels", "Notifications", "Meetings", "Past meetings"];

/// An account that is connected.
pub(crate) struct Account {
    /// The service's name.
    pub(crate) service: &'static str,
    pub(crate) connection: Connection,
    /// Whether it was connected by an earlier run.
    pub(crate) known: bool,
}

/// What a sync has done.
pub(crate) struct Done {
    pub(crate) streams: Vec<Synced>,
    /// What is kept of each account, in words, in the order of the accounts.
    pub(crate) kept: Vec<String>,
    pub(crate) took: Duration,
}

/// What a sync has done to a stream.
pub(crate) struct Synced {
    pub(crate) service: ServiceId,
    /// The service's name.
    pub(crate) name: &'static str,
    pub(crate) id: String,
    pub(crate) title: String,
    /// Whether anything is kept of it.
    pub(crate) is_empty: bool,
    pub(crate) outcome: Result<StreamReport, Error>,
}

/// Prints as it goes, or collects.
pub(crate) struct Output {
    document: Option<Map<String, Value>>,
}

/// Prints a line, with colour where the terminal has it.
macro_rules! say {
    ($($part:tt)*) => {
        let _ = writeln!(anstream::stdout(), $($part)*);
    };
}

/// The text in the first line of a service, and nothing in those that follow.
fn once<'a>(last: &mut &'a str, service: &'a str) -> &'a str {
    let first = *last != service;
    *last = service;
    if first { service } else { "" }
}

const fn color(sign: Sign) -> Style {
    match sign {
        Sign::New => NEW,
        Sign::Changed => CHANGED,
        Sign::Gone => GONE,
    }
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { document: json.then(Map::new) }
    }

    /// Adds to the document and says whether that is all there is to do.
    fn add(&mut self, key: &str, value: Value) -> bool {
        self.document.as_mut().map(|document| document.insert(key.to_owned(), value)).is_some()
    }

    pub(crate) fn providers(&mut self, providers: &Providers) {
        let now = providers.clock().now();
        let story = providers.story();
        let urls = story.map_or_else(
            || {
                json!({
                    "google": "https://www.googleapis.com", "slack": "https://slack.com",
                    "microsoft": "https://graph.microsoft.com", "github": "https://api.github.com",
                    "zoom": "https://api.zoom.us",
                })
            },
            |story| {
                json!({
                    "google": story.google.url(), "slack": story.slack.url(),
                    "microsoft": story.microsoft.url(), "github": story.github.url(), "zoom": story.zoom.url(),
                })
            },
        );
        let document = json!({"urls": urls, "fake": story.is_some(), "now": now});
        if !self.add("provider", document) && story.is_some() {
            let now = now.with_timezone(&Tz::Europe__Berlin).format("%A, %-d %B %Y, %H:%M");
            say!("{DIM}With fakes of Google, Microsoft, Slack, GitHub and Zoom, on {now}.{DIM:#}");
        }
    }

    pub(crate) fn connected(&mut self, accounts: &[Account]) {
        let shown = |account: &Account| {
            let of = &account.connection.account;
            of.email.as_ref().or(of.name.as_ref()).map_or_else(|| of.id.to_string(), Clone::clone)
        };
        let rows = accounts.iter().map(|account| {
            let Account { connection, known, .. } = account;
            json!({"id": connection.id, "service": connection.service, "account": shown(account), "known": known})
        });
        if self.add("connections", rows.collect()) {
            return;
        }
        say!("\n{HEAD}Connected{HEAD:#}");
        for account in accounts {
            let again = if account.known { "  known from an earlier run" } else { "" };
            say!("  {:<16}  {}{DIM}{again}{DIM:#}", account.service, shown(account));
        }
    }

    /// `changes` is what was not yet so when the program was last run.
    pub(crate) fn first_sync(&mut self, accounts: &[Account], done: &Done, changes: &[Change]) {
        let rows = done.streams.iter().map(|stream| {
            let (report, error) = (stream.outcome.as_ref().ok(), stream.outcome.as_ref().err());
            let error = error.map(ToString::to_string);
            json!({"service": stream.service, "id": stream.id, "title": stream.title, "report": report, "error": error})
        });
        let count = |sign| changes.iter().filter(|change| change.sign == sign).count();
        let found =
            json!({"new": count(Sign::New), "changed": count(Sign::Changed), "gone": count(Sign::Gone)});
        if self.add("first_sync", rows.collect()) {
            self.add("found", found);
            return;
        }
        let seconds = done.took.as_secs_f64();
        let is_first =
            |stream: &Synced| stream.outcome.as_ref().is_ok_and(|report| report.started_in == "start");
        if done.streams.iter().any(is_first) {
            say!("\n{HEAD}Synced for the first time{HEAD:#}  {DIM}in {seconds:.1} s{DIM:#}");
            for (account, kept) in accounts.iter().zip(&done.kept) {
                let kept = if kept.is_empty() { "nothing yet" } else { kept };
                let parts =
                    parts(done.streams.iter().filter(|stream| stream.service == account.connection.service));
                if parts.is_empty() {
                    say!("  {:<16}  {kept}", account.service);
                } else {
                    say!("  {:<16}  {kept:<43}  {DIM}{parts}{DIM:#}", account.service);
                }
            }
        } else {
            say!("\n{HEAD}Synced{HEAD:#}  from where the last run stopped: {}", counts(changes));
        }
        for stream in &done.streams {
            let Synced { name, title, outcome, .. } = stream;
            match outcome {
                Err(error) => {
                    say!("  {name:<16}  {title}: {GONE}{}{GONE:#}", error.message());
                }
                Ok(report) if report.quarantined > 0 => {
                    say!("  {name:<16}  {title}: {} that could not be read", report.quarantined);
                }
                Ok(_) => {}
            }
        }
    }

    /// `changes` is what the sync has changed; `records` is how many there are.
    pub(crate) fn changes(
        &mut self,
        deeds: &[Deed],
        name: impl Fn(&ServiceId) -> &'static str,
        now: DateTime<Tz>,
        changes: &[Change],
        records: u64,
    ) {
        let told = deeds
            .iter()
            .map(|deed| json!({"service": deed.service, "sign": deed.sign.as_str(), "what": deed.what}));
        let of = |sign: Sign| {
            let these = changes.iter().filter(move |change| change.sign == sign);
            these.map(|change| json!({"service": change.service, "title": change.title})).collect::<Value>()
        };
        let document = json!({
            "told": told.collect::<Value>(), "records": records,
            "new": of(Sign::New), "changed": of(Sign::Changed), "gone": of(Sign::Gone),
        });
        if self.add("changes", document) {
            return;
        }
        say!("\n{HEAD}Then, on {}{HEAD:#}", now.format("%A at %H:%M"));
        let mut last = "";
        for deed in deeds {
            let style = color(deed.sign);
            say!(
                "  {:<16}  {style}{}{style:#} {}",
                once(&mut last, name(&deed.service)),
                deed.sign,
                deed.what
            );
        }
        let records = integrations_examples::words::counted(records, ("record", "records"));
        say!("{HEAD}Synced again{HEAD:#}  only what has changed: {}, of {records}", counts(changes));
    }

    pub(crate) fn week(&mut self, week: &Week) {
        let rows = week.entries.iter().map(|entry| {
            json!({
                "day": entry.day, "time": entry.time, "title": entry.title, "calendar": entry.calendar,
                "place": entry.place, "kind": entry.kind.as_str(), "services": entry.services,
            })
        });
        let agenda =
            json!({"zone": week.zone.name(), "entries": rows.collect::<Value>(), "failures": week.failures});
        if self.add("agenda", agenda) {
            return;
        }
        say!("\n{HEAD}The coming week{HEAD:#}  {DIM}in {}{DIM:#}", week.zone);
        say!("{}", tables::week(week));
        if week.failures > 0 {
            say!("{} events repeat in a way that cannot be expanded", week.failures);
        }
    }

    pub(crate) fn inbox(
        &mut self,
        inbox: &Inbox,
        now: DateTime<Tz>,
        name: impl Fn(&ServiceId) -> &'static str,
    ) {
        let line =
            |line: &Line| json!({"at": line.at, "who": line.who, "text": line.text, "edited": line.edited});
        let unread = inbox.threads.iter().filter(|thread| thread.is_unread() == Some(true)).count();
        let rows = inbox.threads.iter().map(|thread| {
            json!({
                "service": thread.service, "also": thread.also, "place": thread.place, "unread": thread.is_unread(),
                "message": thread.line.as_ref().map(line), "others": thread.others,
                "replies": thread.replies.iter().map(line).collect::<Value>(),
            })
        });
        if self
            .add("inbox", json!({"unread": unread, "more": inbox.more, "threads": rows.collect::<Value>()}))
        {
            return;
        }
        say!("\n{HEAD}Inbox{HEAD:#}  {DIM}{unread} unread{DIM:#}");
        say!("{}", tables::inbox(inbox, now, name));
    }

    pub(crate) fn open_work(&mut self, work: &[Open], now: DateTime<Tz>) {
        let rows = work.iter().map(|one| {
            json!({
                "service": one.service, "kind": one.kind.as_str(), "title": one.title, "list": one.list,
                "due": one.due, "part": one.part, "state": one.state, "checks": one.checks,
            })
        });
        if self.add("work", rows.collect()) {
            return;
        }
        say!("\n{HEAD}To do{HEAD:#}  {DIM}{} open{DIM:#}", work.len());
        say!("{}", tables::open_work(work, now.date_naive()));
    }

    pub(crate) fn kept(&mut self, db: &Path) {
        if self.add("database", json!(db)) {
            return;
        }
        say!("\n{DIM}Kept in {}: run it again to go on from here.{DIM:#}", db.display());
    }

    /// What was collected.
    pub(crate) fn end(self) -> Option<Value> {
        self.document.map(Value::Object)
    }
}

/// The names of a service's streams that say something, as many as have room.
fn parts<'a>(streams: impl Iterator<Item = &'a Synced>) -> String {
    let names = streams.filter(|stream| !stream.is_empty && !PLAIN.contains(&&*stream.title));
    let names: Vec<&str> = names.map(|stream| stream.title.as_str()).collect();
    let mut text = String::new();
    for (place, name) in names.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        let rest = if place + 1 < names.len() { 3 } else { 0 };
        if text.chars().count() + comma.len() + name.chars().count() + rest > PARTS {
            return text + ", …";
        }
        text = text + comma + name;
    }
    text
}

/// `5 new, 6 changed, 1 gone`.
fn counts(changes: &[Change]) -> String {
    let all = [Sign::New, Sign::Changed, Sign::Gone].map(|sign| {
        let count = changes.iter().filter(|change| change.sign == sign).count();
        (count > 0).then(|| format!("{count} {}", sign.as_str()))
    });
    let words: Vec<_> = all.into_iter().flatten().collect();
    if words.is_empty() { "nothing is new".to_owned() } else { words.join(", ") }
}
