//! What `wit-bindgen` makes of `wit/`. One small world per interface: a component exports the interfaces whose
//! `export!` it calls and no others, and the linker merges the worlds. The types are made once and shared.

#![expect(missing_docs, clippy::pedantic, reason = "generated; documented in wit/")]

pub mod connection {
    wit_bindgen::generate!({
        inline: "package berth:sdk-connection; world connection-provider { include berth:provider/provider@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-connection/connection-provider",
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::connection",
        generate_all,
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod catalog {
    wit_bindgen::generate!({
        inline: "package berth:sdk-catalog; world catalog-provider { export berth:provider/catalog@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-catalog/catalog-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::catalog",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod availability {
    wit_bindgen::generate!({
        inline: "package berth:sdk-availability; world availability-provider { export berth:provider/availability@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-availability/availability-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::availability",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod bookings {
    wit_bindgen::generate!({
        inline: "package berth:sdk-bookings; world bookings-provider { export berth:provider/bookings@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-bookings/bookings-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::bookings",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod links {
    wit_bindgen::generate!({
        inline: "package berth:sdk-links; world links-provider { export berth:provider/links@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-links/links-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::links",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod webhooks {
    wit_bindgen::generate!({
        inline: "package berth:sdk-webhooks; world webhooks-provider { export berth:provider/webhooks@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-webhooks/webhooks-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::webhooks",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod clients {
    wit_bindgen::generate!({
        inline: "package berth:sdk-clients; world clients-provider { export berth:provider/clients@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-clients/clients-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::clients",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod blocks {
    wit_bindgen::generate!({
        inline: "package berth:sdk-blocks; world blocks-provider { export berth:provider/blocks@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-blocks/blocks-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::blocks",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub mod booking_edits {
    wit_bindgen::generate!({
        inline: "package berth:sdk-booking-edits; world booking-edits-provider { export berth:provider/booking-edits@0.1.3; }",
        path: "../../wit",
        world: "berth:sdk-booking-edits/booking-edits-provider",
        with: { "berth:provider/types@0.1.3": crate::bindings::connection::berth::provider::types },
        pub_export_macro: true,
        default_bindings_module: "berth_sdk::bindings::booking_edits",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}
