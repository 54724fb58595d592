//! What the shipped files promise, and one test for each class of broken file.

mod dns;

mod mail;

mod restart;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::*;

/// The keys that a working file needs, on ports and paths that clash with nothing.
const MINIMAL: &str = r#"hostname = "mail.example.org"
[tls]
development = true
[[listener]]
address = "127.0.0.1:8993"
protocol = "imap"
[[route]]
[route.imap]
address = "127.0.0.1:10143"
security = "cleartext"
login = "stored"
"#;

fn read_text(text: &str) -> Result<(Config, Vec<Problem>), Error> {
    check(
        Path::new("postern.toml"),
        text,
        Path::new("/etc/postern"),
        Secrets::Skip,
    )
}

fn problems(text: &str) -> Vec<String> {
    match read_text(text) {
        Ok((_, warnings)) => warnings.iter().map(ToString::to_string).collect(),
        Err(Error::Problems(found)) => found.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// The one finding for `MINIMAL` with some text replaced.
#[track_caller]
fn expect_one(from: &str, to: &str, expected: &str) {
    assert!(MINIMAL.contains(from), "{from}");
    assert_eq!(problems(&MINIMAL.replacen(from, to, 1)), [expected]);
}

#[track_caller]
fn expect_one_with(more: &str, expected: &str) {
    assert_eq!(problems(&format!("{MINIMAL}{more}")), [expected]);
}

/// Shown in the shipped file as the other way to do the same: with both, neither would be meant.
const OTHER_WAY: &str = "unix_socket";

/// `config/postern.toml` with every `#key = value` made effective; those without a default only if wanted.
fn uncommented(with_no_default: bool) -> String {
    let mut lines = Vec::new();
    let mut no_default = false;
    for line in DEFAULT_FILE.lines() {
        let key = line
            .strip_prefix('#')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        match key {
            Some(key) if key.starts_with(OTHER_WAY) => {}
            Some(key) if with_no_default || !no_default => lines.push(key),
            Some(_) => {}
            None => {
                no_default = line.ends_with("No default.");
                lines.push(line);
            }
        }
    }
    lines.join("\n")
}

#[test]
fn the_shipped_file_loads_without_a_finding() {
    assert_eq!(problems(DEFAULT_FILE), [""; 0]);
}

#[test]
fn the_shipped_file_shows_every_default_as_it_is() {
    let (shipped, _) = read_text(DEFAULT_FILE).unwrap();
    let (written_out, warnings) = read_text(&uncommented(false)).unwrap();
    assert_eq!(warnings, []);
    let (shipped, written_out) = (format!("{shipped:#?}"), format!("{written_out:#?}"));
    for (shipped, written_out) in shipped.lines().zip(written_out.lines()) {
        assert_eq!(shipped, written_out);
    }
    assert_eq!(shipped, written_out);
}

#[test]
fn the_shipped_file_has_every_key_and_loads_with_all_of_them() {
    let text = uncommented(true);
    assert_eq!(problems(&text), [""; 0]);
    let mut found = Problems::new(Path::new("postern.toml"), &text);
    let file = serde_json::to_value(read::read(&text, &mut found)).unwrap();
    let mut absent = Vec::new();
    absent_keys(&file, "", &mut absent);
    // The services of a route share a struct, so a key shown for one of them is shown.
    let shown_elsewhere = |key: &String| {
        key.strip_prefix("route.smtp")
            .is_some_and(|key| !absent.contains(&format!("route.imap{key}")))
    };
    let is_missing = |key: &&String| !shown_elsewhere(key) && !key.ends_with(OTHER_WAY);
    let missing: Vec<&String> = absent.iter().filter(is_missing).collect();
    assert!(DEFAULT_FILE.contains(&format!("\n#{OTHER_WAY} = ")));
    assert_eq!(missing, Vec::<&String>::new());
}

/// Dotted names of the keys that are null; of several tables in a list, a key counts as present if the first has it.
fn absent_keys(value: &Value, path: &str, absent: &mut Vec<String>) {
    match value {
        Value::Null => absent.push(path.trim_start_matches('.').to_owned()),
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| absent_keys(value, &format!("{path}.{key}"), absent)),
        Value::Array(list) => {
            if let Some(first) = list.first().filter(|first| first.is_object()) {
                absent_keys(first, path, absent);
            }
        }
        _ => {}
    }
}

#[test]
fn the_reference_lists_exactly_the_keys_and_defaults_of_the_shipped_file() {
    let documented: BTreeMap<&str, &str> = include_str!("../../docs/config.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter_map(|(key, rest)| Some((key, rest.split_once(" |")?.0)))
        .collect();
    let shipped = shipped_keys();
    let shipped: BTreeMap<&str, &str> = shipped
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(documented, shipped, "docs/config.md has one table row a key");
}

/// Dotted keys of the shipped file and their defaults as the reference shows them.
fn shipped_keys() -> BTreeMap<String, String> {
    let (mut keys, mut section, mut no_default) = (BTreeMap::new(), String::new(), false);
    for line in DEFAULT_FILE.lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_matches(['[', ']']).to_owned();
            continue;
        }
        let commented = line
            .strip_prefix('#')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        if let Some((key, value)) = commented
            .unwrap_or(line)
            .split_once(" = ")
            .filter(|_| !line.starts_with("# "))
        {
            let default = match (commented, no_default) {
                (None, _) => "needed".to_owned(),
                (Some(_), true) => "none".to_owned(),
                (Some(_), false) => format!("`{value}`"),
            };
            let key = format!("{section}.{key}").trim_start_matches('.').to_owned();
            if section != "route.smtp" {
                keys.entry(key).or_insert(default);
            }
        } else {
            no_default = line.ends_with("No default.");
        }
    }
    keys
}

