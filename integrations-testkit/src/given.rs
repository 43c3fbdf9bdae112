//! What does a test say about something, field by field?

use serde_json::{Map, Value};

/// JSON with a provider's own names for its fields. A field that nobody takes is refused.
pub(crate) struct Given {
    what: &'static str,
    fields: Map<String, Value>,
}

impl Given {
    pub(crate) fn new(what: &'static str, value: Value) -> Self {
        match value {
            Value::Object(fields) => Self { what, fields },
            other => panic!("{what} is a JSON object, not {other}"),
        }
    }

    pub(crate) fn take<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.fields.remove(name)?;
        let what = self.what;
        Some(read(&value).unwrap_or_else(|| panic!("{what}: {name} cannot be {value}")))
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, |value| value.as_str().map(str::to_owned))
    }

    /// Whether a field is given as null.
    pub(crate) fn is_null(&mut self, name: &str) -> bool {
        let null = self.fields.get(name).is_some_and(Value::is_null);
        null && self.fields.remove(name).is_some()
    }

    /// A text that may be null, which is none.
    pub(crate) fn some_text(&mut self, name: &str) -> Option<String> {
        if self.is_null(name) { None } else { self.text(name) }
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<u64> {
        self.take(name, Value::as_u64)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name, Value::as_bool)
    }

    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.take(name, |value| {
            value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        })
    }

    /// Refuses what nobody took.
    pub(crate) fn end(self) {
        let Self { what, fields } = self;
        let unknown: Vec<_> = fields.keys().collect();
        assert!(unknown.is_empty(), "{what}: the fake does not know {unknown:?}");
    }
}
