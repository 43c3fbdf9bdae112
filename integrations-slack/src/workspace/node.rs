//! How is JSON looked at that may have any shape?
//!
//! Blocks and attachments have dozens of shapes, and Slack adds more. Whatever they are, they must not make
//! a message unreadable; so they are read as they are, without copies, and looked at afterwards.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value. What is of no use for a text (truth values, nothing) is not told apart.
#[derive(Debug, Default)]
pub(super) enum Node<'a> {
    #[default]
    Other,
    Text(Cow<'a, str>),
    Number(i64),
    List(Vec<Self>),
    Map(Vec<(Cow<'a, str>, Self)>),
}

impl Node<'_> {
    /// A field of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(fields) = self else { return None };
        fields.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The text, if it is one that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A field that is a text, and not empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    pub(super) fn number_of(&self, name: &str) -> Option<i64> {
        if let Self::Number(number) = self.get(name)? { Some(*number) } else { None }
    }

    pub(super) fn list(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// A field that is a list; empty, if it is none.
    pub(super) fn list_of(&self, name: &str) -> &[Self] {
        self.get(name).map_or(&[], Self::list)
    }

    /// What sort of block or element it is.
    pub(super) fn kind(&self) -> &str {
        self.text_of("type").unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

/// The name of a field, not copied unless it has escapes in it.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Node::Other, Node::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Node::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut map = Vec::new();
        while let Some((Key(key), value)) = fields.next_entry()? {
            map.push((key, value));
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_is_read_and_plain_text_is_not_copied() {
        let text = r#"{"type":"a","n":-3,"big":18446744073709551615,"f":1.5,"t":true,"no":null,"l":["x","\n",[]],"esc\u0061ped":""}"#;
        let node: Node<'_> = serde_json::from_str(text).unwrap();
        assert_eq!((node.kind(), node.number_of("n"), node.number_of("f")), ("a", Some(-3), None));
        assert_eq!(node.list_of("l").len(), 3);
        assert!(matches!(&node.list_of("l")[0], Node::Text(Cow::Borrowed("x"))));
        assert_eq!(node.list_of("l")[1].text(), Some("\n"));
        assert!(node.get("escaped").is_some() && node.text_of("escaped").is_none());
        assert!(node.list_of("type").is_empty() && node.list()[..].is_empty());
        for name in ["big", "t", "no"] {
            assert!(matches!(node.get(name), Some(Node::Other)), "{name}");
        }
    }
}
