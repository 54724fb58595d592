//! Holds what the compiler does not: who may import whom, file heads and sizes, that cited RFCs are in the table, and
//! that the tests named in docs/quirks.md are there.
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
    ("peer", "words", &[]),
    ("metrics", "words", &[]),
    ("preauth", "pure", &[]),
    ("wire", "pure", &[]),
    ("sasl", "pure", &["preauth", "wire"]),
    ("model", "pure", &[]),
    ("imap", "pure", &["preauth", "wire", "sasl", "model"]),
    ("smtp", "pure", &["preauth", "wire", "sasl", "model"]),
    ("keys", "mechanism", &[]),
    ("audit", "mechanism", &["model"]),
    ("store", "mechanism", &["model", "audit"]),
    ("throttle", "mechanism", &["keys"]),
    ("revoke", "mechanism", &["model", "store"]),
    ("verify", "mechanism", &["model", "preauth", "store", "keys", "revoke"]),
    ("tls", "mechanism", &[]),
    (
        "upstream",
        "mechanism",
        &[
            "model", "imap", "smtp", "sasl", "wire", "preauth", "keys", "tls", "verify",
        ],
    ),
    (
        "session",
        "use",
        &[
            "model", "preauth", "imap", "smtp", "sasl", "wire", "store", "throttle", "revoke", "verify", "audit",
            "tls", "upstream", "keys",
        ],
    ),
    (
        "directory",
        "use",
        &["model", "store", "verify", "audit", "keys", "revoke"],
    ),
    ("listen", "edge", &["session", "tls"]),
    ("admin", "edge", &["directory", "model", "store", "revoke", "audit"]),
    (
        "cli",
        "edge",
        &[
            "directory",
            "config",
            "model",
            "store",
            "verify",
            "audit",
            "keys",
            "tls",
            "upstream",
            "server",
        ],
    ),
    (
        "config",
        "root",
        &[
            "model", "store", "verify", "throttle", "tls", "upstream", "session", "listen", "admin", "preauth",
        ],
    ),
    (
        "server",
        "root",
        &[
            "config",
            "model",
            "store",
            "verify",
            "throttle",
            "revoke",
            "tls",
            "upstream",
            "session",
            "listen",
            "admin",
            "keys",
            "audit",
            "directory",
        ],
    ),
];

/// Words that the pure layer never says: it does no I/O, waits for nothing, reads no clock and logs nothing.
const IMPURE: &[&str] = &[
    "tokio",
    "tracing",
    "std::net::TcpStream",
    "std::fs",
    "std::thread",
    "SystemTime",
    "rusqlite",
];

const MAX_FILE_LINES: usize = 600;

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
        for used in used_modules(&text) {
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
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in IMPURE {
            if code
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(word))
            {
                let _ = writeln!(wrong, "{}: mentions {word}", file.display());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let mut wrong = String::new();
    for file in ["src", "tests", "benches", "examples"].into_iter().flat_map(rust_files) {
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

/// Every `crate::module` outside comments, grouped imports included.
fn used_modules(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut used = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    c if depth == 0 && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ => {}
                }
                if depth == 0 && matches!(c, ',' | ':' | ';') {
                    used.insert(std::mem::take(&mut word));
                }
            }
            used.insert(word);
        } else {
            used.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    used.retain(|name| MAY_USE.iter().any(|(module, ..)| module == name));
    used
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
