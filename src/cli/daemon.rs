//! `postern status` and `postern reload`: a word with the running daemon.

use std::path::Path;

use serde_json::Value;

use super::control::Client;
use super::failure::Failure;
use super::output::Output;
use crate::config::{self, Secrets};

/// Prints what the daemon says about itself.
pub(super) async fn status(path: &Path, output: &Output) -> Result<(), Failure> {
    let status = client(path)?.status().await?;
    output.show(&status, || lines(&status))
}

/// Makes the daemon read its configuration again; on any error it goes on with the old one.
pub(super) async fn reload(path: &Path, output: &Output) -> Result<(), Failure> {
    let reloaded = client(path)?.reload().await?;
    output.show(
        &serde_json::json!({ "reloaded": true, "notes": reloaded.notes }),
        || {
            std::iter::once("reloaded")
                .chain(reloaded.notes.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join("\n")
        },
    )
}

fn client(path: &Path) -> Result<Client, Failure> {
    let (config, _) = config::load(path, Secrets::Skip)?;
    Ok(Client::new(&config.admin.control_socket, &super::local::actor().who))
}

fn lines(status: &Value) -> String {
    let Some(facts) = status.as_object() else {
        return status.to_string();
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    facts
        .iter()
        .map(|(name, value)| format!("{:<20}{}", name.replace('_', " "), text(value)))
        .collect::<Vec<_>>()
        .join("\n")
}
