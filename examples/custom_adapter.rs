//! Syncs a service that the family does not know: a small issue tracker, with an adapter of one's own.
//!
//! `adapter.rs` is all that it takes; `docs/adding-a-service.md` walks through it. The tracker is a fake
//! (`fake.rs`), which the family's scenarios of sync are played on at the end of this file:
//! `cargo test -p integrations-examples --example custom_adapter`.

#[path = "custom_adapter/adapter.rs"]
mod adapter;
#[path = "custom_adapter/fake.rs"]
mod fake;

use std::error::Error;
use std::sync::Arc;

use integrations_core::auth::Vault;
use integrations_core::clock::SystemClock;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::model::IssueState;
use integrations_core::{ApiKey, Gateway};
use integrations_examples::changes::Watch;
use integrations_stores::{SqliteStore, sqlite::RecordQuery};
use serde_json::{Value, json};

use self::adapter::Tracker;
use self::fake::{FakeTracker, KEY, MAIN};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tracker = FakeTracker::start(Arc::new(SystemClock::new()), 100, false).await;
    let write = |id: Option<&str>, fields: Value| tracker.write(MAIN, id, fields);
    let clocks = write(None, json!({"title": "The clock in the hall is four minutes fast"}));
    let door = write(None, json!({"title": "The door of the lab sticks"}));
    write(None, json!({"title": "Order new drums for the printer", "state": "done"}));

    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = Gateway::builder()
        .adapter(Tracker::at(tracker.url()))
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .transport(Arc::new(ReqwestTransport::new("custom_adapter")?))
        .build()?;
    let connection = gateway.connect_with_key("ada", "tracker", ApiKey::new(KEY)).await?;

    gateway.sync(&connection.id).await?.into_result()?;
    for record in store.records(&RecordQuery::new().connection(&connection.id)).await? {
        let Some(issue) = record.entity.as_issue() else { continue };
        let mark = if issue.state == IssueState::Open { "☐" } else { "☑" };
        println!("{mark} {}", issue.title.as_deref().unwrap_or("(untitled)"));
    }

    // From now on a sync reads what has changed, what is gone among it.
    watch.take();
    write(Some(&clocks), json!({"state": "done"}));
    write(Some(&door), json!({"deleted": true}));
    write(None, json!({"title": "A second kettle"}));
    gateway.sync(&connection.id).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use integrations_testkit::scenario::Subject;

    use super::*;

    fn subject() -> Subject {
        Subject::new(
            FakeTracker::set_up,
            |fake| Tracker::at(fake.url()),
            || Arc::new(ReqwestTransport::new("tests").unwrap()),
        )
    }

    integrations_testkit::scenarios!(subject, not_here: {
        a_token_that_is_refused_between_pages_is_refreshed_once: "a key does not expire",
        a_window_is_kept_to: "the tracker's issues are in every window",
        a_window_is_asked_for: "the tracker's issues are in every window",
        a_wider_window_lists_again: "the tracker's issues are in every window",
        an_adapter_that_takes_its_mark_last: "a walk goes on to what happens while it is read",
    });
}
