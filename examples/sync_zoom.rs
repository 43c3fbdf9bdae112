//! Keeps a copy of somebody's meetings at Zoom: those that are planned, and those that were held.
//!
//! `cargo run --example sync_zoom` runs against a fake: no account, no network. With `-- --real` it runs against
//! Zoom; it needs `ZOOM_CLIENT_ID` and `ZOOM_CLIENT_SECRET`, and `LOOPBACK_PORT`, with
//! `http://127.0.0.1:PORT/callback` registered at Zoom.

use std::error::Error;

use chrono_tz::Europe::Berlin;
use integrations_core::{auth::Vault, model::MeetingStatus};
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};
use integrations_zoom::{SERVICE, Zoom};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `ZoomConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(Zoom::new(providers.zoom()?)?)
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists what is planned, and what was held in the last months: who was there, what was recorded.
    gateway.sync(&connection.id).await?.into_result()?;
    for record in store.records(&RecordQuery::new().connection(&connection.id)).await? {
        let Some(meeting) = record.entity.as_meeting() else { continue };
        let start =
            meeting.start.as_ref().map(|start| start.in_zone(Berlin).format("%a %-d %b %H:%M").to_string());
        let title = meeting.title.as_deref().unwrap_or("(untitled)");
        print!("  {:<16}  {title}", start.unwrap_or_default());
        if meeting.status == MeetingStatus::Ended {
            let people = meeting.participants.iter().filter_map(|one| one.person.name.as_deref());
            let people = people.collect::<Vec<_>>().join(", ");
            print!(": held with {people}; {} recordings", meeting.recordings.len());
        } else if !meeting.occurrences.is_empty() {
            print!(", and {} times more", meeting.occurrences.len().saturating_sub(1));
        }
        println!();
    }

    // From now on a sync looks for what was planned, changed and held meanwhile.
    watch.take();
    providers.let_something_happen().await?;
    gateway.sync(&connection.id).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}
