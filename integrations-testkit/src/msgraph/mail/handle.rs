//! What may a test do with folders and messages?

use serde_json::{Value, json};

use super::attachment::{Attachment, ids_of, of_message};
use super::folders::put_folder;
use super::message::Letter;
use super::render::{View, put_message};
use super::{FolderSpec, Mail, Source};
use crate::msgraph::errors::Refusal;
use crate::msgraph::fake::{FakeGraph, object};
use crate::msgraph::fields::Select;
use crate::msgraph::ids::{IdType, Kind, Name};
use crate::msgraph::prefer::Preferences;
use crate::msgraph::store::Key;

impl Mail {
    /// Where a message is, and how often it has moved.
    pub(in crate::msgraph) fn moves_of(&self, key: Key) -> Option<(usize, u32)> {
        self.store.find(key)
    }
}

/// Mail.
impl FakeGraph {
    fn with_folder<T>(&self, folder: &str, work: impl FnOnce(&mut Mail, usize, i64) -> T) -> T {
        let now = self.graph.now();
        let mut state = self.graph.state_mut();
        let Some(number) = state.mail.named(&self.graph.ids, folder) else {
            panic!("no folder {folder:?} in this fake");
        };
        work(&mut state.mail, number, now)
    }

    fn with_message<T>(&self, message: &str, work: impl FnOnce(&mut Mail, Key, i64) -> T) -> T {
        let now = self.graph.now();
        let mut state = self.graph.state_mut();
        let found = state.mail.find_message(&self.graph.ids, message);
        let key = found.unwrap_or_else(|refusal| panic!("message {message:?}: {refusal:?}"));
        work(&mut state.mail, key, now)
    }

    fn message_name(&self, key: Key) -> String {
        let name = Name { kind: Kind::Message, key, moves: None, part: 0 };
        self.graph.ids.text(IdType::Immutable, &name)
    }

    /// Adds a folder; returns its id.
    ///
    /// # Panics
    /// When it lies in a folder that there is not, or every mailbox has it.
    pub fn add_folder(&self, folder: &FolderSpec) -> String {
        let now = self.graph.now();
        let mut state = self.graph.state_mut();
        let number = state.mail.add(folder, &self.graph.ids, now);
        state.mail.folders[number].id.clone()
    }

