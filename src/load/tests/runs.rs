//! Whole runs: what is counted, and what ends them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clock::Clock;

fn plan(address: SocketAddr, work: Work, bound: Bound) -> Plan {
    Plan {
        target: target(address, Protocol::Imap),
        accounts: Arc::new(vec![account(), account()]),
        mechanism: Mechanism::Login,
        work,
        clients: 4,
        rate: None,
        bound,
        step_time: LONG,
        from: Vec::new(),
        clock: Clock::system(),
    }
}

async fn report(plan: Plan) -> Report {
    run(&Arc::new(plan), &Arc::default()).await
}

const LOGIN: Work = Work::Login { resume: false };

#[tokio::test]
async fn a_count_is_kept_exactly() {
    let report = report(plan(imap_server(Vec::new()).await, LOGIN, Bound::Count(21))).await;
    assert_eq!(
        (report.done(), report.failed(), report.unfinished),
        (21, 0, 0),
        "{report:?}"
    );
    let part = &report.parts["login"];
    assert!(part.latency().is_some() && part.resumed == 0);
}

#[tokio::test]
async fn a_time_ends_a_run() {
    let report = report(plan(imap_server(Vec::new()).await, LOGIN, Bound::Time(SHORT))).await;
    assert!(report.done() > 0 && report.failed() == 0, "{report:?}");
}

#[tokio::test]
async fn a_rate_keeps_the_count() {
    let mut plan = plan(imap_server(Vec::new()).await, LOGIN, Bound::Count(5));
    plan.rate = Some(100.0);
    assert_eq!(report(plan).await.done(), 5);
}

#[tokio::test]
async fn a_host_that_refuses_or_is_silent_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut silent = plan(address, LOGIN, Bound::Count(4));
    silent.step_time = SHORT;
    assert_eq!(report(silent).await.errors(), [("timeout", 4)].into());
    drop(listener);
    let refused = report(plan(address, LOGIN, Bound::Count(4))).await;
    assert_eq!(refused.errors(), [("connect", 4)].into());
    assert!(refused.examples["connect"].starts_with("cannot connect"));
    let idle = report(plan(address, Work::Idle, Bound::Time(LONG))).await;
    assert_eq!(idle.errors(), [("connect", 4)].into());
}

#[tokio::test]
async fn operations_in_flight_are_cut_off_after_a_step_and_at_a_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = plan(listener.local_addr().unwrap(), LOGIN, Bound::Count(1000));
    let watch = Arc::new(Watch::default());
    let plan = Arc::new(silent);
    let run = run(&plan, &watch);
    tokio::pin!(run);
    tokio::select! {
        _ = &mut run => panic!("the server never answers"),
        // All clients have connected and wait.
        () = async { for _ in 0..plan.clients { drop(listener.accept().await.map(std::mem::forget)) } } => {}
    }
    watch.stop();
    let report = run.await;
    assert_eq!((report.done(), report.failed(), report.unfinished), (0, 0, 4));
}

#[tokio::test]
async fn wrong_passwords_are_all_different_and_never_the_accounts() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let address = server("* OK ready\r\n", move |line| {
        let tag = line.split(' ').next().unwrap_or_default();
        if line.contains("LOGIN") {
            hears.lock().unwrap().push(line.to_owned());
            return format!("{tag} NO [AUTHENTICATIONFAILED] wrong\r\n").into_bytes();
        }
        format!("{tag} OK\r\n").into_bytes()
    })
    .await;
    let refused = report(plan(address, Work::WrongPassword(Guess::Each), Bound::Count(6))).await;
    assert_eq!((refused.done(), refused.failed()), (6, 0), "{refused:?}");
    let mut lines = std::mem::take(&mut *heard.lock().unwrap());
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 6);
    assert!(!lines.iter().any(|line| line.contains("cret")));
    let given = report(plan(address, Work::WrongPassword(Guess::OfAccount), Bound::Count(1))).await;
    assert!(given.done() == 1 && heard.lock().unwrap()[0].contains("cret"));

    let accepts = imap_server(Vec::new()).await;
    let accepted = report(plan(accepts, Work::WrongPassword(Guess::Each), Bound::Count(2))).await;
    assert_eq!(accepted.errors(), [("bad_answer", 2)].into());
}

