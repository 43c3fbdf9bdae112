//! Keeps a copy of somebody's calendars at Outlook, and prints the coming week.
//!
//! `cargo run --example sync_outlook_calendar` runs against a fake: no account, no network. With `-- --real` it
//! runs against Microsoft; it needs `MICROSOFT_CLIENT_ID`, and of an app that has one `MICROSOFT_CLIENT_SECRET`.

use std::error::Error;

use chrono::TimeDelta;
use chrono_tz::Europe::Berlin;
use integrations_core::{auth::Vault, calendar};
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_msgraph::{OutlookCalendar, calendar::SERVICE};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `GraphConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(OutlookCalendar::new(providers.microsoft()?)?)
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists half a year back and a year ahead. Graph spells series out; here each is one event.
    let total = gateway.sync(&connection.id).await?.into_result()?.total();
    println!("{} events; the coming week:", total.upserted);
    let now = providers.clock().now();
    let week = calendar::Window { from: now, to: now + TimeDelta::days(7), zone: Berlin };
    let records = store.records(&RecordQuery::new().connection(&connection.id)).await?;
    let events = records.iter().filter_map(|record| record.entity.as_event());
    for one in calendar::agenda(events, &week, &calendar::Limits::default()).occurrences {
        let title = one.event.title.as_deref().unwrap_or("(untitled)");
        let again = if one.event.is_series() { ", a series" } else { "" };
        println!("  {}  {title}{again}", one.start.in_zone(Berlin).format("%a %H:%M"));
    }

    // From now on a sync reads what has changed.
    watch.take();
    providers.let_something_happen().await?;
    gateway.sync(&connection.id).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}
