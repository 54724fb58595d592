//! Reload of a running daemon: what it takes over from the configuration file.

use std::fs;

use crate::site::Site;

#[test]
fn a_reload_takes_the_new_log_level() -> anyhow::Result<()> {
    let site = Site::start()?;
    let path = site.postern.config();
    let loud = fs::read_to_string(&path)?;
    let quiet = loud.replace("level = \"info,postern=debug\"", "level = \"error\"");
    assert_ne!(loud, quiet);
    fs::write(&path, quiet)?;
    site.postern.cli(&["reload"])?.ok()?;
    fs::write(&path, loud)?;
    site.postern.cli(&["reload"])?.ok()?;
    site.postern.wait_for_log(&["reloaded"])?;
    // The first reload was not told: by then only errors were logged.
    let told = site
        .postern
        .log()
        .lines()
        .filter(|line| line.contains("reloaded"))
        .count();
    assert_eq!(told, 1);
    Ok(())
}