#[tokio::test]
async fn a_fetch_makes_its_folder_and_takes_it_away() {
    let message = Expected::new(50_000);
    let work = Work::Fetch {
        folder: Folder::Own("load".to_owned()),
        message,
    };
    let right = report(plan(imap_server(whole(message)).await, work.clone(), Bound::Count(10))).await;
    assert_eq!(right.failed(), 0, "{right:?}");
    assert_eq!((right.parts["store"].done, right.parts["fetch"].done), (2, 10));
    assert_eq!(right.parts["fetch"].octets, 10 * message.octets());
    assert_eq!(right.left_behind, []);

    let mut flipped = whole(message);
    flipped[40_000] ^= 1;
    let wrong = report(plan(imap_server(flipped).await, work, Bound::Count(10))).await;
    assert_eq!(wrong.errors(), [("bad_answer", 10)].into());
    assert!(wrong.examples["bad_answer"].contains("octet 40000"));
}

#[tokio::test]
async fn only_folders_that_were_made_are_deleted_and_what_stays_is_said() {
    let deleted = Arc::new(AtomicU64::new(0));
    let serve = |refused: &'static [&'static str]| {
        let deletes = Arc::clone(&deleted);
        server("* OK ready\r\n", move |line| {
            let (tag, command) = line.split_once(' ').unwrap_or_default();
            let verb = command.split(' ').next().unwrap_or_default();
            deletes.fetch_add(u64::from(verb == "DELETE"), Ordering::Relaxed);
            let word = if refused.contains(&verb) { "NO" } else { "OK" };
            format!("{tag} {word} so\r\n").into_bytes()
        })
    };
    let work = Work::Fetch {
        folder: Folder::Own("load".to_owned()),
        message: Expected::new(0),
    };
    let exists = report(plan(serve(&["CREATE"]).await, work.clone(), Bound::Count(1))).await;
    assert_eq!(
        (exists.errors(), deleted.load(Ordering::Relaxed)),
        ([("refused", 2)].into(), 0)
    );
    assert!(!exists.parts.contains_key("fetch"));

    let full = report(plan(serve(&["APPEND"]).await, work.clone(), Bound::Count(1))).await;
    assert_eq!(
        (full.errors(), deleted.load(Ordering::Relaxed)),
        ([("refused", 2)].into(), 2)
    );

    let silent = report(plan(
        server("* OK ready\r\n", |line| match line.split_once(' ') {
            Some((tag, command)) if !command.starts_with("CREATE") => format!("{tag} OK so\r\n").into_bytes(),
            _ => b"what\r\n".to_vec(),
        })
        .await,
        work.clone(),
        Bound::Count(1),
    ))
    .await;
    assert_eq!((silent.left_behind.len(), deleted.load(Ordering::Relaxed)), (2, 2));

    let stays = report(plan(serve(&["DELETE", "FETCH"]).await, work, Bound::Count(1))).await;
    assert_eq!(stays.left_behind.len(), 2);
    assert_eq!(stays.left_behind[0].folder, "load");
}

#[tokio::test]
async fn an_account_that_cannot_log_in_takes_no_part() {
    let address = server("* OK ready\r\n", |line| {
        let (tag, command) = line.split_once(' ').unwrap_or_default();
        let is_refused = command.contains("anna") || command.starts_with("DELETE");
        let word = if is_refused { "NO" } else { "OK" };
        format!("{tag} {word} so\r\n").into_bytes()
    });
    let work = Work::Fetch {
        folder: Folder::Own("load".to_owned()),
        message: Expected::new(0),
    };
    let mut plan = plan(address.await, work, Bound::Count(4));
    let named = |username: &str| Account {
        username: username.to_owned(),
        ..account()
    };
    plan.accounts = Arc::new(["bob", "anna", "carl", "dora"].map(named).into());
    let report = report(plan).await;
    assert_eq!(report.parts["store"].errors, [("wrong_password", 1)].into());
    // Fetched and deleted as those that have the folder (this server has no message and keeps its folders).
    assert_eq!(report.parts["fetch"].errors, [("bad_answer", 4)].into());
    let mut owners: Vec<_> = report.left_behind.into_iter().map(|left| left.username).collect();
    owners.sort_unstable();
    assert_eq!(owners, ["bob", "carl", "dora"]);
}

