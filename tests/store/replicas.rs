//! Who is counted as a process that works on this database.

use crate::world::{World, minute};

pub async fn those_that_were_seen_lately_are_there(world: &World) {
    let (store, now) = (&world.store, minute(0));
    let [one, two] = [world.id::<()>().uuid(), world.id::<()>().uuid()];
    assert_eq!(store.replicas_there(now).await.unwrap(), 0);
    assert_eq!(store.replica_seen(one, now).await.unwrap(), 1);
    assert_eq!(store.replica_seen(two, now.plus_seconds(10)).await.unwrap(), 2);
    assert_eq!(store.replica_seen(two, now.plus_seconds(20)).await.unwrap(), 2, "once each");
    // Nobody has to write for a process that died to be missed.
    assert_eq!(store.replicas_there(now.plus_seconds(29)).await.unwrap(), 2);
    assert_eq!(store.replicas_there(now.plus_seconds(30)).await.unwrap(), 1);
    assert_eq!(store.replica_seen(one, now.plus_seconds(31)).await.unwrap(), 2, "it was only slow");
    store.replica_leaves(two).await.unwrap();
    assert_eq!(store.replicas_there(now.plus_seconds(32)).await.unwrap(), 1);
}