    /// The id of a folder.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn folder_id(&self, folder: &str) -> String {
        self.with_folder(folder, |mail, number, _| mail.folders[number].id.clone())
    }

    /// A folder as `mailFolders.get` shows it.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn folder(&self, folder: &str) -> Value {
        self.with_folder(folder, |mail, number, _| {
            let mut text = Vec::new();
            put_folder(&mut text, mail, &mail.unread(), number, Select::usual(), false);
            serde_json::from_slice(&text).unwrap_or_default()
        })
    }

    /// Renames a folder; its id stays.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn rename_folder(&self, folder: &str, name: &str) {
        self.with_folder(folder, |mail, number, _| {
            mail.change_folder(number, |folder| name.clone_into(&mut folder.name));
        });
    }

    /// Moves a folder into another; its id stays.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn move_folder(&self, folder: &str, parent: &str) {
        let to = self.with_folder(parent, |_, number, _| number);
        self.with_folder(folder, |mail, number, _| mail.change_folder(number, |folder| folder.parent = to));
    }

    /// Hides a folder, or shows it again.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn hide_folder(&self, folder: &str, hidden: bool) {
        self.with_folder(folder, |mail, number, _| {
            mail.change_folder(number, |folder| folder.hidden = hidden);
        });
    }

    /// Deletes a folder for good, with the folders and messages in it: they answer 404, and only the round over
    /// folders tells of it.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn delete_folder(&self, folder: &str) {
        self.with_folder(folder, |mail, number, _| mail.remove_folder(number));
    }

    /// Inserts a message; returns its id. The fields that Exchange assigns are added where they are missing;
    /// `id`, etag, `parentFolderId` and `lastModifiedDateTime` are always the fake's. `attachments` may hold
    /// attachments as [`add_attachment`](Self::add_attachment) takes them. A field that the fake does not know is
    /// kept.
    ///
    /// # Panics
    /// When there is no such folder, the message is not a JSON object, or the content of an attachment is no
    /// base64.
    pub fn insert_message(&self, folder: &str, message: Value) -> String {
        let message = object(message, "a message");
        let key = self.with_folder(folder, |mail, number, now| mail.insert(number, message, now));
        self.message_name(key)
    }

    /// Merges a patch into a message: null removes a field, arrays are replaced whole.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn patch_message(&self, message: &str, patch: Value) {
        let patch = object(patch, "a patch");
        self.with_message(message, |mail, key, now| mail.change(key, now, |message| message.patch(patch)));
    }

    /// Marks a message as read or unread.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn mark_read(&self, message: &str, read: bool) {
        let patch = object(json!({"isRead": read}), "a patch");
        self.with_message(message, |mail, key, now| {
            mail.change(key, now, |message| {
                message.patch(patch);
                message.just_marked = true;
            });
        });
    }

    /// Flags a message: `flagged`, `complete` or `notFlagged`.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn flag_message(&self, message: &str, status: &str) {
        self.patch_message(message, json!({"flag": {"flagStatus": status}}));
    }

    /// Moves a message to another folder: it is `@removed` there and new here, and its usual id changes.
    ///
    /// # Panics
    /// When there is no such message or folder.
    pub fn move_message(&self, message: &str, folder: &str) {
        let to = self.with_folder(folder, |_, number, _| number);
        self.with_message(message, |mail, key, now| mail.relocate(key, to, now));
    }

    /// Deletes a message for good. What a user does first is [`move_message`](Self::move_message) to
    /// `deleteditems`.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn delete_message(&self, message: &str) {
        self.with_message(message, Mail::delete);
    }

    /// Hangs something on a message; returns its id. Fields: `name`, `contentType`, `contentBytes` (base64),
    /// `isInline`, `contentId`; with another `@odata.type` than `#microsoft.graph.fileAttachment` also `item`,
    /// `sourceUrl` and the like.
    ///
    /// # Panics
    /// When there is no such message, or the content is no base64.
    pub fn add_attachment(&self, message: &str, attachment: &Value) -> String {
        self.with_message(message, |mail, key, now| {
            let attachment = Attachment::read(attachment, now);
            mail.change(key, now, |message| message.attachments.push(attachment));
        });
        self.attachment_ids(message).pop().unwrap_or_default()
    }

    /// The ids of what hangs on a message.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn attachment_ids(&self, message: &str) -> Vec<String> {
        let (state, prefer) = (self.graph.state(), Preferences::own());
        let view = View { ids: &self.graph.ids, prefer: &prefer, select: Select::usual(), typed: false };
        let found = of_message(&state.mail, &self.graph, message);
        let (name, attachments) =
            found.unwrap_or_else(|refusal: Refusal| panic!("message {message:?}: {refusal:?}"));
        ids_of(&view, &name, attachments.len())
    }

    /// Serves this text as an item of the coming rounds and listings of a folder, as it is.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn raw_message(&self, folder: &str, raw_json_text: &str) {
        self.with_folder(folder, |mail, number, now| {
            mail.store.insert(number, Letter::Raw(raw_json_text.to_owned()), now);
        });
    }

    /// Serves this text in the place of a message, as it is, until the message is
    /// [mended](Self::mend_message).
    ///
    /// # Panics
    /// When there is no such message.
    pub fn garble_message(&self, message: &str, raw_json_text: &str) {
        let text = Some(raw_json_text.to_owned());
        self.with_message(message, |mail, key, now| mail.change(key, now, |message| message.garbled = text));
    }

    /// Serves a garbled message again; it has changed.
    ///
    /// # Panics
    /// When there is no such message.
    pub fn mend_message(&self, message: &str) {
        self.with_message(message, |mail, key, now| mail.change(key, now, |message| message.garbled = None));
    }

    /// A message as `messages.get` shows it with immutable ids; `None` when there is none.
    pub fn message(&self, message: &str) -> Option<Value> {
        let (state, prefer) = (self.graph.state(), Preferences::own());
        let key = state.mail.find_message(&self.graph.ids, message).ok()?;
        let view = View { ids: &self.graph.ids, prefer: &prefer, select: Select::usual(), typed: false };
        let mut text = Vec::new();
        put_message(&state.mail, &view, key, &mut text);
        serde_json::from_slice(&text).ok()
    }

    /// The ids of the messages of a folder, in the order of a full listing. Raw items and garbled
    /// ones are left out.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn message_ids(&self, folder: &str) -> Vec<String> {
        let keys = self.with_folder(folder, |mail, number, _| {
            let mut keys = Vec::new();
            mail.store.walk(number, 0, |_, key| {
                if !matches!(mail.source(key), Some(Source::Raw(_))) {
                    keys.push(key);
                }
                true
            });
            keys
        });
        keys.into_iter().map(|key| self.message_name(key)).collect()
    }

    /// How many messages a folder has. Raw items are counted too.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn live_messages(&self, folder: &str) -> u64 {
        self.with_folder(folder, |mail, number, _| mail.store.live(number))
    }

    /// The tokens of the rounds over the messages of one folder are too old from now on.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn expire_folder_tokens(&self, folder: &str) {
        self.with_folder(folder, |mail, number, _| mail.store.expire(number));
    }
}