#[tokio::test]
async fn sessions_are_held_together_and_lost_ones_are_counted() {
    let held = report(plan(imap_server(Vec::new()).await, Work::Idle, Bound::Time(SHORT))).await;
    assert_eq!((held.parts["open"].done, held.parts["hold"].done), (4, 4), "{held:?}");

    let lost = server("* OK ready\r\n", |line| {
        let tag = line.split(' ').next().unwrap_or_default();
        if line.ends_with("IDLE") {
            return b"+ idling\r\n* BYE full\r\n".to_vec();
        }
        format!("{tag} OK\r\n").into_bytes()
    });
    // Ends when all are lost, not when the time is over.
    let lost = report(plan(lost.await, Work::Idle, Bound::Time(LONG))).await;
    assert_eq!(lost.errors(), [("unavailable", 4)].into());
    assert_eq!(lost.parts["open"].done, 4);
}

#[tokio::test]
async fn a_stop_ends_holding_with_what_was_held() {
    let plan = Arc::new(plan(imap_server(Vec::new()).await, Work::Idle, Bound::Time(LONG)));
    let watch = Arc::new(Watch::default());
    let running = tokio::spawn({
        let (plan, watch) = (Arc::clone(&plan), Arc::clone(&watch));
        async move { run(&plan, &watch).await }
    });
    while watch.open() < 4 {
        tokio::task::yield_now().await;
    }
    watch.stop();
    let report = running.await.unwrap();
    assert_eq!((report.parts["hold"].done, report.failed()), (4, 0));
}

#[tokio::test]
async fn mixed_work_has_all_parts() {
    let address = server("* OK ready\r\n", |line| {
        let tag = line.split(' ').next().unwrap_or_default();
        let is_wrong = line.contains("LOGIN") && !line.contains("cret");
        let word = if is_wrong { "NO [AUTHENTICATIONFAILED]" } else { "OK" };
        format!("{tag} {word} so\r\n").into_bytes()
    })
    .await;
    let report = report(plan(address, Work::Mixed, Bound::Count(20))).await;
    let done = |part: &str| report.parts[part].done;
    assert_eq!(
        (done("login"), done("resumed_login"), done("wrong_password")),
        (8, 10, 2)
    );
    assert_eq!(report.failed(), 0);
}

#[tokio::test]
async fn a_server_that_never_stops_talking_does_not_hold_idle_sessions() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.write_all(b"* OK ready\r\n").await?;
                let mut line = String::new();
                while stream.read_line(&mut line).await? > 0 && !line.contains("IDLE") {
                    let tag = line.split(' ').next().unwrap_or_default();
                    stream.write_all(format!("{tag} OK so\r\n").as_bytes()).await?;
                    line.clear();
                }
                stream.write_all(b"+ idling\r\n").await?;
                // On a thread, which says lines faster than anybody reads them, until nobody listens any more.
                let mut stream = stream.into_inner().into_std()?;
                stream.set_nonblocking(false)?;
                let lines = b"* 2 EXISTS\r\n".repeat(10_000);
                std::thread::spawn(move || while std::io::Write::write_all(&mut stream, &lines).is_ok() {});
                std::io::Result::Ok(())
            });
        }
    });
    let mut plan = plan(address, Work::Idle, Bound::Time(SHORT));
    plan.step_time = SHORT;
    let report = tokio::time::timeout(LONG, report(plan)).await;
    assert!(report.is_ok(), "it was held");
}

#[tokio::test]
async fn the_folders_of_a_host_that_is_gone_are_given_up() {
    let work = Work::Fetch {
        folder: Folder::Own("load".to_owned()),
        message: Expected::new(0),
    };
    let mut plan = plan(server("* OK ready\r\n", |_| Vec::new()).await, work, Bound::Count(1));
    (plan.clients, plan.step_time) = (500, SHORT);
    plan.accounts = Arc::new((0..500).map(|_| account()).collect());
    let report = report(plan).await;
    let tried = report.errors().get("timeout").copied().unwrap_or_default();
    assert!(
        tried < 100 && tried + report.unfinished == 500,
        "{tried} {}",
        report.unfinished
    );
}
