//! What of the log is written: the configured level, and from libraries nothing that could hold a secret.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Libraries that log what a request says of itself. `tower_http` writes the path of each request at `trace`, and the
/// path of a link is its secret.
const NEVER_HEARD: [&str; 1] = ["tower_http"];

/// The filter of a configured level such as `info,postern::session=debug`. No level makes it log secrets.
///
/// # Errors
/// It is not a level and not a list of `target=level`.
pub fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    let mut filter = EnvFilter::try_new(level)?;
    for library in NEVER_HEARD {
        filter = filter.add_directive(format!("{library}=off").parse()?);
    }
    Ok(filter)
}
