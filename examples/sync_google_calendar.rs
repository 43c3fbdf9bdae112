//! Keeps a copy of somebody's Google calendars, and prints the coming week.
//!
//! `cargo run --example sync_google_calendar` runs against a fake: no account, no network. With `-- --real` it
//! runs against Google; it needs `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET` of a desktop client.

use std::error::Error;

use chrono::TimeDelta;
use chrono_tz::Europe::Berlin;
use integrations_core::auth::Vault;
use integrations_core::calendar::{Limits, Window, agenda};
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_google::{GoogleCalendar, calendar::SERVICE};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `GoogleConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(GoogleCalendar::new(providers.google()?))
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists what there is. A week is made of single events, of series, and of their exceptions.
    let total = gateway.sync(&connection.id).await?.into_result()?.total();
    println!("{} events; the coming week:", total.upserted);
    let now = providers.clock().now();
    let week = Window { from: now, to: now + TimeDelta::days(7), zone: Berlin };
    let all = || RecordQuery::new().connection(&connection.id);
    let single = all().overlapping(week.from, week.to).exceptions(false);
    let mut events = Vec::new();
    for query in [single, all().recurring(true), all().exceptions(true)] {
        let records = store.records(&query).await?;
        events.extend(records.iter().filter_map(|record| record.entity.as_event().cloned()));
    }
    for one in agenda(&events, &week, &Limits::default()).occurrences {
        let start = one.start.in_zone(week.zone).format("%a %H:%M");
        println!("  {start}  {}", one.event.title.as_deref().unwrap_or("(untitled)"));
    }

    // From now on a sync reads what has changed.
    watch.take();
    providers.let_something_happen().await?;
    gateway.sync(&connection.id).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}
