//! Is the schema the one that the types give, and does it say what serde does?

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// The schema that is kept with the code.
pub(crate) static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../schema/record.v1.json")).unwrap());

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    jsonschema::draft202012::options().should_validate_formats(true).build(&SCHEMA).unwrap()
});

/// What the schema holds against a record; empty for nothing.
pub(crate) fn complaints(record: &Value) -> Vec<String> {
    VALIDATOR.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_is_the_one_that_the_types_give() {
    let given = integrations_core::model::record_schema();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/record.v1.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, serde_json::to_string_pretty(&given).unwrap() + "\n").unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        kept == given,
        "the types of the model and integrations-core/schema/record.v1.json differ. If fields, words or kinds \
         were added and nothing else, write it anew and read the difference:\n\
         UPDATE_SCHEMA=1 cargo test -p integrations-core --all-features --test model"
    );
}

#[test]
fn the_schema_is_sound() {
    jsonschema::meta::validate(&SCHEMA).unwrap();
}
