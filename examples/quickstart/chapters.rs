//! How far has the story been told to whom?
//!
//! The fakes forget everything when the program ends; a database that is kept does not. So the database says
//! how many chapters it has seen, and the fakes are brought to where they were.

use std::time::Duration;

use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use integrations_examples::story::{Deed, Story};
use integrations_stores::SqliteStore;

const CHAPTERS: &str = "quickstart:chapters";
const YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Tells what was told before.
pub(crate) async fn take_up(story: &Story, db: &SqliteStore) -> Result<()> {
    for _ in 0..told(db).await? {
        story.go_on();
    }
    Ok(())
}

/// Tells the next chapter.
pub(crate) async fn go_on(story: &Story, db: &SqliteStore) -> Result<Vec<Deed>> {
    let chapters = told(db).await? + 1;
    db.put(CHAPTERS, chapters.to_string().as_bytes(), YEARS).await?;
    Ok(story.go_on())
}

async fn told(db: &SqliteStore) -> Result<u64> {
    let stored = KeyValueStore::get(db, CHAPTERS).await?;
    Ok(stored.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).unwrap_or(0))
}
