//! The use cases against a real store and a provider in memory whose faults are scripted.
#![forbid(unsafe_code)]

#[cfg(test)]
mod availability;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod calendars;
#[cfg(test)]
mod changed;
#[cfg(test)]
mod clashes;
#[cfg(test)]
mod clock_changes;
#[cfg(test)]
mod closing;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod edits_there;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod heavy;
#[cfg(test)]
mod holds;
#[cfg(test)]
mod host;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod modes;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod resolving;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sides;
#[cfg(test)]
mod standing;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod teams;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod unknown;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod world;
