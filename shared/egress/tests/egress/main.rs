//! The guard against the real network stack: a real client, real sockets on loopback, and receivers that misbehave.
//!
//! Loopback is refused like any other internal address, so each test opens exactly the receiver that it means to reach.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sender;
#[cfg(test)]
mod ssrf;
