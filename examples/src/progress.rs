//! How does a person see that a sync goes on?

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use integrations_core::connection::StreamId;
use integrations_core::observe::{Notice, Observer};

/// One line per stream on the standard error, if that is a terminal; else nothing.
#[derive(Debug, Default)]
pub struct Bars {
    all: MultiProgress,
    streams: Mutex<HashMap<StreamId, ProgressBar>>,
}

impl Bars {
    fn with<T>(&self, stream: &StreamId, then: impl FnOnce(&ProgressBar) -> T) -> Option<T> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).get(stream).map(then)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Observer for Bars {
    fn notice(&self, notice: &Notice<'_>) {
        match notice {
            Notice::StreamStarted { stream, title, phase } => {
                let bar = self.all.add(ProgressBar::new_spinner());
                bar.set_style(style("  {spinner:.cyan} {prefix:<22} {pos:>8} items  {per_sec:<14} {msg}"));
                bar.set_prefix((*title).to_owned());
                bar.set_message(match *phase {
                    "tracking" => "reading changes",
                    "listing" => "listing, where the last run stopped",
                    _ => "listing",
                });
                let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
                streams.insert(stream.stream.clone(), bar);
            }
            Notice::PageCommitted { stream, report } => {
                self.with(&stream.stream, |bar| {
                    bar.set_position(report.upserted + report.deleted);
                    bar.tick();
                });
            }
            Notice::StreamFinished { stream, .. } => {
                self.with(&stream.stream, |bar| {
                    bar.finish_and_clear();
                });
            }
            _ => {}
        }
    }
}
