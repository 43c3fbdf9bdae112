//! How does a person see that a sync goes on?

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use integrations_core::adapter::ServiceInfo;
use integrations_core::connection::ServiceId;
use integrations_core::observe::{Notice, Observer};
use integrations_core::sync::StreamKey;

/// One line per stream on the standard error, if that is a terminal; else nothing.
#[derive(Debug, Default)]
pub struct Bars {
    all: MultiProgress,
    streams: Mutex<HashMap<StreamKey, ProgressBar>>,
    /// What people call the services.
    names: HashMap<ServiceId, &'static str>,
}

impl Bars {
    /// With the names of these services before those of the streams.
    pub fn of<'a>(services: impl Iterator<Item = &'a ServiceInfo>) -> Self {
        Self { names: services.map(|info| (info.id.clone(), info.name)).collect(), ..Self::default() }
    }

    fn with<T>(&self, stream: &StreamKey, then: impl FnOnce(&ProgressBar) -> T) -> Option<T> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).get(stream).map(then)
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{:.0}/s", state.per_sec());
    })
}

/// Slack calls a conversation of two by the other one's id, and one of several `mpdm-ada--grace-1`.
fn shown(title: &str) -> &str {
    let is_id = title.len() >= 7
        && title.starts_with(['U', 'W'])
        && title.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if is_id || title.starts_with("mpdm-") { "direct messages" } else { title }
}

impl Observer for Bars {
    fn notice(&self, notice: &Notice<'_>) {
        match notice {
            Notice::StreamStarted { stream, title, phase } => {
                let bar = self.all.add(ProgressBar::new_spinner());
                bar.set_style(style("  {spinner:.cyan} {prefix:<36} {pos:>8} items  {rate:<10} {msg}"));
                let service = self.names.get(&stream.service).copied().unwrap_or_default();
                bar.set_prefix(format!("{service:<16}  {}", shown(title)));
                bar.set_message(match *phase {
                    "tracking" => "reading changes",
                    "listing" => "listing, where the last run stopped",
                    _ => "listing",
                });
                let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
                streams.insert((*stream).clone(), bar);
            }
            Notice::PageCommitted { stream, report } => {
                self.with(stream, |bar| {
                    bar.set_position(report.upserted + report.deleted);
                    bar.tick();
                });
            }
            Notice::StreamFinished { stream, .. } => {
                self.with(stream, |bar| {
                    bar.finish_and_clear();
                });
            }
            _ => {}
        }
    }
}
