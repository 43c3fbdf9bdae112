//! Any record that there can be, out of the schema: a field that is added to the model is in it by itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat, TimeDelta};
use chrono_tz::TZ_VARIANTS;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::schema::SCHEMA;

/// The schemas of all kinds of entities, by the kind's name.
pub(crate) fn kinds() -> Vec<(&'static str, &'static Value)> {
    let kinds = SCHEMA["$defs"]["Entity"]["oneOf"].as_array().unwrap();
    kinds.iter().map(|kind| (kind["properties"]["type"]["const"].as_str().unwrap(), kind)).collect()
}

/// A record of this kind, as JSON without a raw item.
pub(crate) fn record(kind: &'static Value) -> impl Strategy<Value = Value> {
    let source = &SCHEMA["$defs"]["Source"];
    (of(source), of(kind))
        .prop_map(|(source, entity)| json!({ "format": 1, "source": source, "entity": entity }))
}

/// Any JSON value.
pub(crate) fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Any text, control characters and all.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "\\PC{0,12}", 1 => any::<String>()]
}

/// A value that the schema allows.
fn of(schema: &'static Value) -> BoxedStrategy<Value> {
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        let target = of(SCHEMA.pointer(path.strip_prefix('#').unwrap()).unwrap());
        return if schema.get("properties").is_some() {
            (target, fields(schema)).prop_map(|(target, fields)| merged(target, fields)).boxed()
        } else if path == "#/$defs/Zone" {
            zone().boxed()
        } else {
            target
        };
    }
    if let Some(value) = schema.get("const") {
        return Just(value.clone()).boxed();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return proptest::sample::select(values.as_slice()).boxed();
    }
    if let Some(any_of) = schema.get("anyOf").and_then(Value::as_array) {
        let branches = any_of.iter().map(of).collect::<Vec<_>>();
        return proptest::strategy::Union::new(branches).boxed();
    }
    match &schema["type"] {
        Value::Array(types) => {
            let branches = types.iter().map(|name| typed(name.as_str().unwrap(), schema)).collect::<Vec<_>>();
            proptest::strategy::Union::new(branches).boxed()
        }
        Value::String(name) => typed(name, schema),
        _ => panic!("a schema that the tests do not know: {schema}"),
    }
}

fn typed(name: &str, schema: &'static Value) -> BoxedStrategy<Value> {
    match (name, schema.get("format").and_then(Value::as_str)) {
        ("null", _) => Just(Value::Null).boxed(),
        ("boolean", _) => any::<bool>().prop_map(Value::from).boxed(),
        ("integer", Some("int32")) => any::<i32>().prop_map(Value::from).boxed(),
        ("integer", Some("uint32")) => any::<u32>().prop_map(Value::from).boxed(),
        ("integer", Some("uint64")) => any::<u64>().prop_map(Value::from).boxed(),
        ("string", Some("date-time")) => instant().prop_map(Value::from).boxed(),
        ("string", Some("date")) => date().prop_map(|date| date.to_string().into()).boxed(),
        ("string", None) => text().prop_map(Value::from).boxed(),
        ("array", None) => vec(of(&schema["items"]), 0..3).prop_map(Value::from).boxed(),
        ("object", None) => fields(schema),
        _ => panic!("a schema that the tests do not know: {schema}"),
    }
}

/// An object with the fields that are required, and some of the others.
fn fields(schema: &'static Value) -> BoxedStrategy<Value> {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let fields = schema["properties"].as_object().unwrap().iter().map(|(name, field)| {
        let value = if required.contains(&json!(name)) {
            of(field).prop_map(Some).boxed()
        } else {
            proptest::option::weighted(0.6, of(field)).boxed()
        };
        value.prop_map(move |value| (name.clone(), value)).boxed()
    });
    let fields = fields.collect::<Vec<_>>();
    let object = |fields: Vec<(String, Option<Value>)>| {
        Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    };
    fields.prop_map(object).boxed()
}

fn merged(one: Value, other: Value) -> Value {
    let (Value::Object(mut one), Value::Object(other)) = (one, other) else { panic!("two objects") };
    one.extend(other);
    Value::Object(one)
}

fn date() -> impl Strategy<Value = NaiveDate> {
    // A day from the ends, so that at no offset the year leaves what RFC 3339 can write.
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap().num_days_from_ce();
    (day(0, 1, 2)..=day(9999, 12, 30)).prop_map(|day| NaiveDate::from_num_days_from_ce_opt(day).unwrap())
}

/// An instant at any offset there is, in any of the spellings that RFC 3339 has.
fn instant() -> impl Strategy<Value = String> {
    let time = (date(), 0..86_400_i64, prop_oneof![Just(0), 0..1_000_000_000_i64]);
    (time, -14 * 60..=14 * 60_i32, any::<bool>()).prop_map(|((date, second, nano), minutes, zulu)| {
        let time =
            date.and_hms_opt(0, 0, 0).unwrap() + TimeDelta::seconds(second) + TimeDelta::nanoseconds(nano);
        let offset = FixedOffset::east_opt(if zulu { 0 } else { minutes * 60 }).unwrap();
        let time: DateTime<FixedOffset> = time.and_local_timezone(offset).unwrap();
        time.to_rfc3339_opts(SecondsFormat::AutoSi, zulu)
    })
}

fn zone() -> impl Strategy<Value = Value> {
    let known = proptest::sample::select(&TZ_VARIANTS[..]).prop_map(|zone| zone.name().to_owned());
    prop_oneof![3 => known, 1 => text()].prop_map(Value::from)
}

/// The fields that a value has, as `Kind.field`, among those that the schema names.
pub(crate) fn fields_of(value: &Value, schema: &Value, name: &str, found: &mut BTreeMap<String, bool>) {
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        let target = path.strip_prefix("#/$defs/").unwrap();
        fields_of(value, &SCHEMA["$defs"][target], target, found);
    }
    for branches in ["anyOf", "oneOf"] {
        for branch in schema.get(branches).and_then(Value::as_array).into_iter().flatten() {
            if fits(value, branch) {
                fields_of(value, branch, name, found);
            }
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for value in values {
            fields_of(value, items, name, found);
        }
    }
    let empty = Map::new();
    let values = value.as_object().unwrap_or(&empty);
    for (field, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let seen = found.entry(format!("{name}.{field}")).or_default();
        if let Some(value) = values.get(field) {
            *seen = true;
            fields_of(value, schema, name, found);
        }
    }
}

/// Whether a value can be of a branch: it has the fields that the branch requires, with their constants.
fn fits(value: &Value, branch: &Value) -> bool {
    let target = branch.get("$ref").and_then(Value::as_str);
    let target =
        target.is_none_or(|path| fits(value, SCHEMA.pointer(path.strip_prefix('#').unwrap()).unwrap()));
    let required = branch.get("required").and_then(Value::as_array);
    target
        && required.into_iter().flatten().all(|field| value.get(field.as_str().unwrap()).is_some())
        && branch["properties"]["type"].get("const").is_none_or(|kind| *kind == value["type"])
}
