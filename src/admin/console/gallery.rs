//! Every page in every state, with hard data, in both languages: what `scripts/look` photographs and examines.
//!
//! The pages are written to `target/gallery/{language}/{name}.html`, with their assets beside them. What can be told
//! without a browser is held here: no text is missing, nothing that people wrote acts as HTML, no id stands twice, and every
//! label belongs to a field.

mod devices;
mod domains;
mod doors;
mod mailboxes;
mod others;
mod people;
mod sample;
mod setting_up;
mod settings;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use askama::Template;

use super::assets;
use crate::model::Language;
use sample::Sample;

/// A page in one state.
struct Shot {
    name: String,
    html: String,
}

fn shot(name: &str, page: &impl Template) -> Shot {
    Shot {
        name: name.to_owned(),
        html: page.render().expect("a page that can be written"),
    }
}

fn shots(language: Language) -> Vec<Shot> {
    let sample = Sample::new(language);
    let mut shots = doors::shots(&sample);
    shots.extend(mailboxes::shots(&sample));
    shots.extend(people::shots(&sample));
    shots.extend(devices::shots(&sample));
    shots.extend(domains::shots(&sample));
    shots.extend(setting_up::shots(&sample));
    shots.extend(others::shots(&sample));
    shots.extend(settings::shots(&sample));
    shots
}

/// Every page of both languages.
fn all() -> impl Iterator<Item = Shot> {
    Language::ALL.iter().flat_map(|language| shots(*language))
}

#[test]
fn gallery_is_written_for_the_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    let _ = fs::remove_dir_all(&folder);
    let mut list = Vec::new();
    for language in Language::ALL {
        let pages = folder.join(language.name());
        fs::create_dir_all(&pages).unwrap();
        for shot in shots(*language) {
            fs::write(pages.join(format!("{}.html", shot.name)), &shot.html).unwrap();
            list.push(format!("{}/{}", language.name(), shot.name));
        }
    }
    for asset in [assets::styles(), assets::script(), assets::icon()] {
        let file = folder.join(asset.path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, asset.body).unwrap();
    }
    fs::write(folder.join("pages.json"), serde_json::to_string_pretty(&list).unwrap()).unwrap();
    let names: HashSet<_> = list.iter().collect();
    assert_eq!(names.len(), list.len(), "two pages have one name");
}

#[test]
fn no_text_is_missing_and_no_fact_of_a_text() {
    for Shot { name, html } in all() {
        for trace in ["[missing:", "{$", "{ $", "FluentError"] {
            assert!(!html.contains(trace), "{name} has {trace}: {}", near(&html, trace));
        }
    }
}

#[test]
fn what_people_wrote_never_acts_as_html() {
    for Shot { name, html } in all() {
        for trace in ["<script>", "<img src=x", "onerror=alert(1)>", "javascript:"] {
            assert!(!html.contains(trace), "{name} has {trace}: {}", near(&html, trace));
        }
        for value in html.split("=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(
                !value.contains("<bdi"),
                "{name} isolates a name inside an attribute: {value}"
            );
        }
    }
    let hostile = all().filter(|shot| shot.html.contains("&#60;script&#62;")).count();
    assert!(hostile > 20, "the gallery has too few hostile names: {hostile}");
}

#[test]
fn pages_have_no_inline_code_and_no_inline_style() {
    for Shot { name, html } in all() {
        for trace in [
            "style=\"",
            " onclick=",
            " onload=",
            " onsubmit=",
            "<style",
            "http-equiv",
        ] {
            assert!(!html.contains(trace), "{name} has {trace}: {}", near(&html, trace));
        }
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, 1, "{name} has one script, the file");
    }
}

#[test]
fn ids_are_unique_and_labels_belong_to_fields() {
    for Shot { name, html } in all() {
        let ids: Vec<_> = values(&html, " id=\"").collect();
        let unique: HashSet<_> = ids.iter().copied().collect();
        let twice: Vec<_> = ids
            .iter()
            .filter(|id| ids.iter().filter(|other| other == id).count() > 1)
            .collect();
        assert_eq!(ids.len(), unique.len(), "{name} has ids twice: {twice:?}");
        for reference in [" for=\"", " aria-labelledby=\"", " aria-describedby=\""] {
            for id in values(&html, reference).flat_map(str::split_whitespace) {
                assert!(
                    unique.contains(id),
                    "{name} refers by{reference} to {id}, which is not there"
                );
            }
        }
    }
}

#[test]
fn secrets_are_in_their_own_page_only_and_only_once() {
    let with_password = |shot: &Shot| shot.html.contains(sample::PASSWORD);
    let names: Vec<_> = shots(Language::English).into_iter().filter(with_password).collect();
    assert!(!names.is_empty());
    for Shot { name, html } in names {
        let is_its_own = ["device-password", "device-set-up", "device-test", "setup-password"];
        assert!(
            is_its_own.iter().any(|own| name.starts_with(own)),
            "{name} shows a password"
        );
        // Once to be read, and once to be sent with a test message, which whoever has a link only cannot send.
        let (shown, sent) = (
            format!(">{}<", sample::PASSWORD),
            format!("value=\"{}\"", sample::PASSWORD),
        );
        let sends = usize::from(html.contains("data-part=\"trial\""));
        assert_eq!(
            (html.matches(&shown).count(), html.matches(&sent).count()),
            (1, sends),
            "{name}"
        );
        assert_eq!(html.matches(sample::PASSWORD).count(), 1 + sends, "{name}");
        let title = html.split("</title>").next().unwrap();
        assert!(!title.contains(sample::PASSWORD), "{name} has it in its title");
    }
}

fn values<'a>(html: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next())
}

/// What stands around a trace, for the message of a test.
fn near(html: &str, trace: &str) -> String {
    let before = html.split(trace).next().unwrap_or_default();
    let tail: String = before
        .chars()
        .rev()
        .take(60)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let after: String = html[before.len()..].chars().take(80).collect();
    format!("…{tail}{after}…")
}
