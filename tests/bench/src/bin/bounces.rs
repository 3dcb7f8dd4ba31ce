//! `make bench`, second part: events a second and statements, from one event at a time to batches of a thousand.

use std::error::Error;
use std::path::Path;

use bench::aws::Harness;
use bench::bounces::contenders::{Contender, measure};
use bench::bounces::tables::Stage;
use bench::bounces::{By, Measured, start};
use bench::jobs::site_packages;
use bench::report::Comparison;
use bench::tls::{Trust, acceptor};
use local_servers::MySql;

/// As large as the tables of a busy Mautic; `BENCH_CONTACTS` says otherwise. Sends are five times as many.
const CONTACTS: usize = 1_000_000;

/// Contacts without a bounce, each used once.
struct Course<'a> {
    stage: &'a Stage<'a>,
    next: usize,
}

impl Course<'_> {
    async fn run(&mut self, contender: Contender, by: By, events: usize) -> Result<Measured, Box<dyn Error>> {
        let measured = measure(contender, by, self.stage, self.next, events).await?;
        self.next += events + 1;
        println!(
            "{:>8} {contender:?}: {events} events, {:.0} a second, {} statements",
            by.name(),
            measured.rate(),
            measured.statements
        );
        Ok(measured)
    }
}

/// The release binary, started cold.
async fn cold_starts(stage: &Stage<'_>, server: &MySql, first: usize) -> Result<Vec<Comparison>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let site_packages = site_packages(&root.join(".local/venv")).ok_or("no boto3 and PyMySQL: run make setup")?;
    let trust = Trust::write(&root, &site_packages, server)?;
    let harness = Harness::start(acceptor(server)?).await?;
    start::compare(&root, stage, &harness, &trust, first).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let contacts = std::env::var("BENCH_CONTACTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(CONTACTS);
    let servers = local_servers::mysql();
    let server = servers.last().ok_or("no MySQL server: run make servers")?;
    println!(
        "bounces: MySQL {}, {} contacts, a tenth of those below",
        server.version,
        contacts / 10
    );
    let stage = Stage::fill(server, contacts / 10).await?;
    let mut course = Course { stage: &stage, next: 1 };
    course.run(Contender::Ours(100), By::Hash, 1000).await?;
    let small = course.run(Contender::Ours(100), By::Hash, 10_000).await?;
    println!("{contacts} contacts, {} sends", contacts * 5);
    let stage = Stage::fill(server, contacts).await?;
    let mut course = Course { stage: &stage, next: 1 };
    course.run(Contender::Plugin, By::Hash, 200).await?;
    let plugin = course.run(Contender::Plugin, By::Hash, 1000).await?;
    let mut hundred = None;
    for (size, events) in [(1, 500), (10, 2000), (100, 10_000), (1000, 20_000)] {
        let ours = course.run(Contender::Ours(size), By::Hash, events).await?;
        if size == 100 {
            hundred = Some(ours);
        }
    }
    let ours = hundred.ok_or("a batch of 100 was measured")?;
    let floor = course.run(Contender::Floor(100), By::Hash, 10_000).await?;
    let alone = course.run(Contender::Plugin, By::Address, 5).await?;
    let scanned = course.run(Contender::Ours(100), By::Address, 500).await?;
    let floor_scanned = course.run(Contender::Floor(100), By::Address, 500).await?;
    course.run(Contender::Ours(1000), By::Address, 5000).await?;
    let starts = cold_starts(&stage, server, course.next).await?;
    course.next += 1000;
    stage.index_addresses().await?;
    println!("with an index on leads.email:");
    let alone_indexed = course.run(Contender::Plugin, By::Address, 1000).await?;
    let indexed = course.run(Contender::Ours(100), By::Address, 10_000).await?;
    for comparison in [
        ours.beside(&plugin, "bounces-hash-100-one-at-a-time", 20.0),
        ours.beside(&floor, "bounces-hash-100-floor", 0.5),
        ours.beside(&small, "bounces-hash-100-a-tenth-of-the-tables", 0.8),
        scanned.beside(&alone, "bounces-address-100-one-at-a-time", 20.0),
        scanned.beside(&floor_scanned, "bounces-address-100-floor", 0.5),
        indexed.beside(&alone_indexed, "bounces-indexed-address-100-one-at-a-time", 20.0),
    ]
    .into_iter()
    .chain(starts)
    {
        println!("{comparison}");
        if !comparison.reached() {
            println!("  goal missed: {}", comparison.name);
        }
    }
    stage.clear().await?;
    Ok(())
}
