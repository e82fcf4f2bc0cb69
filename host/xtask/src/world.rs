//! What tests run in: components, programs, and whatever of other parties is there. What is not is said.

use std::path::Path;

use crate::{
    components, javascript,
    postgres::Postgres,
    python,
    run::{Advice, cargo, root, step, target_dir},
};

/// Everything that a test may ask for in its environment.
pub(crate) struct World {
    /// What tests read: name and value.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// What is left out, a line for each.
    pub(crate) skipped: Vec<String>,
    /// Ends with this.
    postgres: Option<Postgres>,
}

impl World {
    /// Build the components and the programs, start a database.
    pub(crate) fn prepare(with_postgres: bool) -> Result<Self, Advice> {
        let mut world = Self { environment: Vec::new(), skipped: Vec::new(), postgres: None };
        let components = components::build()?;
        if let Err(reason) = javascript::build(&components) {
            world.skip("the provider components in JavaScript", &reason);
        }
        world.set("BERTH_COMPONENTS", &components);
        world.set("BERTH_BINARIES", &target_dir().join("debug"));
        let postgres = if !with_postgres {
            Err("switched off by --no-postgres".to_owned())
        } else if let Ok(url) = std::env::var("BERTH_TEST_PG_URL") {
            Ok((None, url))
        } else {
            Postgres::start().map(|server| {
                let url = server.url.clone();
                (Some(server), url)
            })
        };
        match postgres {
            Ok((server, url)) => {
                world.environment.push(("BERTH_TEST_PG_URL", url));
                world.postgres = server;
            }
            Err(reason) => world.skip("the PostgreSQL half of the tests", &reason),
        }
        match python::python() {
            Ok(python) => world.set("BERTH_TEST_PYTHON", &python),
            Err(reason) => world.skip("tests that need Python packages", &reason),
        }
        match javascript::packages() {
            Ok(folder) => world.set("BERTH_TEST_JAVASCRIPT", &folder),
            Err(reason) => world.skip("tests that need JavaScript packages", &reason),
        }
        if std::env::var_os("BERTH_PROVIDER_SPECS").is_none() {
            let specs = root().join("../shared/providers/openapi");
            if specs.is_dir() {
                world.set("BERTH_PROVIDER_SPECS", &specs);
            } else {
                let reason = "BERTH_PROVIDER_SPECS names no folder that has them";
                world.skip("exchanges against the providers' descriptions", reason);
            }
        }
        step(
            "build the programs that tests start",
            &mut cargo(&["build", "--package", "berth-server", "--package", "berth-simulators", "--bins"]),
        )?;
        Ok(world)
    }

    fn set(&mut self, name: &'static str, value: &Path) {
        self.environment.push((name, value.to_string_lossy().into_owned()));
    }

    fn skip(&mut self, what: &str, reason: &str) {
        let said = format!("SKIPPED: {what}: {reason}");
        println!("\n{said}\n");
        self.skipped.push(said);
    }
}
