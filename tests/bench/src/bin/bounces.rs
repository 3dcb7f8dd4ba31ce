//! `make bench`, second part: events a second and statements, from one event at a time to batches of a thousand.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bench::aws::Harness;
use bench::bounces::contenders::{Contender, measure};
use bench::bounces::distance::Relay;
use bench::bounces::tables::Stage;
use bench::bounces::{By, Measured, start};
use bench::jobs::site_packages;
use bench::report::Comparison;
use bench::tls::{Trust, acceptor};
use local_servers::MySql;

/// As large as the tables of a busy Mautic; `BENCH_CONTACTS` says otherwise. Sends are five times as many.
const CONTACTS: usize = 1_000_000;

/// Of a packet between two availability zones of a region, or less.
const ROUND_TRIP: Duration = Duration::from_micros(500);

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

/// What every way of finding contacts is measured by.
struct Rates {
    alone: Measured,
    hundred: Measured,
    floor: Measured,
}

/// By tracking hash, as nearly all are found.
async fn by_hash(course: &mut Course<'_>) -> Result<(Rates, Measured), Box<dyn Error>> {
    course.run(Contender::Alone, By::Hash, 200).await?;
    let alone = course.run(Contender::Alone, By::Hash, 1000).await?;
    let plugin = course.run(Contender::Plugin, By::Hash, 500).await?;
    for (size, events) in [(1, 500), (10, 2000), (1000, 20_000)] {
        course.run(Contender::Ours(size), By::Hash, events).await?;
    }
    let hundred = course.run(Contender::Ours(100), By::Hash, 10_000).await?;
    let floor = course.run(Contender::Floor(100), By::Hash, 10_000).await?;
    Ok((Rates { alone, hundred, floor }, plugin))
}

/// By address, which Mautic has no index for: each look-up reads the whole table.
async fn by_address(course: &mut Course<'_>) -> Result<Rates, Box<dyn Error>> {
    let alone = course.run(Contender::Alone, By::Address, 5).await?;
    let hundred = course.run(Contender::Ours(100), By::Address, 500).await?;
    let floor = course.run(Contender::Floor(100), By::Address, 500).await?;
    course.run(Contender::Ours(1000), By::Address, 5000).await?;
    Ok(Rates { alone, hundred, floor })
}

/// Where every look-up is quick, and what is waited for are the statements' ways.
async fn quick(course: &mut Course<'_>, by: By, alone: usize) -> Result<Rates, Box<dyn Error>> {
    Ok(Rates {
        alone: course.run(Contender::Alone, by, alone).await?,
        hundred: course.run(Contender::Ours(100), by, 10_000).await?,
        floor: course.run(Contender::Floor(100), by, 10_000).await?,
    })
}

/// Near is on loopback, far at a distance.
struct All {
    small: Measured,
    near: Rates,
    plugin: Measured,
    scanned: Rates,
    far: Rates,
    indexed: Rates,
    far_indexed: Rates,
}

impl All {
    async fn measure(
        server: &MySql,
        small: Measured,
        stage: &Stage<'_>,
        course: &mut Course<'_>,
    ) -> Result<Self, Box<dyn Error>> {
        let (near, plugin) = by_hash(course).await?;
        let scanned = by_address(course).await?;
        println!("a server {:.1} ms away:", ROUND_TRIP.as_secs_f64() * 1e3);
        let port = Relay::start(server.port, ROUND_TRIP)?.port();
        let away = MySql { port, ..server.clone() };
        let distant = stage.by_way_of(&away);
        let mut remote = Course {
            stage: &distant,
            next: course.next,
        };
        let far = quick(&mut remote, By::Hash, 500).await?;
        stage.index_addresses().await?;
        println!("with an index on leads.email, as far away:");
        let far_indexed = quick(&mut remote, By::Address, 500).await?;
        println!("on loopback:");
        course.next = remote.next;
        let indexed = quick(course, By::Address, 1000).await?;
        Ok(Self {
            small,
            near,
            plugin,
            scanned,
            far,
            indexed,
            far_indexed,
        })
    }

    fn comparisons(&self) -> Vec<Comparison> {
        let Self {
            near,
            scanned,
            far,
            indexed,
            far_indexed,
            ..
        } = self;
        vec![
            near.hundred.beside(&self.plugin, "bounces-hash-100-plugin", 20.0),
            near.hundred.beside(&near.alone, "bounces-hash-100-one-at-a-time", 20.0),
            near.hundred.beside(&near.floor, "bounces-hash-100-floor", 0.5),
            near.hundred
                .beside(&self.small, "bounces-hash-100-a-tenth-of-the-tables", 0.8),
            far.hundred
                .beside(&far.alone, "bounces-far-hash-100-one-at-a-time", 20.0),
            far.hundred.beside(&far.floor, "bounces-far-hash-100-floor", 0.5),
            scanned
                .hundred
                .beside(&scanned.alone, "bounces-address-100-one-at-a-time", 20.0),
            scanned.hundred.beside(&scanned.floor, "bounces-address-100-floor", 0.5),
            indexed
                .hundred
                .beside(&indexed.alone, "bounces-indexed-address-100-one-at-a-time", 20.0),
            far_indexed.hundred.beside(
                &far_indexed.alone,
                "bounces-far-indexed-address-100-one-at-a-time",
                20.0,
            ),
        ]
    }
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
    let all = All::measure(server, small, &stage, &mut course).await?;
    let starts = cold_starts(&stage, server, course.next).await?;
    for comparison in all.comparisons().into_iter().chain(starts) {
        println!("{comparison}");
        if !comparison.reached() {
            println!("  goal missed: {}", comparison.name);
        }
    }
    stage.clear().await?;
    Ok(())
}
