//! The description of the API: whole, consistent, and the one that is committed, so that people read what changes in it.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::Method;
use serde_json::Value;

use super::conform::{DOCUMENT, response};
use super::*;
use crate::admin::api::problem::KINDS;

/// The committed description. `UPDATE_OPENAPI=1 cargo test --lib the_committed_description` writes it anew.
const COMMITTED: &str = "docs/openapi.json";

fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let methods = ["get", "put", "post", "patch", "delete"];
    paths.iter().flat_map(move |(path, item)| {
        methods
            .into_iter()
            .filter_map(move |method| Some((path.as_str(), method, item.get(method)?)))
    })
}

#[test]
fn the_committed_description_is_this_one() {
    let mut text = serde_json::to_string_pretty(&*DOCUMENT).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(COMMITTED, &text).unwrap();
    }
    let committed = std::fs::read_to_string(Path::new(COMMITTED)).unwrap();
    assert!(
        committed == text,
        "{COMMITTED} is another one; write it anew with UPDATE_OPENAPI=1 and read what changed"
    );
}

#[tokio::test]
async fn the_description_is_served_to_everybody() {
    let site = Site::new().await;
    let answer = Client::new(&site, None).get("/openapi.json").await;
    assert_eq!(answer.is(200), *DOCUMENT);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(&DOCUMENT, &mut found);
    assert!(found.len() > 30, "{}", found.len());
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(DOCUMENT.pointer(pointer).is_some(), "{reference}");
    }
    let schemas = DOCUMENT["components"]["schemas"].as_object().unwrap();
    let unused: Vec<_> = schemas
        .keys()
        .filter(|name| !found.contains(&format!("#/components/schemas/{name}")))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_operation_says_what_it_does_and_how_it_is_refused() {
    let mut ids = BTreeSet::new();
    let tags = DOCUMENT["tags"].as_array().unwrap();
    for (path, method, operation) in operations() {
        let what = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} stands twice");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(summary.len() > 3 && !summary.ends_with('.'), "{what}: {summary:?}");
        let tag = &operation["tags"][0];
        assert!(tags.iter().any(|known| known["name"] == *tag), "{what}: {tag}");
        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
        for status in ["500", "503"]
            .into_iter()
            .chain(if is_open { vec![] } else { vec!["401", "403", "429"] })
        {
            let content = &response(operation, status)["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{what}");
        }
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            let about = parameter
                .get("description")
                .or_else(|| parameter["schema"].get("description"));
            assert!(about.is_some(), "{what}: {name} says nothing of itself");
            assert_eq!(
                parameter["in"] == "path",
                path.contains(&format!("{{{name}}}")),
                "{what}: {name}"
            );
        }
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(in_path, path.matches('{').count(), "{what}");
    }
    assert!(ids.len() > 50, "{}", ids.len());
}

#[test]
fn bodies_of_requests_take_no_further_fields() {
    let mut seen = 0;
    for (path, method, operation) in operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if let Some(name) = schema["$ref"].as_str() {
            let schema = DOCUMENT.pointer(name.strip_prefix('#').unwrap()).unwrap();
            assert_eq!(schema["additionalProperties"], false, "{method} {path}");
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen}");
}

#[test]
fn no_schema_of_an_answer_has_a_place_for_a_secret_but_where_one_is_shown_once() {
    let schemas = DOCUMENT["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        for field in schema["properties"]
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys())
        {
            let is_secret = ["password", "secret", "tag", "code", "url"].contains(&field.as_str()) || field == "link";
            let shows = ["DeviceNew", "DevicePassword", "DeviceSetUp", "InvitationLink"].contains(&name.as_str());
            assert!(!is_secret || shows, "{name}.{field}");
            // The place of an entry in the chain of the audit log.
            assert!(!field.contains("hash") || name == "Entry", "{name}.{field}");
        }
    }
}

#[tokio::test]
async fn every_path_of_the_description_is_there_and_every_key_leads_to_its_problem() {
    let site = Site::new().await;
    let stranger = Client::new(&site, None);
    for (path, method, operation) in operations() {
        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
        let method: Method = method.to_uppercase().parse().unwrap();
        let answer = stranger.ask(method, &path.replace(['{', '}'], ""), None).await;
        let expected = if is_open { 200 } else { 401 };
        // The key of no problem is named by its pattern.
        if path != "/problems/{key}" {
            assert_eq!(answer.status.as_u16(), expected, "{path}");
        }
    }
    for kind in KINDS {
        let answer = stranger.get(&format!("/problems/{}", kind.key)).await.is(200);
        assert_eq!(answer["status"], kind.status.as_u16(), "{}", kind.key);
    }
    stranger.get("/problems/none").await.refused(404, "not_found");
    let all = stranger.get("/problems").await.is(200);
    assert_eq!(all["items"].as_array().unwrap().len(), KINDS.len());
}

#[test]
fn the_document_for_people_names_every_problem() {
    let text = std::fs::read_to_string("docs/api.md").unwrap();
    for kind in KINDS {
        let row = format!(
            "| `{}` | {} | {} | {} |",
            kind.key,
            kind.status.as_u16(),
            kind.title,
            kind.hint
        );
        assert!(text.contains(&row), "docs/api.md lacks the row\n{row}");
    }
}
