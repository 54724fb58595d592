//! Replays the committed corpora below `fuzz/corpus` with the very code of the fuzz targets, so that a finding stays
//! found without a fuzzer at hand.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/bodies/autodiscover.rs"]
mod autodiscover;
#[path = "../../fuzz/bodies/imap_session.rs"]
mod imap_session;
#[path = "../../fuzz/bodies/proxy_header.rs"]
mod proxy_header;
#[path = "../../fuzz/bodies/sasl.rs"]
mod sasl;
#[path = "../../fuzz/bodies/smtp_guard.rs"]
mod smtp_guard;
#[path = "../../fuzz/bodies/smtp_session.rs"]
mod smtp_session;

#[test]
fn the_autodiscover_corpus_holds() {
    replay("autodiscover", autodiscover::run);
}

#[test]
fn the_imap_session_corpus_holds() {
    replay("imap_session", imap_session::run);
}

#[test]
fn the_sasl_corpus_holds() {
    replay("sasl", sasl::run);
}

#[test]
fn the_proxy_header_corpus_holds() {
    replay("proxy_header", proxy_header::run);
}

#[test]
fn the_smtp_guard_corpus_holds() {
    replay("smtp_guard", smtp_guard::run);
}

#[test]
fn the_smtp_session_corpus_holds() {
    replay("smtp_session", smtp_session::run);
}

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("a corpus is a folder")
        .map(|file| file.expect("and readable").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no input in {}", folder.display());
    for file in files {
        run(&fs::read(&file).expect("an input is readable"));
    }
}
