//! How does a value live in a file, so that no crash loses or halves it?

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A collection: all of it in memory, and the same in a JSON file.
#[derive(Debug)]
pub(crate) struct Collection<T> {
    path: PathBuf,
    value: Mutex<T>,
}

impl<T: Clone + Default + PartialEq + Serialize + DeserializeOwned> Collection<T> {
    /// Reads the file, if there is one.
    pub(crate) fn open(directory: &Path, name: &str) -> Result<Self> {
        let path = directory.join(name);
        let value = match std::fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| {
                // Its text may hold what the file does: only its kind and its place are told.
                let place = format!("{:?} error at line {}", error.classify(), error.line());
                Error::new(ErrorKind::Store, format!("{name} is not what this version writes"))
                    .with_source(place)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
            Err(error) => return Err(failed(name, "read", error)),
        };
        Ok(Self { path, value: Mutex::new(value) })
    }

    /// Looks at it.
    pub(crate) fn look(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it in one step. Where the change is refused, or cannot be written, nothing has happened; where this
    /// returns `Ok`, it is on disk. Nobody sees it before.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut value = self.look();
        let mut next = value.clone();
        let result = change(&mut next)?;
        if next != *value {
            self.write(&next).map_err(|error| failed(&self.path.display().to_string(), "written", error))?;
            *value = next;
        }
        Ok(result)
    }

    /// A new file takes the place of the old one, whole: a crash leaves one of the two.
    fn write(&self, value: &T) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        // The name, too, has to be on disk. Only on Unix can a directory be opened for that.
        match self.path.parent() {
            Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
            _ => Ok(()),
        }
    }
}

fn failed(name: &str, what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Store, format!("{name} cannot be {what}; look at the disk and the file's rights"))
        .with_source(error)
}

/// Keeps other processes out, as long as it lives.
pub(crate) fn lock(directory: &Path) -> Result<File> {
    let lock = File::create(directory.join("lock")).map_err(|error| failed("lock", "made", error))?;
    lock.try_lock().map_err(|_| {
        Error::new(ErrorKind::Store, "another process works with this directory; stop it first")
    })?;
    Ok(lock)
}

/// Bytes, which JSON has not: in base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl From<Blob> for String {
    fn from(Blob(bytes): Blob) -> Self {
        BASE64_STANDARD.encode(bytes)
    }
}

impl TryFrom<String> for Blob {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        BASE64_STANDARD.decode(text).map(Self)
    }
}

/// So long after an instant; the end of time for what is longer than time.
pub(crate) fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
