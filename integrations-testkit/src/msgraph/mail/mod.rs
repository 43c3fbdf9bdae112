//! What is in the mailbox, and what may a test do with it?

mod attachment;
mod delta;
mod folders;
mod generate;
mod handle;
mod lists;
mod message;
mod render;
mod spec;

use serde_json::{Map, Value, json};

pub(super) use self::attachment::{
    get as get_attachment, list as list_attachments, value as attachment_value,
};
pub(super) use self::delta::round;
pub(super) use self::folders::{children, list as list_folders, round as folder_round, show as show_folder};
pub(super) use self::lists::{get, list};
pub(super) use self::message::MessageField;
pub use self::spec::FolderSpec;

use self::generate::{Generator, Role};
use self::message::{Letter, Message};
use super::errors::Refusal;
use super::ids::{Ids, Kind, Name};
use super::store::{Key, Store};

/// The folders that every mailbox has: the well-known name, and what Outlook calls it. The first holds the
/// others.
const STANDARD: [(&str, &str); 9] = [
    ("msgfolderroot", "Top of Information Store"),
    ("inbox", "Inbox"),
    ("drafts", "Drafts"),
    ("sentitems", "Sent Items"),
    ("deleteditems", "Deleted Items"),
    ("junkemail", "Junk Email"),
    ("archive", "Archive"),
    ("outbox", "Outbox"),
    ("conversationhistory", "Conversation History"),
];

const ROOT: usize = 0;

/// A folder of the mailbox.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) id: String,
    name: String,
    well_known: Option<&'static str>,
    parent: usize,
    hidden: bool,
    removed: bool,
    /// Of its latest change.
    version: u64,
    generator: Generator,
}

/// The mailbox.
#[derive(Debug)]
pub(super) struct Mail {
    folders: Vec<Folder>,
    store: Store<Letter>,
    /// Counts the changes to folders themselves.
    version: u64,
    seed: u64,
    user: Value,
}

