//! `postern load`, the real program, against the real gateway in front of real servers, and against hosts that are none.

use std::net::TcpListener;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::kit::certificates::Certificates;
use crate::kit::postern::{Device, Login, Outcome, program};
use crate::kit::process::Process;
use crate::kit::wait;
use crate::kit::work_dir::WorkDir;
use crate::site::{ANNA, QUICK, Site};

/// A site, and accounts in a file.
struct Load {
    site: Site,
    dir: WorkDir,
    phone: Device,
    credentials: String,
    ca: String,
}

impl Load {
    fn start() -> anyhow::Result<Self> {
        let site = Site::start_with(QUICK, (Login::MasterUser, Login::Xclient))?;
        let dir = WorkDir::new("load")?;
        let devices = [site.device("Phone")?, site.device("Laptop")?];
        let credentials = write_accounts(&dir, &devices)?;
        let [phone, _] = devices;
        let ca = site.certificates.authority.display().to_string();
        Ok(Self {
            site,
            dir,
            phone,
            credentials,
            ca,
        })
    }

    /// Runs it against a listener of the gateway.
    fn run(&self, work: &str, listener: &str, options: &[&str]) -> anyhow::Result<Outcome> {
        let port = self.site.postern.port(listener)?;
        self.run_against(
            work,
            &format!("localhost:{port}"),
            &[&["--ca", &self.ca], options].concat(),
        )
    }

    fn run_against(&self, work: &str, target: &str, options: &[&str]) -> anyhow::Result<Outcome> {
        let arguments = ["load", work, target, "--credentials", &self.credentials, "--json"];
        self.site.postern.cli(&[&arguments, options].concat())
    }

    /// The report of a run that found nothing wrong.
    fn good(&self, work: &str, listener: &str, options: &[&str]) -> anyhow::Result<Value> {
        let outcome = self.run(work, listener, options)?;
        let report = report(&outcome)?;
        ensure!(outcome.code == 0 && report["failed"] == 0, "{outcome:?}");
        ensure!(report["errors"] == json!([]) && report["unfinished"] == 0, "{report}");
        Ok(report)
    }
}

fn write_accounts(dir: &WorkDir, devices: &[Device]) -> anyhow::Result<String> {
    let row = |device: &Device| format!("{},{}\r\n", device.address, device.password);
    let rows: String = devices.iter().map(row).collect();
    let path = dir.write_secret("accounts.csv", &format!("username,password\r\n{rows}"))?;
    Ok(path.display().to_string())
}

fn report(outcome: &Outcome) -> anyhow::Result<Value> {
    serde_json::from_str(&outcome.stdout).with_context(|| format!("no report: {outcome:?}"))
}

/// One kind of operation of a report.
fn operation<'a>(report: &'a Value, name: &str) -> anyhow::Result<&'a Value> {
    let all = report["operations"].as_array().context("no operations")?;
    all.iter()
        .find(|operation| operation["operation"] == name)
        .with_context(|| format!("no {name} in {report}"))
}

