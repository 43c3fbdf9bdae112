//! Messages, folders and attachments.
