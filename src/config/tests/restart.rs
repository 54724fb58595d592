//! What a reload cannot change, and says so.

use super::*;

#[test]
fn each_section_that_a_reload_cannot_change_asks_for_a_restart() {
    let (running, _) = read_text(MINIMAL).unwrap();
    let changed = |more: &str| {
        let (fresh, _) = read_text(&format!("{MINIMAL}{more}")).unwrap();
        running.needing_restart(&fresh)
    };
    for (more, what) in [
        ("[log]\nformat = \"json\"\n", "log.format"),
        ("[runtime]\nworkers = 2\n", "[runtime]"),
        ("[store]\nreaders = 3\n", "[store]"),
        ("[store]\nchange_poll = \"100ms\"\n", "[store]"),
        ("[limits]\nconnections = 10000\n", "[limits]"),
        ("[limits]\nipv4_prefix = 24\n", "[limits]"),
        ("[passwords]\nlanes = 3\n", "[passwords]"),
        ("[throttle]\nhash_stop = 10\n", "[throttle]"),
        ("[sessions]\ndrain_time = \"1 s\"\n", "sessions.drain_time"),
        ("[sessions]\nclose_time = \"1 s\"\n", "sessions.close_time"),
        ("[sessions]\nhelp_url = \"https://example.org\"\n", "sessions.help_url"),
        (
            "[sessions]\nusage_write_interval = \"1 s\"\n",
            "sessions.usage_write_interval",
        ),
        ("[admin]\ncontrol_socket = \"/run/postern.sock\"\n", "[admin]"),
        (
            "[manager]\naddress = \"127.0.0.1:8443\"\norigin = \"https://manager.example.org\"\n",
            "[manager]",
        ),
        (
            "[[listener]]\naddress = \"127.0.0.1:8994\"\nname = \"second\"\nprotocol = \"imap\"\n",
            "[[listener]]",
        ),
    ] {
        assert_eq!(
            changed(more),
            [format!("{what} changed: restart to apply it")],
            "{more}"
        );
    }
    for more in [
        "",
        "[log]\nlevel = \"debug\"\n",
        "[before_login]\ncommands = 50\n",
        "[sessions]\nmax_per_device = 5\n",
        "[submission]\ncheck_sender = false\n",
        "[client_settings]\nimap_port = 993\n",
        "[dns]\ntimeout = \"1 s\"\n",
    ] {
        assert_eq!(changed(more), [""; 0], "{more}");
    }
    let oldest = MINIMAL.replace("development = true", "development = true\nmin_version = \"1.3\"");
    let (fresh, _) = read_text(&oldest).unwrap();
    assert_eq!(
        running.needing_restart(&fresh),
        ["tls.min_version changed: restart to apply it"]
    );
    let elsewhere = MINIMAL.replacen('\n', "\nkey_file = \"other.key\"\n", 1);
    let (fresh, _) = read_text(&elsewhere).unwrap();
    assert_eq!(
        running.needing_restart(&fresh),
        ["key_file changed: restart to apply it"]
    );
}

#[test]
fn what_changes_in_the_manager_asks_for_a_restart() {
    let manager = "[manager]\naddress = \"127.0.0.1:8443\"\norigin = \"https://manager.example.org\"\n";
    let (running_manager, _) = read_text(&format!("{MINIMAL}{manager}")).unwrap();
    let restarts = |text: String| running_manager.needing_restart(&read_text(&text).unwrap().0);
    let note = |what: &str| vec![format!("{what} changed: restart to apply it")];
    assert_eq!(restarts(format!("{MINIMAL}{manager}")), [""; 0]);
    for key in [
        "connections = 7",
        "connections_per_network = 7",
        "proxies = [\"192.0.2.1\"]",
    ] {
        assert_eq!(
            restarts(format!("{MINIMAL}{manager}{key}\n")),
            note("[manager]"),
            "{key}"
        );
    }
    for (key, other) in [("8443", "8444"), ("manager.example.org", "console.example.org")] {
        let changed = manager.replace(key, other);
        assert_eq!(restarts(format!("{MINIMAL}{changed}")), note("[manager]"), "{other}");
    }
    assert_eq!(restarts(MINIMAL.to_owned()), note("[manager]"), "off");
    assert_eq!(
        restarts(format!("{MINIMAL}{manager}[client_settings]\nimap_port = 993\n")),
        note("[client_settings], as the Manager shows them,")
    );
    assert_eq!(
        restarts(format!("{MINIMAL}{manager}[dns]\nresolver = [\"192.0.2.53\"]\n")),
        note("[dns], as the Manager uses it,")
    );
}