/// The kinds of error of a report, with their numbers.
fn kinds(report: &Value) -> Vec<(&str, u64)> {
    let all = report["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kind = |error: &'static str, of: &Value| of[error].as_u64().unwrap_or_default();
    all.iter()
        .map(|error| (error["kind"].as_str().unwrap_or_default(), kind("count", error)))
        .collect()
}

#[test]
fn logins_go_through_every_listener() -> anyhow::Result<()> {
    let load = Load::start()?;
    let some = ["--count", "6", "--clients", "2"];
    for (listener, options) in [
        ("imaps", &[][..]),
        ("imap", &["--starttls", "--protocol", "imap"]),
        ("submissions", &[]),
        ("submission", &["--starttls"]),
        ("imaps", &["--mechanism", "plain", "--from", "127.0.0.1,127.0.0.2"]),
    ] {
        let protocol = if listener.starts_with("imap") { "imap" } else { "smtp" };
        let options = if options.contains(&"--protocol") {
            options.to_vec()
        } else {
            [options, &["--protocol", protocol]].concat()
        };
        let report = load.good("logins", listener, &[&some[..], &options].concat())?;
        let login = operation(&report, "login")?;
        assert_eq!(
            (&login["done"], &login["resumed"]),
            (&json!(6), &json!(0)),
            "{listener}"
        );
        assert!(login["latency_milliseconds"]["p50"].as_f64() > Some(0.0), "{login}");
    }
    let report = load.good(
        "logins",
        "imaps",
        &["--protocol", "imap", "--resume", "--count", "6", "--clients", "2"],
    )?;
    // All but the first of each client.
    assert_eq!(operation(&report, "resumed_login")?["resumed"], 4, "{report}");
    assert_eq!(report["server_name"], "localhost");
    Ok(())
}

#[test]
fn messages_are_stored_fetched_compared_and_sent() -> anyhow::Result<()> {
    let load = Load::start()?;
    let options = [
        "--protocol",
        "imap",
        "--size",
        "300 KiB",
        "--count",
        "5",
        "--clients",
        "1",
    ];
    let report = load.good("throughput", "imaps", &options)?;
    let (fetch, store) = (operation(&report, "fetch")?, operation(&report, "store")?);
    assert_eq!((&fetch["done"], &store["done"]), (&json!(5), &json!(1)));
    assert!(fetch["octets"].as_u64() >= Some(5 * 300 * 1024), "{fetch}");
    assert_eq!(report["left_behind"], json!([]));
    let phone = load.site.device("Reader")?;
    let mut imap = load.site.imap_as(&phone)?;
    let folders = imap.command("LIST \"\" *")?.ok()?;
    assert!(!format!("{folders:?}").contains("postern-load"), "{folders:?}");

    let options = [
        "--protocol",
        "smtp",
        "--size",
        "20 KiB",
        "--count",
        "3",
        "--clients",
        "1",
    ];
    let refused = load.run("throughput", "submissions", &options)?;
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused:?}");
    assert!(refused.stderr.contains("--to ADDRESS"), "{refused:?}");
    let report = load.good("throughput", "submissions", &[&options[..], &["--to", ANNA]].concat())?;
    assert_eq!(operation(&report, "send")?["done"], 3);
    Ok(())
}

#[test]
fn sessions_are_held_and_mixed_work_is_done() -> anyhow::Result<()> {
    let load = Load::start()?;
    let report = load.good(
        "idle",
        "imaps",
        &["--protocol", "imap", "--clients", "5", "--time", "100ms"],
    )?;
    assert_eq!(operation(&report, "open")?["done"], 5);
    assert_eq!(operation(&report, "hold")?["done"], 5);
    for (listener, protocol) in [("imaps", "imap"), ("submissions", "smtp")] {
        let options = ["--protocol", protocol, "--count", "10", "--clients", "2"];
        let report = load.good("mixed", listener, &options)?;
        assert_eq!(operation(&report, "login")?["done"], 4);
        assert_eq!(operation(&report, "resumed_login")?["done"], 5);
        assert_eq!(operation(&report, "wrong_password")?["done"], 1);
    }
    let refused = load.run("idle", "submissions", &["--protocol", "smtp"])?;
    assert_eq!(refused.code, 2, "{refused:?}");
    Ok(())
}

#[test]
fn revoked_sessions_are_lost_and_a_signal_ends_the_run_with_its_report() -> anyhow::Result<()> {
    let load = Load::start()?;
    let target = format!("localhost:{}", load.site.postern.port("imaps")?);
    let mut command = Command::new(program()?);
    command.args([
        "load",
        "idle",
        &target,
        "--protocol",
        "imap",
        "--ca",
        &load.ca,
        "--json",
    ]);
    command.args(["--clients", "4", "--time", "1h", "--credentials", &load.credentials]);
    let log = load.dir.join("report.json");
    let mut process = Process::start("postern load", command, &log)?;
    let sessions = |number: usize| {
        wait::until(&format!("{number} sessions are open"), || {
            let listed = load.site.postern.cli(&["session", "list", "--json"])?.ok()?;
            let listed: Value = serde_json::from_str(&listed)?;
            let open = listed["sessions"].as_array().map_or(0, Vec::len);
            Ok((open == number).then_some(()))
        })
    };
    sessions(4)?;
    load.site.postern.revoke(&load.phone)?;
    sessions(2)?;
    process.signal("INT")?;
    assert!(process.wait()?.code().is_some());
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&log)?)?;
    assert_eq!(
        (&report["interrupted"], &report["failed"]),
        (&json!(true), &json!(2)),
        "{report}"
    );
    let held = operation(&report, "hold")?["done"].as_u64().unwrap_or_default();
    assert_eq!(held + report["unfinished"].as_u64().unwrap_or_default(), 2, "{report}");
    Ok(())
}

