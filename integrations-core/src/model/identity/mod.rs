//! Which items of different services are the same thing, or the same person?
//!
//! | Question | Answer |
//! |---|---|
//! | Do two services mean the same person? | [`Someone::same`], by the id at a service or by the [`address`] |
//! | What is a record called, among all of a host's? | [`RecordId`] |
//! | Is it the same mail, in two mailboxes? | [`same_mail`], by the [`message_id`] |
//! | Are an event and a meeting, or two events, one real meeting? | [`Clues::compare`], or [`link_meetings`] and [`link_events`] for lists |
//! | Where does an address to join by lead? | [`JoinKey`] |
//!
//! All of it is pure: nothing is fetched, stored or remembered, and what is the same today is the same tomorrow.

mod clues;
mod join;
mod mail;
mod pairs;
mod people;
mod record;
mod text;
mod times;
mod uid;
mod verdict;

use std::borrow::Cow;

pub use self::clues::Clues;
pub use self::join::JoinKey;
pub use self::mail::{message_id, same_mail};
pub use self::pairs::{MOST_CANDIDATES, Pair, link, link_events, link_meetings};
pub use self::people::{PersonKey, SamePerson, Someone};
pub use self::record::{Holder, RecordId};
pub use self::times::{START_TOLERANCE, TimeFit};
pub use self::uid::Uid;
pub use self::verdict::{Confidence, Difference, Evidence, MeetingLink, Scope, Tie, Verdict};

/// An e-mail address in the form that is equal for the same mailbox at every service: without spaces around
/// it, in lower case.
///
/// RFC 5321 lets a server tell addresses apart by their case; none that matters does, and services differ in
/// how they write them.
pub fn address(email: &str) -> Cow<'_, str> {
    let email = email.trim();
    if email.chars().any(char::is_uppercase) {
        Cow::Owned(email.to_lowercase())
    } else {
        Cow::Borrowed(email)
    }
}
