//! How does a provider's item become a record?
//!
//! Each item goes through three kinds of stages on its own: **map** (the provider's [`Normalizer`]),
//! **validate** and **enrich** (any [`Stage`]s, in order). An item that fails in one of them is
//! [quarantined](Quarantined) with its JSON path and its raw text, and the others of its page go on.

mod validate;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;

pub use self::validate::Validate;
use crate::model::{Change, Raw, Reminder};
use crate::sync::StreamKey;

/// Maps what a provider sends to the model. Pure: the same item in the same context gives the same
/// change, and nothing else happens.
pub trait Normalizer: fmt::Debug + Send + Sync + 'static {
    /// Maps one item of a page.
    ///
    /// # Errors
    /// An [`ItemError`] with the JSON path that cannot be mapped, and the item's id if that could be read.
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError>;
}

/// What a page says about all of its items.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PageContext {
    /// The zone of items that name none.
    pub time_zone: Option<Tz>,
    /// The reminders of items that follow their calendar's.
    pub default_reminders: Vec<Reminder>,
    /// The folder of the mails, if it is one that says something of them.
    pub folder: Option<MailFolder>,
}

/// A folder of a mailbox that says something of the mails in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailFolder {
    /// They came in, and were not put away.
    Inbox,
    /// They were thrown away.
    Trash,
    /// They are taken for spam.
    Spam,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy)]
pub struct ItemContext<'a> {
    /// The stream it belongs to.
    pub stream: &'a StreamKey,
    /// What its page says about it.
    pub page: &'a PageContext,
}

/// Looks at a change, and mends, completes or refuses it.
pub trait Stage: fmt::Debug + Send + Sync + 'static {
    /// The stage's name, for the quarantine.
    fn name(&self) -> &'static str;

    /// Looks at one change.
    ///
    /// # Errors
    /// An [`ItemError`] sends the item to the quarantine.
    fn apply(&self, change: &mut Change, context: &ItemContext<'_>) -> Result<(), ItemError>;
}

/// Why an item cannot become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemError {
    /// The JSON path of what is wrong, e.g. `$.start.dateTime`.
    pub path: String,
    /// What is wrong with it. It does not show the value, which belongs to the user.
    pub reason: Cow<'static, str>,
    /// The provider's id of the item, if that could be read.
    pub id: Option<String>,
}

impl ItemError {
    /// An error at a JSON path.
    pub fn new(path: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), reason: reason.into(), id: None }
    }

    /// Names the item.
    pub fn with_id(mut self, id: Option<String>) -> Self {
        self.id = id;
        self
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl std::error::Error for ItemError {}

/// An item that could not become a record, kept for the host to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantined {
    /// The provider's id of the item, if that could be read.
    pub id: Option<String>,
    /// The stage that refused it: `map`, or the [name](Stage::name) of a stage.
    pub stage: &'static str,
    /// The JSON path of what is wrong.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
    /// The item, verbatim.
    pub raw: Raw,
}

/// The stages that every item of a service goes through.
#[derive(Debug, Clone)]
pub struct Stages {
    map: Arc<dyn Normalizer>,
    stages: Vec<Arc<dyn Stage>>,
}

/// What became of a page.
#[derive(Debug, Default)]
pub struct Normalized {
    /// What happened to the items, in the order of the page.
    pub changes: Vec<Change>,
    /// The items that could not be read.
    pub quarantined: Vec<Quarantined>,
}

impl Stages {
    /// Maps with the provider's normaliser, and validates with the family's rules.
    pub fn new(map: Arc<dyn Normalizer>) -> Self {
        Self { map, stages: vec![Arc::new(Validate)] }
    }

    /// Adds a stage behind those that are there.
    pub fn with_stage(mut self, stage: Arc<dyn Stage>) -> Self {
        self.stages.push(stage);
        self
    }

    /// Sends each item of a page through the stages.
    pub fn run(&self, items: &[Raw], stream: &StreamKey, page: &PageContext) -> Normalized {
        let context = ItemContext { stream, page };
        let mut done = Normalized { changes: Vec::with_capacity(items.len()), quarantined: Vec::new() };
        for item in items {
            match self.run_one(item, &context) {
                Ok(change) => done.changes.push(change),
                Err((stage, error)) => done.quarantined.push(Quarantined {
                    id: error.id,
                    stage,
                    path: error.path,
                    reason: error.reason.into_owned(),
                    raw: item.clone(),
                }),
            }
        }
        done
    }

    fn run_one(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, (&'static str, ItemError)> {
        let mut change = self.map.normalize(item, context).map_err(|error| ("map", error))?;
        for stage in &self.stages {
            if let Err(mut error) = stage.apply(&mut change, context) {
                error.id.get_or_insert_with(|| change.id().to_owned());
                return Err((stage.name(), error));
            }
        }
        Ok(change)
    }
}
