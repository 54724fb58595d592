//! What of the log is written: the configured level, and from libraries nothing that could hold a secret.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Libraries that log what a request says of itself. `tower_http` writes the path of each request at `trace`, and the
/// path of a link is its secret.
const NEVER_HEARD: [&str; 1] = ["tower_http"];

/// The filter of a configured level such as `info,postern::session=debug`. No level makes it log secrets: what is asked of
/// these libraries is left out, as the longest target of a filter wins.
///
/// # Errors
/// It is not a level and not a list of `target=level`.
pub fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    // What is left out has to be a filter as well.
    EnvFilter::try_new(level)?;
    let is_heard = |directive: &&str| {
        !NEVER_HEARD
            .iter()
            .any(|library| directive.trim_start().starts_with(library))
    };
    let heard: Vec<&str> = level.split(',').filter(is_heard).collect();
    let mut filter = EnvFilter::try_new(heard.join(","))?;
    for library in NEVER_HEARD {
        filter = filter.add_directive(format!("{library}=off").parse()?);
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    /// Which of these are written.
    fn written(level: &str) -> [bool; 3] {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter(level).unwrap())
            .with_writer(std::io::sink)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            [
                tracing::enabled!(target: "tower_http::csrf", Level::TRACE),
                tracing::enabled!(target: "tower_http", Level::ERROR),
                tracing::enabled!(target: "postern", Level::DEBUG),
            ]
        })
    }

    #[test]
    fn no_level_makes_libraries_write_what_requests_say() {
        for level in [
            "trace",
            "info,tower_http=trace,postern=debug",
            "tower_http::csrf=trace,debug",
            "debug,tower_http::csrf[request]=trace",
            "debug,tower_http::csrf",
        ] {
            assert_eq!(written(level), [false, false, true], "{level}");
        }
        assert_eq!(written("info"), [false; 3]);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for level in ["inf=o=", "tower_http=loud"] {
            assert!(filter(level).is_err(), "{level}");
        }
    }
}
