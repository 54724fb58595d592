//! The two files of texts, the code and the templates say the same keys with the same facts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A key, and the facts that its text names.
type Keys = BTreeMap<String, BTreeSet<String>>;

const FILES: [(Language, &str); 2] = [
    (Language::English, include_str!("../../../../texts/en.ftl")),
    (Language::French, include_str!("../../../../texts/fr.ftl")),
];

/// The keys of a file. Messages begin at the left edge, and ours have no attributes and no terms.
fn keys(source: &str) -> Keys {
    let mut keys = Keys::new();
    let mut current = None;
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" =").filter(|(key, _)| is_key(key)) {
            assert!(
                keys.insert(key.to_owned(), BTreeSet::new()).is_none(),
                "{key} stands twice"
            );
            current = Some(key.to_owned());
        }
        if let Some(facts) = current.as_ref().and_then(|key| keys.get_mut(key)) {
            facts.extend(line.split('$').skip(1).map(|rest| word(rest).to_owned()));
        }
    }
    keys
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
}

/// The letters of a name at the begin of a text.
fn word(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .unwrap_or(text.len());
    &text[..end]
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}

/// The code of the Manager and its templates, without tests.
fn sources() -> Vec<(PathBuf, String)> {
    let code = files("src/admin", "rs").into_iter();
    let code = code.filter(|file| {
        !file
            .components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("gallery" | "tests")))
    });
    let all = code.chain(files("templates", "html"));
    all.filter(|file| !file.ends_with("tests.rs") && !file.ends_with("gallery.rs"))
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            (file, code)
        })
        .collect()
}

/// What is said where: each `say("key")` and `Line::new("key")` with the facts of the chain behind it.
fn said(code: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    for call in ["say(\"", "Line::new(\""] {
        for (start, _) in code.match_indices(call) {
            let rest = &code[start + call.len()..];
            let Some((key, mut rest)) = rest.split_once('"') else {
                continue;
            };
            let mut facts = BTreeSet::new();
            rest = rest.trim_start().trim_start_matches(')').trim_start();
            while let Some(inside) = rest.strip_prefix(".with(") {
                facts.extend(inside.trim_start().strip_prefix('"').map(|name| word(name).to_owned()));
                rest = behind_parenthesis(inside).trim_start();
            }
            found.push((key.to_owned(), facts));
        }
    }
    found
}

/// What follows the parenthesis that closes the one before the text.
fn behind_parenthesis(text: &str) -> &str {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    ""
}

#[test]
fn both_files_can_be_read_and_have_the_same_keys_and_facts() {
    for (language, source) in FILES {
        let texts = FluentResource::try_new(source.to_owned());
        assert!(
            texts.is_ok(),
            "{}: {:?}",
            language.name(),
            texts.err().map(|(_, errors)| errors)
        );
    }
    let [english, french] = FILES.map(|(_, source)| keys(source));
    assert!(english.len() > 600);
    for (key, facts) in &english {
        assert_eq!(french.get(key), Some(facts), "{key} differs in texts/fr.ftl");
    }
    let only: Vec<_> = french.keys().filter(|key| !english.contains_key(*key)).collect();
    assert!(only.is_empty(), "only in texts/fr.ftl: {only:?}");
}

