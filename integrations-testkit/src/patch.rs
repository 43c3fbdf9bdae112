//! How does a patch change a JSON value?

use serde_json::{Value, json};

/// Merges a patch (RFC 7396): null removes, arrays are replaced whole.
pub(crate) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (field, value) in patch {
            if value.is_null() {
                target.remove(&field);
            } else {
                merge(target.entry(field).or_insert(Value::Null), value);
            }
        }
    }
}

/// Merges patches, one after the other. Kept apart they keep their nulls.
pub(crate) fn merge_all(target: &mut Value, patches: &[Value]) {
    for patch in patches {
        merge(target, patch.clone());
    }
}
