//! Whom does a header of a mail name?
//!
//! `mail-parser` reads the lists of addresses (RFC 5322, 3.4). Some, as Gmail, give headers decoded, and a decoded
//! name may hold what was encoded to be no punctuation: `Lovelace, Ada <ada@example.com>` is one person.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, Group, HeaderValue};

use super::headers::line;
use crate::model::PersonRef;

/// The people that a header names, those of groups among them. Text that holds no address is a name; a group
/// without members, such as `undisclosed-recipients:;`, is one, too.
pub fn people(value: &str) -> Vec<PersonRef> {
    let line = line(value);
    let HeaderValue::Address(list) = MessageStream::new(line.as_bytes()).parse_address() else {
        return Vec::new();
    };
    match list {
        Address::List(list) => persons(list, None),
        Address::Group(groups) => {
            // Without the end of a group there is none: the colon belongs to a name.
            let grouped = value.contains(';');
            groups.into_iter().flat_map(|group| members(group, grouped)).collect()
        }
    }
}

fn members(Group { name, addresses }: Group<'_>, grouped: bool) -> Vec<PersonRef> {
    match name {
        Some(name) if addresses.is_empty() => {
            vec![PersonRef { name: Some(name.into_owned()), ..PersonRef::default() }]
        }
        Some(name) if !grouped => persons(addresses, Some(format!("{name}: "))),
        _ => persons(addresses, None),
    }
}

/// Persons of what a list was split into at its commas; `name` stands before the first one's.
fn persons(list: Vec<Addr<'_>>, mut name: Option<String>) -> Vec<PersonRef> {
    let mut persons = Vec::with_capacity(list.len());
    let mut parts = list.into_iter().map(person).peekable();
    while let Some(person) = parts.next() {
        let so_far = name.take().unwrap_or_default();
        match (&person.email, &person.name) {
            // A piece of a name, split off at a comma.
            (None, Some(piece)) if parts.peek().is_some() => name = Some(format!("{so_far}{piece}, ")),
            (_, Some(rest)) if !so_far.is_empty() => {
                persons.push(PersonRef { name: Some(so_far + rest), ..person });
            }
            _ => {
                // It was no piece of this one's name: this one has none.
                if let Some(name) = so_far.strip_suffix(", ").or(so_far.strip_suffix(": ")) {
                    persons.push(PersonRef { name: Some(name.to_owned()), ..PersonRef::default() });
                }
                persons.push(person);
            }
        }
    }
    persons
}

fn person(Addr { name, address }: Addr<'_>) -> PersonRef {
    let clean = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (name, email) = match (name.as_deref(), address.as_deref()) {
        // A name without quotes that holds an `@` behind a space.
        (None, Some(address)) => split_last_word(address),
        // A quote without its end, or an angle bracket without an address.
        (Some(name), None) => match name.split_once('<') {
            Some((name, email)) if email.contains('@') => {
                (clean(name), clean(email.trim_end_matches(['>', ' '])))
            }
            _ if name.contains('@') && !name.contains(' ') => (None, clean(name)),
            _ => (clean(name), None),
        },
        (name, address) => (name.and_then(clean), address.and_then(clean)),
    };
    PersonRef { email, name, ..PersonRef::default() }
}

fn split_last_word(address: &str) -> (Option<String>, Option<String>) {
    match address.trim().rsplit_once(' ') {
        Some((name, email)) if email.contains('@') => (Some(name.trim().to_owned()), Some(email.to_owned())),
        _ => (None, Some(address.trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<String> {
        let show = |person: PersonRef| {
            assert!(!person.is_self && person.id.is_none());
            format!("{}|{}", person.name.unwrap_or_default(), person.email.unwrap_or_default())
        };
        people(value).into_iter().map(show).collect()
    }

    #[test]
    fn addresses_of_every_shape_are_read() {
        for (value, expected) in [
            ("ada@example.com", &["|ada@example.com"][..]),
            ("<ada@example.com>", &["|ada@example.com"]),
            ("Ada <ada@example.com>", &["Ada|ada@example.com"]),
            ("ada@example.com (Ada)", &["Ada|ada@example.com"]),
            (
                r#""Lovelace, Ada" <a@x.example>, bob@x.example"#,
                &["Lovelace, Ada|a@x.example", "|bob@x.example"],
            ),
            (r#""a \"b\"" <q@x.example>"#, &[r#"a "b"|q@x.example"#]),
            ("=?utf-8?q?M=C3=BCller=2C_Eva?= <e@x.example>", &["Müller, Eva|e@x.example"]),
            ("=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <y@x.example>", &["山田|y@x.example"]),
            ("山田太郎 <y@x.example>", &["山田太郎|y@x.example"]),
            (
                "Team: a@x.example, B <b@x.example>; c@x.example",
                &["|a@x.example", "B|b@x.example", "|c@x.example"],
            ),
            ("a@x.example; b@x.example", &["|a@x.example", "|b@x.example"]),
            ("undisclosed-recipients:;", &["undisclosed-recipients|"]),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_broken_is_read_as_far_as_it_goes() {
        for (value, expected) in [
            ("", &[][..]),
            ("<>", &[]),
            (", ; : <", &[]),
            ("MAILER-DAEMON", &["MAILER-DAEMON|"]),
            ("ada at example.com", &["ada at example.com|"]),
            ("Ada <ada@example.com", &["Ada|ada@example.com"]),
            (r#""Ada <ada@example.com>"#, &["Ada|ada@example.com"]),
            ("Ada L. ada@example.com", &["Ada L.|ada@example.com"]),
            ("ada@example.com <", &["|ada@example.com"]),
            ("a@x.example,, ,b@x.example", &["|a@x.example", "|b@x.example"]),
            // Decoded by Gmail, and not quoted.
            ("Müller, Eva <e@x.example>", &["Müller, Eva|e@x.example"]),
            (
                "Smith, J. <j@x.example>, Doe, D. <d@x.example>",
                &["Smith, J.|j@x.example", "Doe, D.|d@x.example"],
            ),
            ("Re: News <n@x.example>", &["Re: News|n@x.example"]),
            ("Nobody, ada@example.com", &["Nobody|", "|ada@example.com"]),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }
}
