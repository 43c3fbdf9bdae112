//! How does the fake Graph look as Outlook's calendar?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::connection::StreamId;
use serde_json::{Value, json};

use crate::msgraph::{CalendarSpec, FakeGraph};
use crate::scenario::{Answer, Fake, FakeServer, ODD_WORD, SetUp};

const MAIN: &str = "Calendar";

/// A fake Graph whose account has one calendar, and more when they are added.
#[derive(Debug)]
pub struct OutlookCalendar {
    graph: FakeGraph,
    /// How often something has happened; no two titles are the same.
    happened: AtomicUsize,
}

impl OutlookCalendar {
    /// Starts it.
    ///
    /// # Errors
    /// None: Graph has all that can be asked of it.
    pub async fn start(set_up: SetUp) -> Answer<Self> {
        let graph = FakeGraph::builder()
            .clock(Arc::new(set_up.clock))
            .page_cap(set_up.page_cap)
            .empty_pages(set_up.empty_pages)
            .calendar(CalendarSpec::new(MAIN).time_zone("W. Europe Standard Time").default_calendar())
            .start()
            .await;
        Ok(Self { graph, happened: AtomicUsize::new(0) })
    }

    /// The fake Graph.
    pub const fn graph(&self) -> &FakeGraph {
        &self.graph
    }

    fn title(&self) -> String {
        format!("No. {}", self.happened.fetch_add(1, Ordering::SeqCst))
    }
}

/// An event of an hour, from a time on.
fn event(title: &str, at: DateTime<Utc>) -> Value {
    let time = |at: DateTime<Utc>| json!({"dateTime": at.naive_utc(), "timeZone": "UTC"});
    json!({"subject": title, "start": time(at), "end": time(at + TimeDelta::hours(1))})
}

impl Fake for OutlookCalendar {
    fn server(&self) -> &dyn FakeServer {
        &self.graph
    }

    fn stream(&self) -> StreamId {
        self.graph.calendar_id(MAIN).into()
    }

    fn listing(&self) -> &'static [&'static str] {
        &["calendarView.delta"]
    }

    fn add(&self, stream: &StreamId) -> String {
        self.graph.insert_event(stream.as_str(), json!({"subject": self.title()}))
    }

    fn change(&self, id: &str) {
        self.graph.patch_event(id, json!({"subject": self.title()}));
    }

    fn delete(&self, id: &str) {
        self.graph.delete_event(id);
    }

    fn there(&self, stream: &StreamId) -> BTreeMap<String, String> {
        let etag = |id: &str| {
            let event = self.graph.event(id).unwrap_or_default();
            event["@odata.etag"].as_str().unwrap_or_default().to_owned()
        };
        let ids = self.graph.event_ids(stream.as_str()).into_iter();
        ids.map(|id| (etag(&id), id)).map(|(etag, id)| (id, etag)).collect()
    }

    fn add_at(&self, at: DateTime<Utc>) -> Answer<String> {
        Ok(self.graph.insert_event(MAIN, event(&self.title(), at)))
    }

    fn malform(&self, id: &str) -> Answer {
        let text = json!({"id": id, "type": "singleInstance", "start": {"dateTime": "tomorrow"}});
        self.graph.garble_event(id, &text.to_string());
        Ok(())
    }

    fn mend(&self, id: &str) {
        self.graph.mend_event(id);
    }

    fn odd_word(&self, id: &str) -> Answer {
        self.graph.patch_event(id, json!({"sensitivity": ODD_WORD}));
        Ok(())
    }

    fn repeat(&self, id: &str) -> Answer {
        let Some(event) = self.graph.event(id) else { panic!("no event {id} to be repeated") };
        self.graph.raw_event(MAIN, &event.to_string());
        Ok(())
    }

    fn add_stream(&self) -> Answer<StreamId> {
        Ok(self.graph.add_calendar(CalendarSpec::new(&self.title())).into())
    }

    fn remove_stream(&self, stream: &StreamId) {
        self.graph.remove_calendar(stream.as_str());
    }

    fn forget_positions(&self) -> Answer {
        self.graph.expire_delta_tokens();
        Ok(())
    }

    fn forget_pages(&self) -> Answer {
        self.graph.expire_skip_tokens();
        Ok(())
    }
}
