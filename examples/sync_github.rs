//! Keeps a copy of the issues and pull requests that somebody can read at GitHub, and prints how far they are.
//!
//! `cargo run --example sync_github` runs against a fake: no account, no network. With `-- --real` it runs
//! against GitHub; it needs `GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET` of an OAuth app, and `LOOPBACK_PORT`
//! where the app is registered with one.

use std::error::Error;

use integrations_core::auth::Vault;
use integrations_core::model::{CheckState, RecordKind, ReviewState};
use integrations_examples::{changes::Watch, loopback::Loopback, providers::Providers};
use integrations_github::{GitHub, NOTIFICATIONS, SERVICE};
use integrations_stores::{SqliteStore, sqlite::RecordQuery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A host of its own says `Gateway::builder()` and `GitHubConfig::from_env()?` here.
    let providers = Providers::from_arguments().await;
    let store = SqliteStore::in_memory().await?;
    let watch = Watch::over(&store);
    let gateway = providers
        .gateway()
        .adapter(GitHub::new(providers.github()?))
        .store(store.clone())
        .sync_sink(watch.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    // The user allows access in their browser, and comes back.
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect("ada", SERVICE).redirect_uri(loopback.redirect_uri()).begin().await?;
    let connection = gateway.complete("ada", &providers.send_user(&begun.url, loopback).await?).await?;

    // The first sync lists each repository, and the user's notifications; a pull request knows its reviews.
    gateway.sync(&connection.id).await?.into_result()?;
    for repository in gateway.streams(&connection.id).await? {
        if repository.id.as_str() == NOTIFICATIONS {
            continue;
        }
        println!("{}:", repository.title);
        let all = RecordQuery::new().connection(&connection.id).stream(&repository.id);
        for record in store.records(&all.kind(RecordKind::Issue)).await? {
            let Some(issue) = record.entity.as_issue() else { continue };
            let what = format!("#{} {}", issue.id, issue.title.as_deref().unwrap_or_default());
            let (state, pull) = (issue.state.as_str(), issue.pull.as_deref());
            let review = pull.and_then(|pull| pull.review.as_ref()).map_or("", ReviewState::as_str);
            let checks = pull.and_then(|pull| pull.checks.as_ref()).map_or("", CheckState::as_str);
            println!("  {checks:<8} {review:<18} {state:<7} {what}");
        }
    }

    // From now on a sync reads what was updated, and the reviews and checks of that.
    watch.take();
    providers.let_something_happen().await?;
    gateway.sync(&connection.id).await?.into_result()?;
    println!("\nThen this has changed:");
    watch.take().iter().for_each(|change| println!("  {change}"));
    Ok(())
}
