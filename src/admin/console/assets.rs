//! The style sheet, the script and the icon, as parts of the program.
//!
//! Their paths hold a hash of what is in them (`/assets/{hash}/{name}`), so that browsers may keep them for ever and a
//! new version is fetched at once.

use std::sync::LazyLock;

/// A file that pages refer to.
#[derive(Debug)]
pub struct Asset {
    /// Its name, the last part of its path.
    pub name: &'static str,
    /// What it is.
    pub content_type: &'static str,
    /// Its octets.
    pub body: &'static [u8],
    /// `/assets/{hash}/{name}`.
    pub path: String,
}

/// How many hexadecimal digits of the hash are in a path.
const HASH_DIGITS: usize = 16;

static STYLES: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_bytes!("../../../assets/postern.css");
    asset("postern.css", "text/css; charset=utf-8", body)
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_bytes!("../../../assets/postern.js");
    asset("postern.js", "text/javascript; charset=utf-8", body)
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_bytes!("../../../assets/postern.svg");
    asset("postern.svg", "image/svg+xml", body)
});

fn asset(name: &'static str, content_type: &'static str, body: &'static [u8]) -> Asset {
    let hash = blake3::hash(body).to_hex();
    let hash: String = hash.chars().take(HASH_DIGITS).collect();
    Asset {
        name,
        content_type,
        body,
        path: format!("/assets/{hash}/{name}"),
    }
}

/// The style sheet.
pub fn styles() -> &'static Asset {
    &STYLES
}

/// The script.
pub fn script() -> &'static Asset {
    &SCRIPT
}

/// The icon.
pub fn icon() -> &'static Asset {
    &ICON
}

/// The asset with this path.
pub fn find(path: &str) -> Option<&'static Asset> {
    [styles(), script(), icon()]
        .into_iter()
        .find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_by_their_path_and_by_no_other() {
        for asset in [styles(), script(), icon()] {
            assert_eq!(find(&asset.path).map(|found| found.name), Some(asset.name));
            assert!(find(&format!("/assets/0/{}", asset.name)).is_none(), "an old version");
        }
    }

    #[test]
    fn style_and_script_are_small_and_fetch_nothing_from_elsewhere() {
        // A quarter of it when compressed.
        assert!(styles().body.len() + script().body.len() < 48_000);
        for asset in [styles(), script()] {
            let text = str::from_utf8(asset.body).unwrap();
            for foreign in ["http:", "https:", "@import", "eval(", "url("] {
                assert!(!text.contains(foreign), "{} has {foreign}", asset.name);
            }
        }
    }
}
