//! From text to [`File`]: every syntax error, unknown key and wrong type is found in one go.
//!
//! serde stops at the first error. So the offending entry is taken out of the parsed document and the rest is read
//! again, until nothing is wrong any more; the document is as small as a configuration file.

use std::ops::Range;

use serde::Deserialize;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::File;
use super::problem::Problems;
use crate::model::near::nearest;

/// More than this nobody reads; it also bounds the number of passes.
const MAX_PROBLEMS: usize = 50;

/// Reads the file. Where there are problems, what could not be read is missing from the result.
pub(super) fn read(text: &str, problems: &mut Problems<'_>) -> File {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(MAX_PROBLEMS) {
        problems.error_at(
            error.span(),
            "",
            format!("{}; correct the TOML syntax here", error.message()),
        );
    }
    if !errors.is_empty() {
        return File::default();
    }
    for _ in 0..MAX_PROBLEMS {
        let error = match File::deserialize(toml::Deserializer::from(document.clone())) {
            Ok(file) => return file,
            Err(error) => error,
        };
        let place = error.span().unwrap_or_default();
        let mut path = Vec::new();
        let removed = remove_table(document.get_mut(), &place, &mut path);
        problems.error_at(Some(place), &path.join("."), explained(error.message()));
        if !removed {
            break;
        }
    }
    File::default()
}

/// Takes the innermost entry whose key or value stands at `place` out of the table; `path` becomes its name.
fn remove_table(table: &mut DeTable<'_>, place: &Range<usize>, path: &mut Vec<String>) -> bool {
    let entry = table.iter_mut().find_map(|(key, value)| {
        let exact = key.span() == *place || value.span() == *place;
        (exact || holds(value, place)).then(|| (key.get_ref().to_string(), key.span() == *place, value))
    });
    let Some((key, is_key, value)) = entry else {
        return false;
    };
    path.push(key.clone());
    if !is_key && remove_inside(value, place, path) {
        return true;
    }
    table.remove(key.as_str()).is_some()
}

fn remove_inside(value: &mut Spanned<DeValue<'_>>, place: &Range<usize>, path: &mut Vec<String>) -> bool {
    match value.get_mut() {
        DeValue::Table(table) => remove_table(table, place, path),
        DeValue::Array(list) => {
            let found = list.iter().position(|item| item.span() == *place || holds(item, place));
            let Some(index) = found else {
                return false;
            };
            if let Some(item) = list.get_mut(index)
                && matches!(item.get_ref(), DeValue::Table(_))
                && item.span() != *place
            {
                return remove_inside(item, place, path);
            }
            let rest = list
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != index)
                .map(|(_, item)| item.clone())
                .collect();
            *list = rest;
            true
        }
        _ => false,
    }
}

/// Whether `place` lies anywhere below this value. The span of a table is only its header, so the entries are asked.
fn holds(value: &Spanned<DeValue<'_>>, place: &Range<usize>) -> bool {
    match value.get_ref() {
        DeValue::Table(table) => table
            .iter()
            .any(|(key, value)| key.span() == *place || value.span() == *place || holds(value, place)),
        DeValue::Array(list) => list.iter().any(|item| item.span() == *place || holds(item, place)),
        _ => false,
    }
}

/// serde's words, with what to do. Its messages put the given word first and the possible ones behind it, in backticks.
fn explained(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let given = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        return nearest(given, known.iter().copied()).map_or_else(
            || format!("there is no such key; known here: {}", known.join(", ")),
            |near| format!("there is no such key; did you mean `{near}`?"),
        );
    }
    if message.starts_with("unknown variant") {
        let given = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        let quoted: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
        let hint = nearest(given, known.iter().copied())
            .map(|near| format!(" (did you mean \"{near}\"?)"))
            .unwrap_or_default();
        return format!(
            "`{given}` is not possible here; write one of {}{hint}",
            quoted.join(", ")
        );
    }
    if let Some(rest) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
    {
        return format!("wrong kind of value: {rest}");
    }
    message.to_owned()
}
