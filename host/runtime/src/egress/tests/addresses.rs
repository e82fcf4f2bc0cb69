use wasmtime_wasi_http::Error;

use super::world::{Parts, Reply, Script, Server, World, ok, request, send};

#[tokio::test]
async fn a_name_that_moves_after_the_check_moves_nothing() {
    let server = Server::start(|_| ok("", "fine")).await;
    let resolver = Script::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let parts = Parts { resolver: resolver.clone(), ..Parts::default() };
    let mut world = World::new(&server.authority(), parts);
    for _ in 0..2 {
        assert_eq!(world.get(&server.url("/")).await.unwrap().body, "fine");
    }
    assert_eq!(resolver.lookups(), 1, "one lookup, and its answer is what is connected to");
    world.hands.advance_seconds(31);
    let refused = world.get(&server.url("/")).await;
    assert!(matches!(refused, Err(Error::DestinationIpProhibited)));
    assert_eq!((resolver.lookups(), server.requests().len()), (2, 2));
    let record = world.record();
    assert_eq!(record.outcome, "address_prohibited");
    assert!(record.hint.is_some_and(|h| h.contains("link_local")));
}

#[tokio::test]
async fn one_bad_address_among_good_ones_is_enough() {
    for answer in [
        &["127.0.0.1", "169.254.169.254"][..],
        &["127.0.0.1", "::ffff:127.0.0.1"],
        &["127.0.0.1", "64:ff9b::7f00:1"],
        &["fd00:ec2::254"],
        &["100.100.100.200"],
        &["0.0.0.0"],
    ] {
        let server = Server::start(|_| ok("", "fine")).await;
        let mut world =
            World::new(&server.authority(), Parts { resolver: Script::new(&[answer]), ..Parts::default() });
        let refused = world.get(&server.url("/")).await;
        assert!(matches!(refused, Err(Error::DestinationIpProhibited)), "{answer:?}");
        assert_eq!(server.connections(), 0, "{answer:?}");
    }
}

#[tokio::test]
async fn private_addresses_are_for_named_hosts_only() {
    for answer in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd12::1"] {
        let server = Server::start(|_| ok("", "fine")).await;
        let parts =
            Parts { resolver: Script::new(&[&["8.8.8.8", answer]]), insecure: false, ..Parts::default() };
        let mut world = World::new(&server.authority(), parts);
        let refused = world.get(&format!("https://{}/", server.authority())).await;
        assert!(matches!(refused, Err(Error::DestinationIpProhibited)), "{answer}");
        let record = world.record();
        assert_eq!((record.outcome.as_str(), server.connections()), ("address_prohibited", 0), "{answer}");
        assert!(record.hint.is_some_and(|h| h.contains("insecure-hosts")), "{answer}");

        let in_the_clear = world.get(&server.url("/")).await;
        assert!(matches!(in_the_clear, Err(Error::HttpRequestDenied)), "{answer}");
        assert_eq!(world.record().outcome, "scheme", "{answer}");
    }
}

#[tokio::test]
async fn an_address_in_place_of_a_name_needs_to_be_named() {
    let server = Server::start(|_| ok("", "fine")).await;
    // Manifests cannot ask for addresses; the setting of a tenant can.
    let url = format!("http://127.0.0.1:{}/", server.port);
    let mut world = World::new(&server.authority(), Parts::default());
    assert!(world.get(&url).await.is_err());
    assert_eq!(world.record().outcome, "scheme");
    assert!(matches!(world.get(&url.replace("http:", "https:")).await, Err(Error::DestinationIpProhibited)));
    assert_eq!(world.record().outcome, "ip_literal");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn redirects_are_the_components_business() {
    let elsewhere = Server::start(|_| ok("", "secret")).await;
    let location = elsewhere.url("/inside");
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let server = Server::start(move |_| Reply::Send(redirect.clone().into())).await;
    let mut world = World::new(&server.authority(), Parts::default());
    let got = world.get(&server.url("/")).await.unwrap();
    assert_eq!((got.status.as_u16(), got.headers["location"].to_str().unwrap()), (302, location.as_str()));
    // And when it follows, the rules are the same.
    assert!(matches!(world.get(&location).await, Err(Error::HttpRequestDenied)));
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn tenants_share_no_connection() {
    let server = Server::start(|_| ok("", "fine")).await;
    let mut world = World::new(&server.authority(), Parts::default());
    for _ in 0..3 {
        world.get(&server.url("/")).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    let mut other_call = world.call_of(1);
    send(&mut other_call, request("GET", &server.url("/"), ""), None).await.unwrap();
    assert_eq!(server.connections(), 1, "calls of a tenant share");
    let mut other_tenant = world.call_of(2);
    send(&mut other_tenant, request("GET", &server.url("/"), ""), None).await.unwrap();
    assert_eq!(server.connections(), 2);
}
