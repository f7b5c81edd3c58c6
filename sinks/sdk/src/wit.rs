//! The bindings that `wit-bindgen` makes of the WIT package: the one room with unsafe code in it.
//!
//! Types and imports are made once, exports once for each interface, so that a sink exports what [`hears!`](crate::hears)
//! names and nothing else. Natively the imports compile but can't be called: the in-memory server stands in for them.

/// Types and imports.
mod granted {
    wit_bindgen::generate!({
        path: ["wit", "worlds"],
        world: "mailsluice:sdk/imports",
        generate_all,
        generate_unused_types: true,
        pub_export_macro: true,
    });
}

pub use granted::mailsluice::sink::*;

macro_rules! exports {
    ($($module:ident $world:tt $with:tt;)+) => {
        $(pub mod $module {
            wit_bindgen::generate!({
                path: ["wit", "worlds"],
                world: $world,
                with: $with,
                pub_export_macro: true,
                default_bindings_module: "mailsluice_sink",
            });
            pub use self::exports::mailsluice::sink::$module::*;
        })+
    };
}

exports! {
    in_connect "mailsluice:sdk/in-connect" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_helo "mailsluice:sdk/in-helo" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_tls "mailsluice:sdk/in-tls" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_auth "mailsluice:sdk/in-auth" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_mail "mailsluice:sdk/in-mail" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_rcpt "mailsluice:sdk/in-rcpt" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_data "mailsluice:sdk/in-data" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_headers "mailsluice:sdk/in-headers" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_message "mailsluice:sdk/in-message" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_command "mailsluice:sdk/in-command" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_reply "mailsluice:sdk/in-reply" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    in_disconnect "mailsluice:sdk/in-disconnect" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_oversize "mailsluice:sdk/transport-oversize" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_submit "mailsluice:sdk/transport-submit" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_pre_categorize "mailsluice:sdk/transport-pre-categorize" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_categorize "mailsluice:sdk/transport-categorize" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_post_categorize "mailsluice:sdk/transport-post-categorize" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_route "mailsluice:sdk/transport-route" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_deliver "mailsluice:sdk/transport-deliver" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_delivered "mailsluice:sdk/transport-delivered" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_deferred "mailsluice:sdk/transport-deferred" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_failed "mailsluice:sdk/transport-failed" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    transport_dsn "mailsluice:sdk/transport-dsn" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_connect "mailsluice:sdk/out-connect" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_helo "mailsluice:sdk/out-helo" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_message "mailsluice:sdk/out-message" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_mail "mailsluice:sdk/out-mail" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_rcpt "mailsluice:sdk/out-rcpt" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_data "mailsluice:sdk/out-data" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_reply "mailsluice:sdk/out-reply" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_quit "mailsluice:sdk/out-quit" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    out_disconnect "mailsluice:sdk/out-disconnect" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    dns_resolve "mailsluice:sdk/dns-resolve" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    track "mailsluice:sdk/track" {};
    server_start "mailsluice:sdk/server-start" {};
    server_reload "mailsluice:sdk/server-reload" {};
    server_shutdown "mailsluice:sdk/server-shutdown" {};
    claims "mailsluice:sdk/claims" { "mailsluice:sink/types@1.0.0": crate::wit::types };
    self_test "mailsluice:sdk/self-test" {};
}
