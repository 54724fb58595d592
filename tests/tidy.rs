//! Holds what the compiler does not: who may import whom, file heads and sizes, and that documents tell the truth about
//! RFCs, log messages, metrics, tests and each other.
//!
//! The table below is the one of ARCHITECTURE.md ("Who may import whom"); a test compares the two.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Module, its layer's name, and every other module of ours that it may use. `words` may be used by all.
const MAY_USE: &[(&str, &str, &[&str])] = &[
    ("secret", "words", &[]),
    ("clock", "words", &[]),
    ("log_filter", "words", &[]),
    ("peer", "words", &[]),
    ("metrics", "words", &[]),
    ("preauth", "pure", &[]),
    ("wire", "pure", &[]),
    ("sasl", "pure", &["preauth", "wire"]),
    ("model", "pure", &[]),
    ("onboard", "pure", &["model"]),
    ("imap", "pure", &["preauth", "wire", "sasl", "model"]),
    ("smtp", "pure", &["preauth", "wire", "sasl", "model"]),
    ("keys", "mechanism", &[]),
    ("audit", "mechanism", &["model"]),
    ("store", "mechanism", &["model", "audit"]),
    ("identity", "mechanism", &["model", "store", "keys", "verify"]),
    ("throttle", "mechanism", &["keys"]),
    ("revoke", "mechanism", &["model", "store"]),
    ("verify", "mechanism", &["model", "preauth", "store", "keys", "revoke"]),
    ("tls", "mechanism", &[]),
    ("dns", "mechanism", &["model", "onboard"]),
    ("tries", "mechanism", &["model"]),
    (
        "upstream",
        "mechanism",
        &[
            "model", "imap", "smtp", "sasl", "wire", "preauth", "keys", "tls", "verify",
        ],
    ),
    ("trial", "mechanism", &["model", "tls"]),
    ("outbox", "mechanism", &["model", "smtp", "store", "keys", "tls"]),
    (
        "session",
        "use",
        &[
            "model", "preauth", "imap", "smtp", "sasl", "wire", "store", "throttle", "revoke", "verify", "audit",
            "tls", "tries", "upstream", "keys",
        ],
    ),
    (
        "directory",
        "use",
        &[
            "model", "store", "verify", "audit", "keys", "revoke", "identity", "throttle", "outbox",
        ],
    ),
    ("listen", "edge", &["session", "tls"]),
    ("load", "edge", &["model", "sasl", "wire"]),
    (
        "admin",
        "edge",
        &[
            "directory",
            "model",
            "onboard",
            "store",
            "revoke",
            "audit",
            "tls",
            "tries",
            "trial",
            "identity",
            "dns",
        ],
    ),
    (
        "cli",
        "edge",
        &[
            "directory",
            "config",
            "model",
            "onboard",
            "store",
            "verify",
            "audit",
            "keys",
            "tls",
            "upstream",
            "server",
            "load",
            "outbox",
            "identity",
            "dns",
        ],
    ),
    (
        "config",
        "root",
        &[
            "model", "onboard", "store", "verify", "throttle", "tls", "upstream", "session", "listen", "admin",
            "preauth", "outbox", "dns",
        ],
    ),
    (
        "server",
        "root",
        &[
            "config",
            "model",
            "onboard",
            "store",
            "verify",
            "throttle",
            "revoke",
            "tls",
            "tries",
            "trial",
            "upstream",
            "session",
            "listen",
            "admin",
            "keys",
            "audit",
            "directory",
            "outbox",
            "identity",
            "dns",
        ],
    ),
];

/// Words that the pure layer never says: it does no I/O, waits for nothing, reads no clock and logs nothing.
const IMPURE: &[&str] = &[
    "tokio",
    "tracing",
    "rusqlite",
    "getrandom",
    "fs",
    "thread",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixListener",
    "UnixStream",
    "SystemTime",
];

const MAX_FILE_LINES: usize = 600;

