//! What may stand in a record's JSON form, said so that a program can check it?

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::form::Form;
use super::{MODEL_FORMAT, Record};

/// The JSON Schema (draft 2020-12) of a record's [JSON form](super#the-json-form).
///
/// It says what a reader of this version takes, and so allows fields that it does not know. The schema of each
/// format is kept in the folder `schema` of this crate.
pub fn record_schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .with_transform(plain as fn(&mut Schema))
        .with_transform(bounded as fn(&mut Schema))
        .into_generator()
        .into_root_schema_for::<Record>();
    schema.insert("$id".to_owned(), format!("urn:integrations:record:{MODEL_FORMAT}").into());
    let mut schema = schema.to_value();
    let kinds = schema["$defs"].clone();
    name_defaults(&mut schema, &kinds);
    schema
}

impl JsonSchema for Record {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Form::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        concat!(module_path!(), "::Record").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Form::json_schema(generator)
    }
}

/// The number of the form.
pub(super) fn format(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": MODEL_FORMAT })
}

/// Whole groups of four, the last one filled up.
pub(super) const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

/// What the form refuses: the raw item in two ways at once.
pub(super) fn two_raws() -> Value {
    json!({ "anyOf": [
        { "required": ["raw", "raw_text"], "properties": { "raw_text": { "type": "string" } } },
        { "required": ["raw", "raw_base64"], "properties": { "raw_base64": { "type": "string" } } },
        {
            "required": ["raw_text", "raw_base64"],
            "properties": { "raw_text": { "type": "string" }, "raw_base64": { "type": "string" } },
        },
    ] })
}

/// Writes descriptions without the links of the docs that they come from.
fn plain(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = without_links(description);
    }
    transform_subschemas(&mut (plain as fn(&mut Schema)), schema);
}

/// `[label](target)` and ``[`label`]`` become what a reader sees of them.
fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        plain.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        let Some(end) = rest.find(']') else {
            plain.push('[');
            break;
        };
        plain.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        if let Some(target) = rest.strip_prefix('(').and_then(|link| link.find(')')) {
            rest = &rest[target + 2..];
        }
    }
    plain.push_str(rest);
    // Doc comments are broken into lines at a width that means nothing here.
    plain.replace("\n\n", "\u{0}").replace('\n', " ").replace('\u{0}', "\n\n")
}

/// Names the default of every field that may be left out and has a value all the same. The defaults of the
/// fields that are not written then are not known to the generator, and a null is no value.
fn name_defaults(schema: &mut Value, kinds: &Value) {
    let required = schema.get("required").cloned().unwrap_or_default();
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        let optional = |name: &str| required.as_array().is_none_or(|names| !names.contains(&name.into()));
        for (_, field) in fields.iter_mut().filter(|(name, _)| optional(name)) {
            let Value::Object(field) = field else { continue };
            let kind = match field.get("$ref").and_then(Value::as_str) {
                Some(path) => &kinds[path.trim_start_matches("#/$defs/")]["type"],
                None => field.get("type").unwrap_or(&Value::Null),
            };
            let default = match kind.as_str() {
                Some("array") => json!([]),
                Some("boolean") => json!(false),
                Some("integer") => json!(0),
                Some("object") => json!({}),
                Some("string") => json!(""),
                _ => Value::Null,
            };
            field.entry("default").or_insert(default);
            if field["default"].is_null() {
                field.remove("default");
            }
        }
    }
    match schema {
        Value::Object(parts) => parts.values_mut().for_each(|part| name_defaults(part, kinds)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| name_defaults(part, kinds)),
        _ => {}
    }
}

/// Says the bounds of whole numbers, which a `format` alone does not enforce.
fn bounded(schema: &mut Schema) {
    let bounds = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
        Some("uint32") => Some((json!(u32::MIN), json!(u32::MAX))),
        Some("uint64") => Some((json!(u64::MIN), json!(u64::MAX))),
        _ => None,
    };
    if let Some((minimum, maximum)) = bounds {
        schema.insert("minimum".to_owned(), minimum);
        schema.insert("maximum".to_owned(), maximum);
    }
    transform_subschemas(&mut (bounded as fn(&mut Schema)), schema);
}

#[cfg(test)]
mod tests {
    use super::without_links;

    #[test]
    fn descriptions_hold_no_links() {
        for (doc, plain) in [
            ("As [`address`](Self::address) says.", "As `address` says."),
            ("The [`Person`] where\nit is.", "The `Person` where it is."),
            ("One.\n\nTwo [open", "One.\n\nTwo [open"),
            ("[a](b) [c] (d)", "a c (d)"),
        ] {
            assert_eq!(without_links(doc), plain);
        }
    }
}