#[test]
fn every_text_that_is_said_exists_and_gets_its_facts() {
    let texts = keys(FILES[0].1);
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        for (key, facts) in said(&code) {
            match texts.get(&key) {
                None => wrong.push(format!("{}: {key} is not in texts/", file.display())),
                Some(needed) if !needed.is_subset(&facts) => {
                    wrong.push(format!("{}: {key} needs {needed:?}, gets {facts:?}", file.display()));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_text_is_used() {
    let sources: String = sources().into_iter().map(|(_, code)| code).collect();
    let unused: Vec<_> = keys(FILES[0].1)
        .into_keys()
        .filter(|key| !sources.contains(&format!("\"{key}\"")))
        .collect();
    assert!(unused.is_empty(), "in texts/, and nobody says them: {unused:?}");
}

#[test]
fn texts_hold_no_html_and_french_keeps_its_blanks() {
    for (language, source) in FILES {
        let texts = source.lines().filter(|line| !line.starts_with('#'));
        for line in texts {
            assert!(!line.contains(['<', '&', '"', '\'']), "{}: {line}", language.name());
            if language == Language::French {
                for broken in [" !", " ?", " ;", " :", "« ", " »"] {
                    assert!(!line.contains(broken), "an ordinary blank in {line}");
                }
            }
        }
    }
}

fn reader(language: Language) -> Text {
    Text {
        language,
        zone: TimeZone::UTC,
        now: Timestamp(1_795_348_800_000),
    }
}

#[test]
fn names_are_escaped_and_isolated_in_html_and_left_as_they_are_in_plain_text() {
    let text = reader(Language::English);
    let line = Line::new("done-disconnected").with("device", "<b>\"A\" & B</b>");
    assert_eq!(
        text.show(&line).to_string(),
        "“<bdi>&#60;b&#62;&#34;A&#34; &#38; B&#60;/b&#62;</bdi>” disconnected."
    );
    assert_eq!(text.show(&line).plain(), "“<b>\"A\" & B</b>” disconnected.");
}

#[test]
fn a_name_that_looks_like_a_text_is_not_read_as_one() {
    let text = reader(Language::English);
    let said = text.show(Line::name(&"{ $text } { product }")).plain();
    assert_eq!(said, "{ $text } { product }");
}

#[test]
fn numbers_choose_the_form_and_are_grouped_as_the_language_does() {
    let line = |count: u64| Line::new("list-total").with("count", count);
    let english = reader(Language::English);
    assert_eq!(english.show(line(0)).plain(), "0 entries");
    assert_eq!(english.show(line(1)).plain(), "1 entry");
    assert_eq!(english.show(line(1234)).plain(), "1234 entries");
    assert_eq!(english.show(line(1_234_567)).plain(), "1,234,567 entries");
    let french = reader(Language::French);
    assert_eq!(french.show(line(0)).plain(), "0 entrée");
    assert_eq!(french.show(line(12_345)).plain(), "12\u{202f}345 entrées");
    assert_eq!(english.octets(12_345_678), "12 MB");
    assert_eq!(french.octets(1_250), "1,2\u{a0}ko".replace('\u{a0}', " "));
    assert_eq!(english.octets(999), "999 B");
}

#[test]
fn far_moments_stand_in_a_sentence_as_dates() {
    let said = |language, days: i64| {
        let text = reader(language);
        let at = Timestamp(text.now.0 - days * 86_400_000);
        text.say("session-since").with("when", at).plain()
    };
    assert_eq!(said(Language::English, 2), "connected 2 days ago");
    assert_eq!(said(Language::English, 200), "connected on 6 May 2026");
    assert_eq!(said(Language::French, 2), "connecté il y a 2 jours");
    assert_eq!(said(Language::French, 200), "connecté le 6 mai 2026");
}

#[test]
fn ports_are_not_grouped() {
    let said = reader(Language::French)
        .say("first-silent")
        .with("host", "mail.example.org")
        .with("port", 10_993_u16)
        .plain();
    assert!(said.ends_with("port 10993."), "{said}");
}

#[test]
fn a_text_that_is_not_there_shows_its_key() {
    assert_eq!(
        reader(Language::French).say("no-such-text").plain(),
        "[missing:no-such-text]"
    );
}

#[test]
fn the_eyes_of_these_tests_see() {
    let code = "say(\"a-b\").with(\"x\", f(g(1))).with(\"y\", 2).plain() Line::new(\"c\") Line::new(\n\"d\")";
    let found = said(code);
    let of = |key: &str| {
        found
            .iter()
            .find(|(found, _)| found == key)
            .map(|(_, facts)| facts.len())
    };
    assert_eq!((of("a-b"), of("c")), (Some(2), Some(0)));
    assert_eq!(keys("a = { $x }\n    { $y }\n# b = { $z }\nc = d").len(), 2);
}
