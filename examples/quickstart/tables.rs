//! How are the agenda, the inbox and the tasks laid out?

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, Width, presets};
use integrations_core::connection::ServiceId;
use integrations_core::model::CheckState;

use super::agenda::{Kind, Week};
use super::inbox::{Inbox, Line, Thread};
use super::todo::{Open, Work};

/// How wide a table is where the terminal does not say, and at the most.
const WIDTH: u16 = 100;
/// How wide the names of places and of people are at the most.
const PLACE: u16 = 19;
const PERSON: u16 = 17;
/// How much of what is to do is shown.
const SHOWN: usize = 16;

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    let width = table.width().unwrap_or(WIDTH).min(WIDTH);
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    // Whoever prints it takes the colours away where they do not belong.
    table.enforce_styling().style_text_only();
    table.set_header(header.iter().copied().map(dim));
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding(if number == 0 { (1, 1) } else { (0, 2) });
        // What is too long is cut anywhere, and not at a blank.
        column.set_delimiter('\0');
    }
    table
}

fn dim(text: &str) -> Cell {
    styled(text, Attribute::Dim)
}

fn bold(text: &str, is_bold: bool) -> Cell {
    if is_bold { styled(text, Attribute::Bold) } else { Cell::new(text) }
}

/// What is empty stays so, and does not keep the end of a line from being cut.
fn styled(text: &str, attribute: Attribute) -> Cell {
    if text.is_empty() { Cell::new("") } else { Cell::new(text).add_attribute(attribute) }
}

/// One line, however long its texts are.
fn add(table: &mut Table, cells: Vec<Cell>) {
    let mut row = Row::from(cells);
    row.max_height(1);
    table.add_row(row);
}

pub(crate) fn week(week: &Week) -> String {
    let mut table = table(&["", "Day", "Time", "What", "Calendar", "Where"]);
    let mut last = None;
    for entry in &week.entries {
        let is_new = last.replace(entry.day) != Some(entry.day);
        let day = if is_new { entry.day.format("%a %-d %b").to_string() } else { String::new() };
        let (mark, time) = if entry.kind == Kind::Task {
            ("☐", Cell::new(&entry.time).fg(Color::DarkYellow))
        } else {
            ("", Cell::new(&entry.time).fg(Color::DarkCyan))
        };
        let cells = vec![
            Cell::new(mark).fg(Color::DarkYellow),
            bold(&day, true),
            time,
            Cell::new(&entry.title),
            dim(&entry.calendar),
            dim(&entry.place),
        ];
        add(&mut table, cells);
    }
    table.trim_fmt()
}

pub(crate) fn inbox(inbox: &Inbox, now: DateTime<Tz>, name: impl Fn(&ServiceId) -> &'static str) -> String {
    let mut table = table(&["", "When", "Where", "Who", "What"]);
    for (column, most) in [(2, PLACE), (3, PERSON)] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(most + 2)));
        }
    }
    for thread in &inbox.threads {
        let Thread { service, also, place, line, replies, others, .. } = thread;
        let unread = thread.is_unread() == Some(true);
        let all: Vec<_> = [service].into_iter().chain(also).map(&name).collect();
        let all = all.join(", ");
        let place = place.as_ref().map_or_else(|| all.clone(), |place| format!("{all} {place}"));
        let (at, mut who, text) = match line {
            Some(line) => (when(line.at, &now), line.who.clone(), shown(line)),
            None => (String::new(), String::new(), "(a message that is gone)".to_owned()),
        };
        // Mails with the same subject stand in one line.
        if replies.is_empty() && *others > 0 {
            who = format!("{who} ({})", others + 1);
        }
        let cells = vec![
            Cell::new(if unread { "●" } else { "" }).fg(Color::Blue),
            Cell::new(at).fg(Color::DarkCyan),
            dim(&place),
            bold(&who, unread),
            bold(&text, unread),
        ];
        add(&mut table, cells);
        if !replies.is_empty() && *others > 0 {
            let earlier = format!("↳ {others} earlier");
            add(&mut table, vec![Cell::new(""), Cell::new(""), Cell::new(""), Cell::new(""), dim(&earlier)]);
        }
        for reply in replies {
            let text = format!("↳ {}", shown(reply));
            let cells = vec![
                Cell::new(""),
                Cell::new(when(reply.at, &now)).fg(Color::DarkCyan),
                Cell::new(""),
                Cell::new(&reply.who),
                Cell::new(text),
            ];
            add(&mut table, cells);
        }
    }
    let mut text = table.trim_fmt();
    if inbox.more {
        text += "\n   and older ones";
    }
    text
}

/// The time of today, else the day of this week, else the date.
fn when(at: Option<DateTime<Utc>>, now: &DateTime<Tz>) -> String {
    let Some(at) = at.map(|at| at.with_timezone(&now.timezone())) else { return String::new() };
    let format = match (now.date_naive() - at.date_naive()).num_days() {
        ..=0 => "%H:%M",
        1..7 => "%a %H:%M",
        _ => "%-d %b",
    };
    at.format(format).to_string()
}

/// With a mark where it was changed.
fn shown(line: &Line) -> String {
    if line.edited { format!("✎ {}", line.text) } else { line.text.clone() }
}

pub(crate) fn open_work(work: &[Open], today: NaiveDate) -> String {
    let mut table = table(&["", "Due", "What", "Where", "State"]);
    for one in work.iter().take(SHOWN) {
        let days = one.due.map(|due| (due - today).num_days());
        let due = match (one.due, days) {
            (Some(due), Some(..0)) => {
                Cell::new(format!("overdue, {}", due.format("%-d %b"))).fg(Color::DarkRed)
            }
            (_, Some(0)) => Cell::new("today").fg(Color::DarkYellow),
            (_, Some(1)) => Cell::new("tomorrow").fg(Color::DarkYellow),
            (Some(due), _) => Cell::new(due.format("%a %-d %b")),
            (None, _) => Cell::new(""),
        };
        let mark = match one.kind {
            Work::Task => "☐",
            Work::Issue => "○",
            Work::Review | Work::Pull => "⇄",
        };
        let title = if one.part { format!("↳ {}", one.title) } else { one.title.clone() };
        let state = one.state.join(", ");
        let state = match &one.checks {
            Some(CheckState::Success) => Cell::new(format!("✓ {state}")).fg(Color::DarkGreen),
            Some(CheckState::Failure) => Cell::new(format!("✗ {state}")).fg(Color::DarkRed),
            Some(_) => Cell::new(format!("… {state}")).fg(Color::DarkYellow),
            None => dim(&state),
        };
        let cells = vec![Cell::new(mark).fg(Color::DarkYellow), due, Cell::new(title), dim(&one.list), state];
        add(&mut table, cells);
    }
    let text = table.trim_fmt();
    match work.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text}\n   and {more} more"),
    }
}