#[test]
fn wrong_passwords_are_what_is_counted_as_right() -> anyhow::Result<()> {
    let mut load = Load::start()?;
    let names = load.dir.write_secret("names.csv", &format!("{ANNA}\n"))?;
    let right = std::mem::replace(&mut load.credentials, names.display().to_string());
    for options in [&["--count", "3"][..], &["--same", "--count", "3"]] {
        let options = [&["--protocol", "imap", "--clients", "1"], options].concat();
        let report = load.good("wrong-passwords", "imaps", &options)?;
        assert_eq!(operation(&report, "wrong_password")?["done"], 3);
    }
    // A login with a wrong password is an error of that kind, and nothing that came out right.
    let wrong = load
        .dir
        .write_secret("wrong.csv", &format!("{ANNA},not-the-password\n"))?;
    load.credentials = wrong.display().to_string();
    let outcome = load.run("logins", "imaps", &["--protocol", "imap", "--count", "2"])?;
    assert_eq!(
        (outcome.code, kinds(&report(&outcome)?)),
        (1, vec![("wrong_password", 2)])
    );
    load.credentials = right;
    load.good("logins", "imaps", &["--protocol", "imap", "--count", "2"])?;
    Ok(())
}

#[test]
fn hosts_that_do_not_serve_are_counted_by_kind() -> anyhow::Result<()> {
    let load = Load::start()?;
    let check = |target: &str, options: &[&str], kind: &str| -> anyhow::Result<()> {
        let protocol = if kind == "unsupported" { "smtp" } else { "imap" };
        let options = [&["--protocol", protocol, "--count", "3", "--clients", "3"], options].concat();
        let outcome = load.run_against("logins", target, &options)?;
        let report = report(&outcome)?;
        ensure!(
            outcome.code == 1 && kinds(&report) == [(kind, 3)],
            "{target} {options:?}: {outcome:?}"
        );
        ensure!(
            report["errors"][0]["first"].is_string() && report["done"] == 0,
            "{report}"
        );
        Ok(())
    };
    let ca = ["--ca", &load.ca];
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let address = silent.local_addr()?.to_string();
    check(&address, &[&ca[..], &["--step-time", "100ms"]].concat(), "timeout")?;
    drop(silent);
    check(&address, &ca, "connect")?;

    let imaps = format!("localhost:{}", load.site.postern.port("imaps")?);
    // Postern itself takes TLS on that port too.
    let clear = format!("localhost:{}", load.site.dovecot.imap);
    let submission = format!("localhost:{}", load.site.postern.port("submission")?);
    check(&clear, &ca, "tls")?;
    check(&submission, &["--cleartext"], "bad_answer")?;
    check(&submission, &["--cleartext"], "unsupported")?;
    let others = Certificates::new()?;
    let other = others.authority.display().to_string();
    check(&imaps, &["--ca", &other], "certificate")?;
    check(
        &imaps,
        &[&ca[..], &["--server-name", "elsewhere.test"]].concat(),
        "certificate",
    )
}

#[test]
fn what_cannot_be_run_is_said_before_it_is_tried() -> anyhow::Result<()> {
    let mut load = Load::start()?;
    let port = load.site.postern.port("imaps")?;
    let target = format!("localhost:{port}");
    let check = |load: &Load, target: &str, options: &[&str], code: i32, words: &str| -> anyhow::Result<()> {
        let outcome = load.run_against("logins", target, options)?;
        ensure!(
            outcome.code == code && outcome.stdout.is_empty() && outcome.stderr.contains(words),
            "{target} {options:?}: {outcome:?}"
        );
        Ok(())
    };
    check(&load, &target, &[], 2, "--protocol")?;
    check(&load, "localhost", &[], 2, "HOST:PORT")?;
    check(&load, "name.invalid:993", &[], 1, "has no address")?;
    check(
        &load,
        &target,
        &["--protocol", "imap", "--ca", "/dev/null"],
        1,
        "holds no certificate",
    )?;
    check(&load, &target, &["--protocol", "imap", "--count", "0"], 2, "--count")?;
    let imap = ["--protocol", "imap", "--ca", &load.ca.clone()].map(str::to_owned);
    let imap: Vec<&str> = imap.iter().map(String::as_str).collect();
    load.credentials = load.dir.write("open.csv", "anna,x\n")?.display().to_string();
    check(&load, &target, &imap, 1, "chmod 600")?;
    load.credentials = load.dir.write_secret("bad.csv", "anna,x\nbob\n")?.display().to_string();
    check(&load, &target, &imap, 1, "line 2, column 2")?;
    load.credentials = load.dir.join("missing.csv").display().to_string();
    check(&load, &target, &imap, 1, "missing.csv cannot be read")
}
