//! schemathesis reads the description that the daemon serves and sends what it allows, and what it does not: no answer may
//! be a mistake of ours, have a status or a form that is not described, or take a method that is not.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::program::Program;
use super::{HOST, site, text, token};
use crate::kit::work_dir::WorkDir;
use crate::site::{ANNA, Site};

const BEA: &str = "bea@example.test";

/// What is held of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,response_headers_conformance,unsupported_method,allow_header_conformance";
/// Random requests for each operation, besides those at the edges of each parameter and field.
const EXAMPLES: &str = "5";
/// The same requests every time.
const SEED: &str = "1";
/// Seconds for one run; it needs some twenty.
const LIMIT: &str = "240";
/// Operations after which there is nothing left to ask for; they are tried at the end.
const LAST: &str = "/revoke|/withdraw|/tokens/";

#[test]
fn no_request_is_answered_in_a_way_that_is_not_described() -> anyhow::Result<()> {
    let site = site()?;
    let token = token(&site)?;
    let program = Program::new(&site, &token)?;
    let ids = things(&site, &program)?;
    // Somebody is connected while all this goes on, to a mailbox that no path names.
    site.add_mailbox(BEA)?;
    let mut imap = site.imap_as(&site.postern.add_device(BEA, "Laptop")?)?;
    let sessions = program.get("/sessions")?.is(200)?;
    let dir = WorkDir::new("schemathesis")?;
    let mut config = format!(
        "headers = {{ Authorization = \"Bearer {token}\", Host = \"{HOST}\" }}\n\
         tls-verify = \"{}\"\n\n[parameters]\n\"path.session\" = {}\n\"path.number\" = 3\n",
        site.certificates.authority.display(),
        sessions["items"][0]["id"],
    );
    for (name, id) in &ids {
        writeln!(config, "\"path.{name}\" = \"{id}\"")?;
    }
    let config = dir.write_secret("schemathesis.toml", &config)?;
    let total = run(
        &site,
        &config,
        &["--exclude-method", "DELETE", "--exclude-path-regex", LAST],
    )?;
    imap.command("NOOP")?
        .ok()
        .context("the session was ended by what ends none")?;
    let last = run(&site, &config, &["--include-method", "DELETE"])?;
    let others = run(
        &site,
        &config,
        &["--include-path-regex", LAST, "--exclude-method", "DELETE"],
    )?;
    let description: Value = serde_json::from_str(include_str!("../../../docs/openapi.json"))?;
    let paths = description["paths"].as_object().context("no paths")?;
    let operations: usize = paths
        .values()
        .filter_map(Value::as_object)
        .map(serde_json::Map::len)
        .sum();
    ensure!(
        total + last + others == operations,
        "{total} and {last} and {others} of {operations}"
    );
    let log = site.postern.log();
    ensure!(
        !log.contains("a request ended in a defect") && !log.contains("panicked"),
        "{log}"
    );
    Ok(())
}

/// Something of each kind, by the names that paths have for them.
fn things(site: &Site, program: &Program<'_>) -> anyhow::Result<Vec<(&'static str, String)>> {
    let lucie = [
        "user",
        "create",
        "lucie@private.test",
        "--name",
        "Lucie",
        "--org",
        "Example",
    ];
    let lucie = [&lucie[..], &["--role", "member", "--password-stdin"]].concat();
    site.postern.cli_with_input(&lucie, "vast otter plume\n")?.ok()?;
    let first = |path: &str, pointer: &str| {
        let list = program.get(path)?.is(200)?;
        anyhow::Ok(text(&list["items"][0], pointer)?.to_owned())
    };
    let mailbox = first(&format!("/mailboxes?q={ANNA}"), "/id")?;
    let user = first("/members?q=lucie", "/user/id")?;
    let made = |path: &str, body: &Value, pointer: &str| {
        let made = program.post(path, None, body)?.is(201)?;
        anyhow::Ok(text(&made, pointer)?.to_owned())
    };
    let at = |rest: &str| format!("/mailboxes/{mailbox}/{rest}");
    let device = program
        .post(&at("devices"), None, &json!({ "name": "Phone" }))?
        .is(201)?;
    site.postern.add_secret(text(&device, "/password")?);
    let alias = made(&at("aliases"), &json!({ "address": "hello@example.test" }), "/id")?;
    let invite = json!({ "address": "marc@private.test", "by_mail": false });
    let invited = program.post("/invitations", None, &invite)?.is(201)?;
    let link = text(&invited, "/link")?;
    site.postern.add_secret(link.rsplit('/').next().unwrap_or(link));
    let grant = json!({ "rights": ["see-devices"] });
    program.put(&at(&format!("grants/{user}")), &grant)?.is(201)?;
    let ids = vec![
        ("alias", alias),
        ("device", text(&device, "/device/id")?.to_owned()),
        ("domain", first("/domains", "/id")?),
        ("invitation", text(&invited, "/invitation/id")?.to_owned()),
        ("token", first("/tokens", "/id")?),
        ("user", user),
        ("mailbox", mailbox),
    ];
    Ok(ids)
}

/// Runs it over some operations; gives how many these were.
fn run(site: &Site, config: &Path, choice: &[&str]) -> anyhow::Result<usize> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis/bin/schemathesis");
    ensure!(program.exists(), "{} is missing: run scripts/setup", program.display());
    let port = site.postern.port("manager")?;
    let output = Command::new("timeout")
        .arg(LIMIT)
        .arg(&program)
        .arg("--config-file")
        .arg(config)
        .arg("run")
        .arg(format!("https://{HOST}:{port}/api/v1/openapi.json"))
        .args([
            "--phases",
            "coverage,fuzzing",
            "--checks",
            CHECKS,
            "--max-examples",
            EXAMPLES,
        ])
        .args([
            "--seed",
            SEED,
            "--generation-database",
            "none",
            "--no-shrink",
            "--no-color",
        ])
        .args([
            "--continue-on-failure",
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
        ])
        .args(choice)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}", output.status);
    let tested = said.lines().find_map(|line| line.trim().strip_prefix("Tested:"));
    let tested = tested.with_context(|| format!("nothing was tested: {said}"))?;
    Ok(tested.trim().parse()?)
}
