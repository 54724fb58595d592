//! Whether an answer is one that the description of the API has: as much of JSON Schema as it uses.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

use super::super::{described, document};
use super::Answer;

/// The description as it is served.
pub(super) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let (_, mut description) = described().split_for_parts();
    document::complete(&mut description);
    serde_json::from_str(&document::text(&description)).unwrap()
});

/// The operation that a path below the root belongs to, with the path as the description has it.
pub(super) fn operation(method: &Method, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap();
    let given: Vec<_> = path.split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<_> = pattern.split('/').collect();
        let same = |(pattern, given): (&&str, &&str)| pattern == given || pattern.starts_with('{');
        pattern.len() == given.len() && pattern.iter().zip(&given).all(same)
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let mut fitting: Vec<_> = paths.iter().filter(|(pattern, _)| fits(pattern)).collect();
    // As the router does: what is written out goes first.
    fitting.sort_by_key(|(pattern, _)| pattern.matches('{').count());
    let (pattern, item) = fitting.first()?;
    let operation = item.get(method.as_str().to_lowercase())?;
    Some((pattern.as_str(), operation))
}

/// What an operation is described to answer with this status.
pub(super) fn response(operation: &'static Value, status: &str) -> &'static Value {
    let response = &operation["responses"][status];
    match response["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => response,
    }
}

/// Asserts that an answer to this request is one that is described.
#[track_caller]
pub(super) fn check(method: &Method, path: &str, answer: &Answer) {
    let Some((pattern, operation)) = operation(method, path) else {
        let problem = answer.status.is_client_error() || path == "/openapi.json";
        assert!(problem, "{method} {path} is not described, and answers {answer:?}");
        return;
    };
    let what = format!("{method} {pattern}: {}", answer.status);
    let status = answer.status.as_u16().to_string();
    // What the guards refuse holds for every path.
    if status == "421" {
        return;
    }
    let response = response(operation, &status);
    assert!(response.is_object(), "{what} is not described: {answer:?}");
    for (name, header) in answer.headers.iter().filter(|(name, _)| *name == "location") {
        assert!(
            response["headers"]["Location"].is_object(),
            "{what}: {name}: {header:?}"
        );
    }
    let Some(content) = response.get("content").and_then(Value::as_object) else {
        assert_eq!(answer.body, "", "{what} has a body");
        return;
    };
    let kind = answer.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap();
    let described = content
        .get(kind)
        .unwrap_or_else(|| panic!("{what}: {kind} is not described"));
    if kind == "application/json" || kind.ends_with("+json") {
        let wrong = fits(&answer.json(), &described["schema"], "");
        assert!(wrong.is_none(), "{what}: {}: {}", wrong.unwrap(), answer.body);
    }
}

/// Why a value is not what its schema says.
pub(super) fn fits(value: &Value, schema: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        let named = &DOCUMENT["components"]["schemas"][name];
        assert!(named.is_object(), "{name} is not described");
        return fits(value, named, at);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(all) = schema.get(key).and_then(Value::as_array) {
            let fitting = all.iter().filter(|one| fits(value, one, at).is_none()).count();
            let right = if key == "oneOf" { fitting == 1 } else { fitting > 0 };
            if !right {
                return Some(format!("{at}: {fitting} of {key} fit {value}"));
            }
        }
    }
    if let Some(wrong) = kind(value, schema, at) {
        return Some(wrong);
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        return Some(format!("{at}: {value} is none of {choices:?}"));
    }
    match value {
        Value::Object(fields) => {
            let required = schema.get("required").and_then(Value::as_array);
            let missing = required
                .into_iter()
                .flatten()
                .find(|name| !fields.contains_key(name.as_str().unwrap()));
            if let Some(missing) = missing {
                return Some(format!("{at}: {missing} is missing"));
            }
            let properties = schema.get("properties").and_then(Value::as_object)?;
            fields.iter().find_map(|(name, field)| match properties.get(name) {
                Some(schema) => fits(field, schema, &format!("{at}.{name}")),
                None => Some(format!("{at}.{name} is not described")),
            })
        }
        Value::Array(items) => {
            let schema = schema.get("items")?;
            items.iter().find_map(|item| fits(item, schema, &format!("{at}[]")))
        }
        _ => None,
    }
}

fn kind(value: &Value, schema: &Value, at: &str) -> Option<String> {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |kind: &Value| kind == given || (kind == "number" && given == "integer");
    let right = match schema.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
    };
    (!right).then(|| format!("{at}: {value} is not {}", schema["type"]))
}
