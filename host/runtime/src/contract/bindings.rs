//! The host's side of `wit/`, generated. One set of bindings serves every component: the imports are linked once, and
//! each exported interface is looked up by its own `GuestIndices` (see [`super::offers`]), so that a component may leave
//! any optional interface out.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "complete-provider",
    imports: {
        "berth:provider/state": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    require_store_data_send: true,
});
