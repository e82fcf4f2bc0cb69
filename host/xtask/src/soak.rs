//! Trials that take longer than a test may: the same as in the suites, with another seed each time, until the time is over.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::{Duration, Instant},
};

use crate::{
    run::{Advice, cargo, step},
    world::World,
};

/// A trial that can be long.
struct Trial {
    name: &'static str,
    /// Suite and test.
    test: (&'static str, &'static str),
    /// Where the test reads its seed.
    seed: &'static str,
    /// Where it reads how much it does, and how much that is here; none: as much as in the suite.
    operations: Option<(&'static str, u32)>,
}

const TRIALS: &[Trial] = &[
    Trial {
        name: "sim",
        test: ("sim", "both_sides_agree_after_faults_crashes_and_upgrades"),
        seed: "BERTH_SIM_SEED",
        operations: Some(("BERTH_SIM_OPERATIONS", 20_000)),
    },
    Trial {
        name: "both-ways",
        test: ("both_ways", "both_sides_agree_for_two_tenants_with_all_providers"),
        seed: "BERTH_BOTH_SEED",
        operations: Some(("BERTH_BOTH_OPERATIONS", 5_000)),
    },
    Trial {
        name: "shared-accounts",
        test: ("both_ways", "nothing_is_cancelled_that_nobody_cancelled"),
        seed: "BERTH_BOTH_SEED",
        operations: Some(("BERTH_BOTH_OPERATIONS", 2_000)),
    },
    Trial {
        name: "rules",
        test: ("both_ways", "whatever_the_rules_say_everything_comes_to_rest"),
        seed: "BERTH_BOTH_SEED",
        operations: None,
    },
    Trial {
        name: "outlook",
        test: ("outlook", "both_sides_agree_after_faults"),
        seed: "BERTH_SIM_SEED",
        operations: None,
    },
    Trial {
        name: "gohighlevel",
        test: ("gohighlevel", "both_sides_agree_in_the_end"),
        seed: "BERTH_SIM_SEED",
        operations: None,
    },
    Trial {
        name: "calendly",
        test: ("calendly", "both_sides_agree_whatever_happens"),
        seed: "BERTH_SIM_SEED",
        operations: None,
    },
];

/// How long, unless it is said.
const MINUTES_DEFAULT: u64 = 60;

/// Run a trial again and again, until so many minutes are over. Stops at the first failure and says with which seed it comes back.
pub(crate) fn soak(args: &[&str]) -> Result<(), Advice> {
    let names: Vec<&str> = TRIALS.iter().map(|trial| trial.name).collect();
    let usage = || format!("say which trial: {}; see cargo xtask soak --help", names.join(", "));
    let name = args.first().ok_or_else(usage)?;
    let trial = TRIALS.iter().find(|trial| trial.name == *name).ok_or_else(usage)?;
    let minutes = match args.get(1) {
        None => MINUTES_DEFAULT,
        Some(text) => text.parse().map_err(|_| format!("{text:?} is no number of minutes"))?,
    };
    let world = World::prepare(true)?;
    let (suite, test) = trial.test;
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
            command.env(variable, operations.to_string());
        }
        let title = format!("round {rounds} of {name}: {}={seed}", trial.seed);
        step(&title, &mut command)
            .map_err(|advice| format!("{advice}\nIt comes back with {}={seed}.", trial.seed))?;
    }
    println!("soak {name}: {rounds} rounds in {} min, none failed", began.elapsed().as_secs() / 60);
    Ok(())
}
