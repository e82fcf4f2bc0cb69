//! Trials that take longer than a test may: the same as in the suites, with another seed each time, until the time is over.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::{Duration, Instant},
};

use crate::{
    run::{Advice, cargo, step},
    world::World,
};

/// The trials, a line each.
const TRIALS: &str = include_str!("../../../tests/soak.txt");

/// A trial that can be long.
struct Trial {
    name: &'static str,
    suite: &'static str,
    test: &'static str,
    /// Where the test reads its seed.
    seed: &'static str,
    /// Where it reads how much it does, and how much that is here; none: as much as in the suite.
    operations: Option<(&'static str, &'static str)>,
}

fn trials() -> Vec<Trial> {
    let lines = TRIALS.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, suite, test, seed) = (words.next()?, words.next()?, words.next()?, words.next()?);
            Some(Trial { name, suite, test, seed, operations: words.next().zip(words.next()) })
        })
        .collect()
}

/// How long, unless it is said.
const MINUTES_DEFAULT: u64 = 60;

/// Run a trial again and again, until so many minutes are over. Stops at the first failure and says with which seed it comes back.
pub(crate) fn soak(args: &[&str]) -> Result<(), Advice> {
    let trials = trials();
    let names: Vec<&str> = trials.iter().map(|trial| trial.name).collect();
    let usage = || format!("say which trial: {}; see cargo xtask soak --help", names.join(", "));
    let name = args.first().ok_or_else(usage)?;
    let trial = trials.iter().find(|trial| trial.name == *name).ok_or_else(usage)?;
    let minutes = match args.get(1) {
        None => MINUTES_DEFAULT,
        Some(text) => text.parse().map_err(|_| format!("{text:?} is no number of minutes"))?,
    };
    let world = World::prepare(true)?;
    let (suite, test) = (trial.suite, trial.test);
    step(
        "build the trial",
        &mut cargo(&["test", "--package", "berth-tests", "--test", suite, "--no-run", "--quiet"]),
    )?;
    let (began, mut rounds) = (Instant::now(), 0_u32);
    while rounds == 0 || began.elapsed() < Duration::from_secs(minutes.saturating_mul(60)) {
        rounds += 1;
        let seed = RandomState::new().build_hasher().finish() >> 1;
        let mut command =
            cargo(&["test", "--quiet", "--package", "berth-tests", "--test", suite, "--", test]);
        command.envs(world.environment.iter().map(|(name, value)| (name, value)));
        command.env(trial.seed, seed.to_string());
        if let Some((variable, operations)) = trial.operations {
            command.env(variable, operations);
        }
        let title = format!("round {rounds} of {name}: {}={seed}", trial.seed);
        step(&title, &mut command)
            .map_err(|advice| format!("{advice}\nIt comes back with {}={seed}.", trial.seed))?;
    }
    println!("soak {name}: {rounds} rounds in {} min, none failed", began.elapsed().as_secs() / 60);
    Ok(())
}
