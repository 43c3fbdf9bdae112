//! What the user reads: text for people, or one JSON document for machines.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use integrations_core::Connection;
use integrations_core::adapter::Stream;
use integrations_core::sync::SyncReport;
use serde_json::{Map, Value, json};

use super::agenda::Week;
use super::provider::{Provider, Told};

const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const NEW: Style = AnsiColor::Green.on_default();
const GONE: Style = AnsiColor::Red.on_default();
const EDITED: Style = AnsiColor::Yellow.on_default();

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

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { document: json.then(Map::new) }
    }

    /// Adds to the document and says whether that is all there is to do.
    fn add(&mut self, key: &str, value: Value) -> bool {
        self.document.as_mut().map(|document| document.insert(key.to_owned(), value)).is_some()
    }

    pub(crate) fn provider(&mut self, provider: &Provider) {
        let now = provider.clock().now();
        if self.add("provider", json!({"url": provider.url(), "fake": provider.is_fake(), "now": now})) {
            return;
        }
        if provider.is_fake() {
            say!(
                "{DIM}A fake Google listens at {}; its clock stands at {}.{DIM:#}",
                provider.url(),
                now.format("%a %-d %b %Y, %H:%M UTC")
            );
        }
    }

    pub(crate) fn connected(&mut self, connection: &Connection, known: bool) {
        let account = connection.account.email.as_deref().unwrap_or(connection.account.id.as_str());
        if self.add("connection", json!({"id": connection.id, "account": account, "known": known})) {
            return;
        }
        let again = if known { ", known from an earlier run" } else { "" };
        say!("\n{HEAD}Connected{HEAD:#}  {account} {DIM}({}{again}){DIM:#}", connection.id);
    }

    pub(crate) fn first_sync(&mut self, streams: &[Stream], report: &SyncReport) {
        let reports: Vec<_> = streams
            .iter()
            .zip(&report.streams)
            .filter_map(|(stream, (_, report))| Some((stream, report.as_ref().ok()?)))
            .collect();
        let rows = reports
            .iter()
            .map(|(stream, report)| json!({"id": stream.id, "title": stream.title, "report": report}));
        if self.add("first_sync", rows.collect()) {
            return;
        }
        let goes_on = reports.iter().any(|(_, report)| report.started_in != "start");
        if goes_on {
            say!("\n{HEAD}Synced{HEAD:#}  from where the last run stopped");
        } else {
            say!("\n{HEAD}Synced{HEAD:#}  {} calendars for the first time", reports.len());
        }
        for (stream, report) in reports {
            let zone = stream.time_zone.map_or_else(String::new, |zone| zone.to_string());
            let count = match report.started_in {
                "start" => format!("{} events", report.upserted),
                _ => format!("{} updated, {} deleted", report.upserted, report.deleted),
            };
            let odd = if report.quarantined > 0 {
                format!(", {} in quarantine", report.quarantined)
            } else {
                String::new()
            };
            say!("  {:<14} {:<18} {count}{odd}", stream.title, zone);
        }
    }

    pub(crate) fn changes(&mut self, told: &Told, report: &SyncReport, served: u64) {
        let total = report.total();
        let changes = json!({
            "edited": told.edited, "added": told.added, "deleted": told.deleted,
            "items_fetched": served, "report": total,
        });
        if self.add("changes", changes) {
            return;
        }
        say!("\n{HEAD}Then, at the provider{HEAD:#}");
        say!("  {EDITED}~{EDITED:#} {}", told.edited);
        say!("  {NEW}+{NEW:#} {}", told.added);
        say!("  {GONE}-{GONE:#} {}", told.deleted);
        say!(
            "{HEAD}Synced again{HEAD:#}  fetched exactly {served} events: {} updated, {} deleted",
            total.upserted,
            total.deleted
        );
    }

    pub(crate) fn week(&mut self, week: &Week, streams: &[Stream]) {
        let titles: HashMap<_, _> =
            streams.iter().map(|stream| (stream.id.as_str(), stream.title.as_str())).collect();
        let calendar = |id: &str| titles.get(id).map_or_else(|| id.to_owned(), |title| (*title).to_owned());
        let rows = week.entries.iter().map(|entry| {
            json!({
                "day": entry.day, "time": entry.time, "title": entry.title,
                "calendar": calendar(&entry.calendar), "place": entry.place,
            })
        });
        let agenda =
            json!({"zone": week.zone.name(), "entries": rows.collect::<Value>(), "failures": week.failures});
        if self.add("agenda", agenda) {
            return;
        }
        say!("\n{HEAD}The coming week{HEAD:#}  {DIM}in {}{DIM:#}", week.zone);
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["Day", "Time", "What", "Calendar", "Where"]);
        let mut day = None;
        for entry in &week.entries {
            let shown = if day == Some(entry.day) {
                String::new()
            } else {
                entry.day.format("%a %-d %b").to_string()
            };
            day = Some(entry.day);
            table.add_row([&shown, &entry.time, &entry.title, &calendar(&entry.calendar), &entry.place]);
        }
        say!("{table}");
        if week.failures > 0 {
            say!("{} events repeat in a way that cannot be expanded", week.failures);
        }
    }

    pub(crate) fn kept(&mut self, db: &Path) {
        if self.add("database", json!(db)) {
            return;
        }
        say!("{DIM}Kept in {}: run it again to go on from here.{DIM:#}", db.display());
    }

    /// Prints what was collected.
    pub(crate) fn end(self) -> std::io::Result<()> {
        if let Some(document) = self.document {
            writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&document)?)?;
        }
        Ok(())
    }
}