/// Where a message comes from.
enum Source<'a> {
    Stored(&'a Message),
    Generated(&'a Generator, u64),
    Raw(&'a str),
}

impl Mail {
    /// A mailbox with the folders that every one has, filled as the specs say.
    pub(super) fn new(
        seed: u64,
        name: &str,
        address: &str,
        specs: &[FolderSpec],
        ids: &Ids,
        now: i64,
    ) -> Self {
        let user = json!({"name": name, "address": address});
        let mut mail = Self { folders: Vec::new(), store: Store::default(), version: 0, seed, user };
        for (well_known, name) in STANDARD {
            let filled = |spec: &&FolderSpec| spec.well_known && spec.name.eq_ignore_ascii_case(well_known);
            let spec = specs.iter().rev().find(filled);
            let (generated, hidden) = spec.map_or((0, false), |spec| (spec.generated, spec.hidden));
            mail.push(name, Some(well_known), ROOT, hidden, generated, ids, now);
        }
        for spec in specs {
            if !spec.well_known {
                mail.add(spec, ids, now);
                continue;
            }
            let known = STANDARD.iter().any(|(name, _)| name.eq_ignore_ascii_case(&spec.name));
            assert!(known, "{:?} is no well-known folder of this fake", spec.name);
        }
        mail
    }

    /// Adds a folder; returns its number.
    pub(super) fn add(&mut self, spec: &FolderSpec, ids: &Ids, now: i64) -> usize {
        assert!(!spec.well_known, "{:?} is there already: fill it in the builder", spec.name);
        let parent = self.named(ids, &spec.parent);
        let parent = parent.unwrap_or_else(|| panic!("no folder {:?} in this fake", spec.parent));
        self.push(&spec.name, None, parent, spec.hidden, spec.generated, ids, now)
    }

    #[allow(clippy::too_many_arguments, reason = "all of what a folder is")]
    fn push(
        &mut self,
        name: &str,
        well_known: Option<&'static str>,
        parent: usize,
        hidden: bool,
        generated: u64,
        ids: &Ids,
        now: i64,
    ) -> usize {
        let number = self.store.add_container(generated);
        let role = match well_known {
            Some("sentitems" | "outbox") => Role::Sent,
            Some("drafts") => Role::Draft,
            _ => Role::Received,
        };
        self.version += 1;
        self.folders.push(Folder {
            id: ids.container(Kind::Folder, number),
            name: name.to_owned(),
            well_known,
            parent,
            hidden,
            removed: false,
            version: self.version,
            generator: Generator::new(
                self.seed,
                well_known.unwrap_or(name),
                role,
                generated,
                &self.user,
                now,
            ),
        });
        number
    }

    /// Changes what a folder itself is.
    fn change_folder(&mut self, folder: usize, change: impl FnOnce(&mut Folder)) {
        self.version += 1;
        self.folders[folder].version = self.version;
        change(&mut self.folders[folder]);
    }

    /// Removes a folder, with the folders in it.
    fn remove_folder(&mut self, folder: usize) {
        self.change_folder(folder, |folder| folder.removed = true);
        self.store.remove_container(folder);
        let inside: Vec<usize> =
            self.present().filter(|(_, inner)| inner.parent == folder).map(|(n, _)| n).collect();
        for inner in inside.into_iter().filter(|inner| *inner != folder) {
            self.remove_folder(inner);
        }
    }

    /// The folders that are there, with their numbers, the root included.
    fn present(&self) -> impl Iterator<Item = (usize, &Folder)> {
        self.folders.iter().enumerate().filter(|(_, folder)| !folder.removed)
    }

    /// The folder that a test means: an id, a well-known name, or a name.
    fn named(&self, ids: &Ids, folder: &str) -> Option<usize> {
        let by_name = || self.present().find(|(_, known)| known.name == folder).map(|(number, _)| number);
        self.find_folder(ids, folder).ok().or_else(by_name)
    }

    /// The folder of a request's path: an id or a well-known name.
    pub(super) fn find_folder(&self, ids: &Ids, folder: &str) -> Result<usize, Refusal> {
        let mut standard = self.folders.iter().take(STANDARD.len());
        let known =
            standard.position(|known| known.well_known.is_some_and(|n| n.eq_ignore_ascii_case(folder)));
        let number = if known.is_some() {
            known
        } else {
            let name = ids.read(folder)?;
            usize::try_from(name.key.number()).ok().filter(|_| name.kind == Kind::Folder)
        };
        let there = |number: &usize| self.folders.get(*number).is_some_and(|folder| !folder.removed);
        number.filter(there).ok_or_else(Refusal::not_found)
    }

    /// The message of an id.
    pub(super) fn find_message(&self, ids: &Ids, id: &str) -> Result<Key, Refusal> {
        let Name { kind, key, moves, .. } = ids.read(id)?;
        let found = self.store.find(key).filter(|_| kind == Kind::Message);
        let (_, moved) = found.ok_or_else(Refusal::not_found)?;
        // The usual id of an item dies with every move.
        if moves.is_some_and(|moves| moves != moved) {
            return Err(Refusal::not_found());
        }
        Ok(key)
    }

    fn source(&self, key: Key) -> Option<Source<'_>> {
        if let Some(entry) = self.store.entry(key) {
            return Some(match &entry.item {
                Letter::Message(message) if message.garbled.is_some() => {
                    Source::Raw(message.garbled.as_deref().unwrap_or_default())
                }
                Letter::Message(message) => Source::Stored(message),
                Letter::Raw(text) => Source::Raw(text),
            });
        }
        let (folder, index) = key.origin()?;
        Some(Source::Generated(&self.folders.get(folder)?.generator, index))
    }

    /// When a message was received; text of the test always is in question.
    fn received(&self, key: Key) -> i64 {
        match self.source(key) {
            Some(Source::Stored(message)) => message.received(),
            Some(Source::Generated(generator, index)) => generator.received(index),
            _ => i64::MAX,
        }
    }

    /// How many messages of each folder are unread.
    fn unread(&self) -> Vec<i64> {
        let whole = |folder: &Folder| i64::try_from(folder.generator.unread()).unwrap_or(i64::MAX);
        let mut unread: Vec<i64> = self.folders.iter().map(whole).collect();
        for (key, entry) in self.store.entries() {
            if let Some((folder, index)) = key.origin() {
                unread[folder] -= i64::from(!self.folders[folder].generator.is_read(index));
            }
            if let (Some(folder), Letter::Message(message)) = (entry.at, &entry.item) {
                unread[folder] += i64::from(!message.is_read());
            }
        }
        unread
    }

    fn insert(&mut self, folder: usize, message: Map<String, Value>, now: i64) -> Key {
        let number = mix_number(self.store.version() + 1, self.seed);
        let message = Message::fill(message, &self.user, number, now);
        self.store.insert(folder, Letter::Message(Box::new(message)), now)
    }

    fn change(&mut self, key: Key, now: i64, change: impl FnOnce(&mut Message)) {
        self.adopt(key);
        self.store.touch(key, now, |letter| {
            if let Letter::Message(message) = letter {
                message.just_marked = false;
                change(message);
            }
        });
    }

    fn relocate(&mut self, key: Key, folder: usize, now: i64) {
        self.adopt(key);
        self.store.relocate(key, folder, now);
    }

    fn delete(&mut self, key: Key, now: i64) {
        self.adopt(key);
        self.store.remove(key, now);
    }

    /// Gives a generated message an entry.
    fn adopt(&mut self, key: Key) {
        if self.store.entry(key).is_some() || self.store.find(key).is_none() {
            return;
        }
        let Some((folder, index)) = key.origin() else { return };
        let generator = &self.folders[folder].generator;
        let (fields, attachments) = (generator.fields(index), generator.attachments(index));
        let modified = generator.received(index) + 1_000;
        self.store.adopt(key, modified, || {
            Letter::Message(Box::new(Message { fields, attachments, garbled: None, just_marked: false }))
        });
    }
}

fn mix_number(number: u64, seed: u64) -> u64 {
    crate::random::mix(number ^ seed.rotate_left(17))
}