#[test]
fn the_development_file_loads() {
    let text = include_str!("../../config/dev.toml");
    assert_eq!(problems(text), [""; 0]);
    let (config, _) = read_text(text).unwrap();
    assert!(
        config.development_certificates
            && config
                .listen
                .listeners
                .iter()
                .all(|listener| listener.address.ip().is_loopback())
    );
}

#[test]
fn relative_paths_begin_at_the_folder_of_the_file() {
    let (config, _) = read_text(&MINIMAL.replacen('\n', "\ndata_dir = \"data\"\n", 1)).unwrap();
    assert_eq!(config.store.path, Path::new("/etc/postern/data/postern.db"));
    assert_eq!(config.admin.control_socket, Path::new("/etc/postern/data/control.sock"));
}

#[test]
fn all_findings_are_reported_at_once_in_the_order_of_the_file() {
    let text = "hostnam = \"mail.example.org\"\n[log]\nlevel = 5\nformat = \"xml\"\n[tls]\ncertificate = 3\n[[listener]]\nadress = \"127.0.0.1:8993\"\naddress = \"x\"\nproxy_from = [\"10.0.0.0/8\", \"10.0.0.1/8\"]\n[throttle]\nmax_delay = 5\n[before_login]\nbytes = \"many\"\n";
    insta::assert_snapshot!(problems(text).join("\n"), @r#"
    postern.toml:1:1: hostnam: there is no such key; did you mean `hostname`?
    postern.toml:3:9: log.level: wrong kind of value: integer `5`, expected a string
    postern.toml:4:10: log.format: `xml` is not possible here; write one of "auto", "human", "json"
    postern.toml:6:15: tls.certificate: wrong kind of value: integer `3`, expected a sequence
    postern.toml:8:1: listener.adress: there is no such key; did you mean `address`?
    postern.toml:9:11: listener.address: `x` is not an address to listen on; write an IP address and a port such as "0.0.0.0:993" or "[::]:993"
    postern.toml:10:14: listener.proxy_from: `10.0.0.1/8` has bits behind its prefix; write "10.0.0.0/8" for the network or "10.0.0.1" for the one address
    postern.toml:12:13: throttle.max_delay: a time needs its unit; write "5 s" for seconds or "5ms" for milliseconds
    postern.toml:14:9: before_login.bytes: `many` is not a size; write a whole number and a unit such as "512 B", "16 KiB" or "64 MiB"
    "#);
}

#[test]
fn several_syntax_errors_are_reported_at_once() {
    let found = problems("hostname = \n[log\nlevel = \"info\n");
    assert!(
        found.len() >= 2 && found[0].starts_with("postern.toml:1:"),
        "{found:#?}"
    );
}

#[test]
fn what_is_needed_is_asked_for() {
    insta::assert_snapshot!(problems("").join("\n"), @r#"
    postern.toml: hostname: the name that clients connect to is missing; add hostname = "mail.example.org"
    postern.toml: listener: there is no listener; add [[listener]] with name = "imaps", address = "0.0.0.0:993", protocol = "imap"
    postern.toml: tls.certificate: there is no certificate; add [[tls.certificate]] with chain and key, or development = true under [tls] to try things out
    "#);
}

#[test]
fn a_listener_without_a_route_is_an_error() {
    expect_one_with(
        "[[listener]]\naddress = \"127.0.0.1:8465\"\nprotocol = \"smtp\"\n",
        "postern.toml: route: listener \"submissions\" accepts smtp, but no route has [route.smtp]; add one, or remove the listener",
    );
}

#[test]
fn two_listeners_with_one_address_are_an_error_even_through_a_wildcard() {
    let second = "[[listener]]\nname = \"second\"\naddress = \"0.0.0.0:8993\"\nprotocol = \"imap\"\n";
    expect_one_with(
        second,
        "postern.toml:14:11: listener.address: 0.0.0.0:8993 is already taken by listener \"imaps\"; give each listener an address or port of its own",
    );
    let any_port = MINIMAL.replace(":8993", ":0") + second.replace("0.0.0.0:8993", "127.0.0.1:0").as_str();
    assert_eq!(problems(&any_port), [""; 0]);
}

#[test]
fn a_proxy_listener_trusts_somebody_but_not_everybody() {
    let listener = "protocol = \"imap\"";
    expect_one(
        listener,
        "protocol = \"imap\"\nproxy_from = []",
        "postern.toml:7:14: listener.proxy_from: a listener that expects PROXY headers trusts nobody; list the load balancer's networks, or remove proxy_from for direct connections",
    );
    expect_one(
        listener,
        "protocol = \"imap\"\nproxy_from = [\"::/0\"]",
        "postern.toml:7:15: listener.proxy_from: this trusts the whole internet to say who it is; list only the load balancer's networks",
    );
}

#[test]
fn a_route_to_ourselves_is_an_error() {
    for own in ["127.0.0.1:8993", "localhost:8993", "mail.example.org:8993"] {
        let found = problems(&MINIMAL.replace("127.0.0.1:10143", own));
        assert!(
            found
                .iter()
                .any(|line| line.contains("this is our own listener \"imaps\"")),
            "{own}: {found:?}"
        );
    }
    let behind_a_balancer = MINIMAL.replace(
        "protocol = \"imap\"",
        "protocol = \"imap\"\nproxy_from = [\"127.0.0.1\"]",
    );
    assert_eq!(problems(&behind_a_balancer), [""; 0]);
}

#[test]
fn credentials_in_clear_over_a_network_are_warned_about() {
    expect_one(
        "127.0.0.1:10143",
        "mailstore.example.org:143",
        "postern.toml:10:12: route.imap.security: credentials that open every mailbox travel to mailstore.example.org in clear; use \"tls\" or \"starttls\"",
    );
    assert!(read_text(&MINIMAL.replace("127.0.0.1:10143", "mailstore.example.org:143")).is_ok());
}

#[test]
fn a_login_that_the_protocol_does_not_know_is_an_error() {
    expect_one(
        "\"stored\"",
        "\"xclient\"",
        "postern.toml:11:9: route.imap.login: IMAP knows no such login; use \"master-user\", \"authzid\" or \"stored\"",
    );
}

#[test]
fn each_login_has_the_keys_it_needs_and_no_others() {
    expect_one(
        "\"stored\"",
        "\"stored\"\nuser = \"postern\"",
        "postern.toml:12:8: route.imap.user: user has no effect with this login; remove it",
    );
    expect_one(
        "\"stored\"",
        "\"stored\"\nseparator = \"*\"",
        "postern.toml:12:13: route.imap.separator: only login = \"master-user\" has a separator; remove it",
    );
    expect_one(
        "\"stored\"",
        "\"authzid\"\nuser = \"postern\"",
        "postern.toml:8:1: route.imap.password_file: this login needs a user and a password file; add password_file",
    );
    expect_one(
        "\"stored\"",
        "\"master-user\"\nuser = \"postern\"\npassword_file = \"p\"\nseparator = \"+\"",
        "postern.toml:14:13: route.imap.separator: mailboxes can have this character in their names; use \"*\" or \"%\" here and in the mail store",
    );
}

#[test]
fn routes_do_not_compete() {
    let second = "[[route]]\nname = \"second\"\n[route.imap]\naddress = \"127.0.0.1:10144\"\nsecurity = \"cleartext\"\nlogin = \"stored\"\n";
    expect_one_with(
        second,
        "postern.toml:12:1: route.domains: route \"default\" is the default already; list the domains of this one",
    );
    let with_domains = second.replace("\"second\"", "\"second\"\ndomains = [\"example.org\"]");
    assert_eq!(problems(&format!("{MINIMAL}{with_domains}")), [""; 0]);
    let third = with_domains.replace("second", "third");
    expect_one_with(
        &format!("{with_domains}{third}"),
        "postern.toml:21:11: route.domains: example.org is served by route \"second\" already; name it in one route only",
    );
}

#[test]
fn limits_fit_together() {
    for (more, expected) in [
        (
            "[limits]\nbefore_login = 30000\n",
            "postern.toml:13:16: limits.before_login: 30000 is more than connections = 20000; lower this or raise connections",
        ),
        (
            "[limits]\nipv4_prefix = 33\n",
            "postern.toml:13:15: limits.ipv4_prefix: 33 is out of range; write a number from 8 to 32",
        ),
        (
            "[before_login]\nbytes = \"32 KiB\"\n",
            "postern.toml:13:9: before_login.bytes: 32768 B is less than command_bytes = 65536 B; no client could send such a command, raise bytes",
        ),
        (
            "[before_login]\ntime = \"30 s\"\n",
            "postern.toml:13:8: before_login.time: Thunderbird waits silently for its owner's password longer than this; use \"120 s\" or more",
        ),
        (
            "[throttle]\nmax_delay = \"6 s\"\n",
            "postern.toml:13:13: throttle.max_delay: 6 s is out of range; write a time from 1 ms to 5 s",
        ),
        (
            "[throttle]\nbase_delay = \"2 s\"\nmax_delay = \"1 s\"\n",
            "postern.toml:13:14: throttle.base_delay: the first delay is longer than max_delay; lower this or raise max_delay",
        ),
        (
            "[sessions]\nmax_per_device = 100\n",
            "postern.toml:13:18: sessions.max_per_device: 100 is more than max_per_mailbox = 60; a single device would use up its mailbox, lower this or raise max_per_mailbox",
        ),
        (
            "[sessions]\nimap_idle_time = \"10 min\"\n",
            "postern.toml:13:18: sessions.imap_idle_time: 10 min is out of range; write a time from 30 min to 1 w",
        ),
        (
            "[passwords]\nargon2_passes = 1\n",
            "postern.toml:13:17: passwords.argon2_passes: 19456 KiB with 1 passes is weaker than OWASP's least; use 2 passes or \"19456 KiB\" with 2",
        ),
        (
            "[log]\nlevel = \"inf=o=\"\n",
            "postern.toml:13:9: log.level: `inf=o=` is not a level; write error, warn, info, debug or trace, or a filter such as \"info,postern::session=debug\"",
        ),
    ] {
        expect_one_with(more, expected);
    }
}

#[test]
fn one_network_is_the_same_for_caps_throttle_and_hash_queue() {
    let manager = "[manager]\nunix_socket = \"manager.sock\"\norigin = \"https://manager.example.org\"\n";
    let prefixes = "[limits]\nipv4_prefix = 24\nipv6_prefix = 48\n";
    let (config, _) = read_text(&format!("{MINIMAL}{prefixes}{manager}")).unwrap();
    let expected = crate::peer::NetworkPrefixes { ipv4: 24, ipv6: 48 };
    let of_manager = config.manager.unwrap().network;
    assert_eq!(
        [
            config.listen.network,
            config.throttle.network,
            config.verify.network,
            of_manager
        ],
        [expected; 4]
    );
}

#[test]
fn the_settings_to_type_follow_the_listeners_unless_they_are_given() {
    let (config, _) = read_text(MINIMAL).unwrap();
    let imap = config.client_settings.imap.unwrap();
    assert_eq!(
        (imap.host.as_str(), imap.port, config.client_settings.smtp),
        ("mail.example.org", 8993, None)
    );
    let (config, _) = read_text(&format!(
        "{MINIMAL}[client_settings]\nimap_host = \"imap.example.org\"\nimap_port = 993\n"
    ))
    .unwrap();
    let imap = config.client_settings.imap.unwrap();
    assert_eq!((imap.host.as_str(), imap.port), ("imap.example.org", 993));
}

#[test]
fn the_manager_is_off_until_it_has_a_place_and_then_needs_to_know_what_browsers_see() {
    let read = |section: &str| read_text(&format!("{MINIMAL}[manager]\n{section}"));
    assert_eq!(read_text(MINIMAL).unwrap().0.manager, None);
    assert_eq!(read("").unwrap().0.manager, None);
    let (config, warnings) = read("address = \"127.0.0.1:8443\"\norigin = \"https://manager.example.org\"\n").unwrap();
    assert_eq!(warnings, []);
    let manager = config.manager.unwrap();
    assert_eq!(manager.origin.as_str(), "https://manager.example.org");
    assert!(matches!(manager.place, admin::manager::Place::Tcp { tls: true, .. }));
    let behind = "tls = false\norigin = \"https://manager.example.org\"\n";
    let (_, warnings) = read(&format!("address = \"127.0.0.1:8080\"\n{behind}")).unwrap();
    assert!(
        warnings[0].to_string().contains("proxies = [\"127.0.0.1\"]"),
        "{warnings:?}"
    );
    let named = format!("address = \"127.0.0.1:8080\"\nproxies = [\"127.0.0.1\"]\n{behind}");
    assert_eq!(read(&named).unwrap().1, []);
    assert!(read("unix_socket = \"manager.sock\"\norigin = \"https://manager.example.org\"\n").is_ok());
    let (config, warnings) = read("origin = \"https://manager.example.org\"\n").unwrap();
    assert!(config.manager.is_none() && warnings[0].to_string().contains("no place to listen"));
    for (section, told) in [
        ("address = \"127.0.0.1:8443\"\n", "add origin ="),
        (
            "address = \"0.0.0.0:8080\"\ntls = false\norigin = \"https://manager.example.org\"\n",
            "in clear",
        ),
        (
            "address = \"127.0.0.1:8443\"\norigin = \"http://127.0.0.1:8443\"\n",
            "write https:// or set tls = false",
        ),
        (
            "address = \"127.0.0.1:8443\"\norigin = \"http://manager.example.org\"\n",
            "without TLS (http://)",
        ),
        (
            "address = \"127.0.0.1:8993\"\norigin = \"https://manager.example.org\"\n",
            "already",
        ),
        (
            "address = \"127.0.0.1:8443\"\nunix_socket = \"m.sock\"\norigin = \"https://manager.example.org\"\n",
            "keep one of the two",
        ),
    ] {
        let error = read(section).unwrap_err().to_string();
        assert!(error.contains(told), "{section}: {error}");
    }
}

#[test]
fn a_password_file_is_read_only_if_nobody_else_can_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    let text = MINIMAL.replace(
        "\"stored\"",
        "\"authzid\"\nuser = \"postern\"\npassword_file = \"password\"",
    );
    let load = || check(Path::new("postern.toml"), &text, dir.path(), Secrets::Read);
    let set_mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();

    let error = load().unwrap_err().to_string();
    assert!(
        error.contains("route.imap.password_file: there is no such file") && !error.contains("\"password\""),
        "{error}"
    );
    std::fs::write(&path, "upstream secret\n").unwrap();
    set_mode(0o640);
    let error = load().unwrap_err().to_string();
    assert!(
        error.contains("(mode 640)") && !error.contains("upstream secret"),
        "{error}"
    );
    set_mode(0o600);
    let (config, _) = load().unwrap();
    let Some(upstream::Strategy::Authzid { password, .. }) =
        config.upstream.routes[0].imap.as_ref().map(|imap| &imap.strategy)
    else {
        panic!("another strategy");
    };
    assert_eq!(password.expose(), b"upstream secret");
    for content in ["", "\n", "two\nlines", "nul\0", &"x".repeat(4097)] {
        std::fs::write(&path, content).unwrap();
        assert!(load().is_err(), "{content:?}");
    }
}

#[test]
fn a_file_that_is_not_text_or_too_large_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("postern.toml");
    assert!(
        load(&path, Secrets::Skip)
            .unwrap_err()
            .to_string()
            .contains("postern init")
    );
    std::fs::write(&path, b"hostname = \"\xff\"").unwrap();
    assert!(
        load(&path, Secrets::Skip)
            .unwrap_err()
            .to_string()
            .contains("not UTF-8")
    );
    std::fs::write(&path, "#".repeat(2 << 20)).unwrap();
    assert!(load(&path, Secrets::Skip).unwrap_err().to_string().contains("1024 KiB"));
}
