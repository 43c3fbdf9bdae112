//! How does what was deleted or replaced leave the file?
//!
//! SQLite marks the place of a deleted row as free and overwrites it one day. Until then the bytes stand in
//! the file, and in the write-ahead log beside it.

use integrations_core::{Error, ErrorKind, Result};

use super::SqliteStore;
use super::failure::OrStore;

const OPERATION: &str = "sqlite.compact";

impl SqliteStore {
    /// Writes the file anew, so that nothing that was deleted or replaced is left in it: records that were
    /// erased, or tokens as they were sealed before a [rotation](integrations_core::auth::rotate_keys) of
    /// the keys. It gives the free space back, too.
    ///
    /// Reads go on meanwhile, and writes wait. For a time the file and its log need three times the space.
    /// Copies of the file, e.g. backups, stay as they are, and so does what a disk keeps of files that were
    /// overwritten.
    ///
    /// # Errors
    /// [`ErrorKind::Store`], code `database_busy` when another process reads or writes for longer than the
    /// busy timeout: nothing is lost, and some of the old bytes may be left; call it again.
    ///
    /// # Cancel safety
    /// Once it has begun it runs to its end.
    pub async fn compact(&self) -> Result<()> {
        let work = self.inner.writer.outside_transaction(OPERATION, |connection| {
            Box::pin(async move {
                sqlx::query("VACUUM").execute(&mut *connection).await.or_store(OPERATION)?;
                // The pages from before are in the log, and in the file until they are copied over.
                let (busy, ..): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
                    .fetch_one(connection)
                    .await
                    .or_store(OPERATION)?;
                Ok(busy != 0)
            })
        });
        if work.await? {
            return Err(Error::new(
                ErrorKind::Store,
                "somebody reads the database for too long to empty its log; try again",
            )
            .with_code("database_busy")
            .with_operation(OPERATION));
        }
        Ok(())
    }
}
