//! Which items of different services are the same thing, or the same person?

use std::borrow::Cow;

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
