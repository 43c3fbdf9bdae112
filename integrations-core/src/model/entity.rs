//! Which kinds of items are there, and what do lists and stores ask of any of them?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Channel, Comment, Event, Issue, Meeting, Message, Notification, Person, Task};

/// Declares the kinds, the entity that is one of them, and the way to each.
macro_rules! entities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $as:ident;)*) => {
        /// The kind of a record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum RecordKind {
            $($(#[$doc])* $variant,)*
        }

        impl RecordKind {
            /// All kinds that this version knows.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, in snake case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// A normalised item.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Entity {
            $($(#[$doc])* $variant(Box<$variant>),)*
        }

        impl Entity {
            /// The kind of the item.
            pub const fn kind(&self) -> RecordKind {
                match self {
                    $(Self::$variant(_) => RecordKind::$variant,)*
                }
            }

            $(
                /// The item, if it is of this kind.
                pub fn $as(&self) -> Option<&$variant> {
                    if let Self::$variant(item) = self { Some(item) } else { None }
                }
            )*
        }

        $(
            impl From<$variant> for Entity {
                fn from(item: $variant) -> Self {
                    Self::$variant(Box::new(item))
                }
            }
        )*
    };
}

entities! {
    /// A calendar event.
    Event = "event", as_event;
    /// A mail, or a message of a chat.
    Message = "message", as_message;
    /// A place that messages stand in.
    Channel = "channel", as_channel;
    /// A member of a directory.
    Person = "person", as_person;
    /// Something to do.
    Task = "task", as_task;
    /// An issue, or a pull request.
    Issue = "issue", as_issue;
    /// Something said of an issue.
    Comment = "comment", as_comment;
    /// A note of a service to its user.
    Notification = "notification", as_notification;
    /// A meeting of a conferencing service.
    Meeting = "meeting", as_meeting;
}

impl Entity {
    /// The provider's id of the item.
    pub fn id(&self) -> &str {
        match self {
            Self::Event(item) => &item.id,
            Self::Message(item) => &item.id,
            Self::Channel(item) => &item.id,
            Self::Person(item) => &item.id,
            Self::Task(item) => &item.id,
            Self::Issue(item) => &item.id,
            Self::Comment(item) => &item.id,
            Self::Notification(item) => &item.id,
            Self::Meeting(item) => &item.id,
        }
    }

    /// The id of the item that this one cannot be without, and is deleted with: an exception belongs to its
    /// series, and a comment to its issue.
    pub fn parent_id(&self) -> Option<&str> {
        match self {
            Self::Event(event) => event.series.as_ref().map(|series| series.id.as_str()),
            Self::Comment(comment) => comment.issue_id.as_deref(),
            _ => None,
        }
    }

    /// The instant that a list of such items is sorted by: when it starts, is due, or was written. A day
    /// counts from its midnight in UTC.
    pub fn starts_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Event(event) => Some(event.start.earliest_utc()),
            Self::Message(message) => message.sent_at,
            Self::Task(task) => task.due.as_ref().map(super::EventTime::earliest_utc),
            Self::Issue(issue) => issue.created_at,
            Self::Comment(comment) => comment.created_at,
            Self::Notification(notification) => notification.updated_at,
            Self::Meeting(meeting) => meeting.start.as_ref().map(super::EventTime::earliest_utc),
            Self::Channel(_) | Self::Person(_) => None,
        }
    }

    /// When the item ends, for items that take a while and where the provider knows an end.
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        let end = match self {
            Self::Event(event) => event.end.as_ref(),
            Self::Meeting(meeting) => meeting.end.as_ref(),
            _ => None,
        };
        end.map(super::EventTime::earliest_utc)
    }

    /// Whether it stands for many items at different times: the master of a series.
    pub fn is_series(&self) -> bool {
        match self {
            Self::Event(event) => event.is_series(),
            Self::Meeting(meeting) => !meeting.recurrence.is_empty(),
            _ => false,
        }
    }

    /// What a list of such items shows as their first line.
    pub fn title(&self) -> Option<&str> {
        match self {
            Self::Event(event) => event.title.as_deref(),
            Self::Message(message) => message.title(),
            Self::Channel(channel) => channel.name.as_deref(),
            Self::Person(person) => person.name.as_deref().or(person.full_name.as_deref()),
            Self::Task(task) => task.title.as_deref(),
            Self::Issue(issue) => issue.title.as_deref(),
            Self::Comment(comment) => comment.body.as_deref(),
            Self::Notification(notification) => notification.title.as_deref(),
            Self::Meeting(meeting) => meeting.title.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CommentKind;

    #[test]
    fn an_entity_says_its_kind_in_json() {
        let entity = Entity::from(Task::new("1", "list"));
        let json = serde_json::to_value(&entity).unwrap();
        assert_eq!(json["type"], entity.kind().as_str());
        assert_eq!(serde_json::from_value::<Entity>(json).unwrap(), entity);
        assert!(entity.as_task().is_some() && entity.as_event().is_none());
    }

    #[test]
    fn a_comment_belongs_to_its_issue() {
        let mut comment = Comment::new("comment:7", CommentKind::Comment);
        assert_eq!(Entity::from(comment.clone()).parent_id(), None);
        comment.issue_id = Some("42".into());
        assert_eq!(Entity::from(comment).parent_id(), Some("42"));
    }
}
