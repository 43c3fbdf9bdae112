//! What if a message that is there cannot be read any more?

use super::{Content, Mailbox};
use crate::google::{FakeGoogle, MailSpec};

/// What only a test does to messages that a test has added: at Gmail, what one says never changes.
impl FakeGoogle {
    /// Lets `messages.get` answer this text for a message, as it is, whatever the format.
    ///
    /// # Panics
    /// When there is no such message, or no test has added it.
    pub fn garble_message(&self, message: &str, raw_json_text: &str) {
        let content = Content::Raw(raw_json_text.to_owned());
        self.google.gmail.mailbox_mut().rewrite(message, content);
    }

    /// Lets a message say something else.
    ///
    /// # Panics
    /// As [`garble_message`](Self::garble_message) does.
    pub fn rewrite_message(&self, message: &str, mail: MailSpec) {
        self.google.gmail.mailbox_mut().rewrite(message, Content::Mail(Box::new(mail)));
    }
}

impl Mailbox {
    fn rewrite(&mut self, id: &str, content: Content) {
        let index = self.position(id).and_then(|position| position.checked_sub(self.generator.count()));
        let index = index.and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.added.get_mut(index)) {
            Some(added) => added.content = content,
            None => panic!("no message {id:?} in this fake that a test has added"),
        }
    }
}