/// Where our own source is.
const SOURCES: &[&str] = &[
    "src",
    "tests",
    "benches",
    "examples",
    "fuzz/bodies",
    "fuzz/fuzz_targets",
];

#[test]
fn modules_import_only_what_their_layer_may() {
    let mut wrong = String::new();
    for file in rust_files("src") {
        let Some(module) = module_of(&file) else { continue };
        let (_, _, allowed) = MAY_USE
            .iter()
            .find(|(name, ..)| *name == module)
            .unwrap_or_else(|| panic!("module {module} is not in the table of tests/tidy.rs"));
        let text = fs::read_to_string(&file).unwrap();
        for used in used_modules(&text, depth_of(&file)) {
            let words = MAY_USE
                .iter()
                .any(|(name, layer, _)| *name == used && *layer == "words");
            if used != module && !words && !allowed.contains(&used.as_str()) {
                let _ = writeln!(wrong, "{}: {module} must not use {used}", file.display());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_pure_layer_does_no_io() {
    let mut wrong = String::new();
    for file in rust_files("src") {
        let pure = module_of(&file).is_some_and(|module| {
            MAY_USE
                .iter()
                .any(|(name, layer, _)| *name == module && *layer == "pure")
        });
        if !pure || file.ends_with("tests.rs") {
            continue;
        }
        let text = code_of(&fs::read_to_string(&file).unwrap());
        // Only a module of tests at the end is left out: `mod tests;` may stand anywhere, with code behind it.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let said: BTreeSet<&str> = code.split(|c: char| !is_word(c)).collect();
        for word in IMPURE.iter().filter(|word| said.contains(*word)) {
            let _ = writeln!(wrong, "{}: mentions {word}", file.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let mut wrong = String::new();
    for file in SOURCES.iter().flat_map(|folder| rust_files(folder)) {
        let text = fs::read_to_string(&file).unwrap();
        if !text.starts_with("//! ") {
            let _ = writeln!(wrong, "{}: does not begin with a `//!` head", file.display());
        }
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES {
            let _ = writeln!(wrong, "{}: {lines} lines, more than {MAX_FILE_LINES}", file.display());
        }
        for banned in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "#[allow("] {
            if !file.ends_with("tidy.rs") && text.contains(banned) {
                let _ = writeln!(wrong, "{}: contains {banned}", file.display());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_pages_of_the_manager_know_neither_store_nor_web_server() {
    for file in rust_files("src/admin/console") {
        let code = code_of(&fs::read_to_string(&file).unwrap());
        for foreign in ["store", "directory", "revoke", "axum", "tokio"] {
            let named = [
                format!("crate::{foreign}::"),
                format!("use {foreign}::"),
                format!(" {foreign}::"),
            ];
            let found = named.iter().find(|name| code.contains(name.as_str()));
            assert!(found.is_none(), "{} names {found:?}", file.display());
        }
    }
}

#[test]
fn the_table_of_architecture_md_is_this_one() {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    for (module, layer, allowed) in MAY_USE {
        let list = if allowed.is_empty() {
            "-".to_owned()
        } else {
            allowed.join(", ")
        };
        let row = format!("| {layer} | `{module}` | {list} |");
        assert!(text.contains(&row), "ARCHITECTURE.md lacks the row\n{row}");
    }
}

#[test]
fn cited_rfcs_and_the_table_agree() {
    let table = fs::read_to_string("docs/rfcs.md").unwrap();
    let rows: Vec<(String, bool)> = table
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let number: String = cells
                .next()?
                .trim_start_matches('[')
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            (!number.is_empty()).then(|| (number, cells.nth(1) == Some("yes")))
        })
        .collect();
    let cited: BTreeSet<String> = rust_files("src")
        .iter()
        .flat_map(|file| cited_rfcs(&fs::read_to_string(file).unwrap()))
        .collect();
    let listed: BTreeSet<String> = rows.iter().map(|(number, _)| number.clone()).collect();
    let missing: Vec<_> = cited.difference(&listed).collect();
    assert!(missing.is_empty(), "cited in src, not in docs/rfcs.md: {missing:?}");
    let uncited: Vec<_> = rows
        .iter()
        .filter(|(number, yes)| *yes && !cited.contains(number))
        .collect();
    assert!(
        uncited.is_empty(),
        "`yes` in docs/rfcs.md, cited nowhere in src: {uncited:?}"
    );
}

#[test]
fn every_test_that_the_quirks_name_exists() {
    let quirks = fs::read_to_string("docs/quirks.md").unwrap();
    let code: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let rows = quirks.lines().filter(|line| line.starts_with('|'));
    let named = rows.filter_map(|row| row.rsplit('|').nth(1));
    let missing: Vec<_> = named
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| match name.rsplit_once("::") {
            None => !Path::new(&format!("tests/transcripts/{name}.txt")).exists(),
            Some((module, "*" | "tests")) => {
                let module = module.rsplit("::").next().unwrap_or(module);
                !code.contains(&format!("mod {module};"))
            }
            Some((_, test)) => !code.contains(&format!("fn {test}(")),
        })
        .collect();
    assert!(missing.is_empty(), "named in docs/quirks.md and not there: {missing:?}");
}

#[test]
fn every_log_message_is_in_the_document() {
    let document = fs::read_to_string("docs/logging.md").unwrap();
    let mut missing = String::new();
    for file in rust_files("src") {
        let code = code_of(&fs::read_to_string(&file).unwrap());
        for message in log_messages(&code) {
            if !document.contains(&format!("`{message}`")) {
                let _ = writeln!(missing, "{}: {message}", file.display());
            }
        }
    }
    assert!(missing.is_empty(), "docs/logging.md lacks\n{missing}");
}

#[test]
fn every_metric_is_in_the_document() {
    let document = fs::read_to_string("docs/operating.md").unwrap();
    let code: String = fs::read_to_string("src/metrics.rs").unwrap();
    let names = code
        .split("register(")
        .skip(1)
        .filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next());
    let missing: Vec<_> = names
        .filter(|name| !document.contains(&format!("postern_{name}")))
        .collect();
    assert!(missing.is_empty(), "docs/operating.md lacks {missing:?}");
}

#[test]
fn every_document_that_is_named_exists() {
    let mut wrong = String::new();
    let documents = fs::read_dir("docs").unwrap().chain(fs::read_dir(".").unwrap());
    let documents: Vec<PathBuf> = documents.map(|entry| entry.unwrap().path()).collect();
    let is_markdown = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let texts = SOURCES.iter().flat_map(|folder| rust_files(folder));
    for file in texts.chain(documents.iter().filter(is_markdown).cloned()) {
        let text = fs::read_to_string(&file).unwrap();
        for (end, _) in text.match_indices(".md") {
            let before = &text[..end];
            let start = before.rfind(|c: char| !is_word(c) && c != '-').map_or(0, |at| at + 1);
            let name = format!("{}.md", &before[start..]);
            if start < end && !documents.iter().any(|document| document.ends_with(&name)) {
                let _ = writeln!(wrong, "{}: names {name}", file.display());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_eyes_of_these_tests_see() {
    let used = |text: &str, depth| used_modules(text, depth).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(used("use crate::store::Store;", 1), "store");
    assert_eq!(
        used(
            "use crate::{\n    keys, store::{self, Seq},\n    tls::Stream as cli,\n};",
            1
        ),
        "keys store tls"
    );
    assert_eq!(
        used("use crate::{self as ours, wire};\nfn f() { $crate::verify::tag() }", 2),
        "verify wire"
    );
    assert_eq!(used("use super::super::store::Seq; use super::listen;", 2), "store");
    assert_eq!(used("use super::{cli, wire::Line};", 1), "cli wire");
    assert_eq!(used("use super::{cli, wire::Line};", 2), "");
    assert_eq!(used("mod tests { use super::super::super::cli; }", 2), "cli");
    assert_eq!(used("use postern::config;", 3), "config");
    assert_eq!(used("// use crate::store;\nlet crates = 1; // see crate::cli", 1), "");
    assert_eq!(
        log_messages("tracing::warn!(error = %f(\"x\"), a.b = 1, \"fell over\");\nwarn!(\n    \"so\"\n);"),
        ["fell over", "so"]
    );
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::from(folder)];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// `src/store/sqlite/mod.rs` and `src/store.rs` are `store`; the crate's roots are none.
fn module_of(file: &Path) -> Option<String> {
    let first = file.strip_prefix("src").ok()?.components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// How many `super` lead from a file to the crate's root.
fn depth_of(file: &Path) -> usize {
    let names = file.with_extension("");
    let names = names.components().skip(1).map(|name| name.as_os_str());
    names.filter(|name| *name != "mod").count()
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The text without comments. (No string of ours holds two slashes behind a blank.)
fn code_of(text: &str) -> String {
    let code = text.lines().map(|line| match line.trim_start().starts_with("//") {
        true => "",
        false => line.split(" // ").next().unwrap_or_default(),
    });
    code.collect::<Vec<_>>().join("\n")
}

/// Every module of ours that is named from the crate's root: by `crate::`, by the crate's own name, or by enough
/// `super::`; grouped imports included.
fn used_modules(text: &str, depth: usize) -> BTreeSet<String> {
    let code = code_of(text);
    let climb = "super::".repeat(depth);
    let mut used = BTreeSet::new();
    for root in ["crate::", "postern::", climb.as_str()] {
        for (start, _) in code.match_indices(root) {
            let is_whole = !code[..start].ends_with(|c: char| is_word(c) || c == ':');
            if is_whole {
                // A module inside the file climbs one step more.
                first_names(
                    code[start..].trim_start_matches(root).trim_start_matches("super::"),
                    &mut used,
                );
            }
        }
    }
    used.retain(|name| MAY_USE.iter().any(|(module, ..)| module == name));
    used
}

/// The first name of a path, or of each path of a group.
fn first_names(path: &str, names: &mut BTreeSet<String>) {
    let name = |path: &str| {
        path.trim_start()
            .chars()
            .take_while(|c| is_word(*c))
            .collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else {
        names.insert(name(path));
        return;
    };
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.insert(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
        if c == '}' && start == at + 1 {
            return;
        }
    }
}

/// The messages of all logging macros, in the order of the file.
fn log_messages(code: &str) -> Vec<String> {
    let calls = ["trace!(", "debug!(", "info!(", "warn!(", "error!("];
    let starts = calls.iter().flat_map(|call| code.match_indices(call));
    let mut found: Vec<(usize, String)> = starts
        .filter(|(start, _)| !code[..*start].ends_with(is_word))
        .filter_map(|(start, call)| Some((start, last_string(&code[start + call.len()..])?)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, message)| message).collect()
}

/// The last string that is an argument of its own, in front of the parenthesis that ends the call.
fn last_string(arguments: &str) -> Option<String> {
    let (mut depth, mut opened, mut last) = (0_usize, None, None);
    let mut letters = arguments.char_indices();
    while let Some((at, c)) = letters.next() {
        match (c, opened) {
            ('\\', Some(_)) => drop(letters.next()),
            ('"', None) => opened = Some(at + 1),
            ('"', Some(start)) => {
                opened = None;
                if depth == 0 {
                    last = Some(arguments[start..at].to_owned());
                }
            }
            (_, Some(_)) => {}
            ('(', None) => depth += 1,
            (')', None) if depth == 0 => return last,
            (')', None) => depth -= 1,
            _ => {}
        }
    }
    None
}

fn cited_rfcs(text: &str) -> Vec<String> {
    text.match_indices("RFC ")
        .map(|(start, word)| {
            text[start + word.len()..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
        })
        .filter(|number| !number.is_empty())
        .collect()
}
