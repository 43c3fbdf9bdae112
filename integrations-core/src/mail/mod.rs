//! What does every mail have, whoever keeps the mailbox?
//!
//! Headers (RFC 5322) and HTML, as far as a provider leaves them to be read.

mod address;
mod headers;
mod html;

pub use self::address::people;
pub use self::headers::{decode, ids, line, put, strip_prefix};
pub use self::html::{from_text, to_text};
