//! The macro that makes a sink of a type.

/// Makes a sink of a type that implements [`On`](crate::On) for each event it names: `hears!(MySink { InRcpt, TransportSubmit })`.
/// These, and nothing else, are what the component exports.
///
/// Behind the events may follow, in this order:
///
/// * `open = MySink::open`, a `fn() -> Result<MySink, Fault>` that makes the sink, at the first call of an instance. Without it
///   the type's `Default` does.
/// * `claims = |sink| Claims { … }`, for verbs, parameters and keywords of the sink's own.
/// * `self_test = |sink| Ok(())`, a check made whenever the sink is loaded: what fails is not put in force. The sink is made for
///   it, so that even this one, which checks nothing, tells of a bad configuration at once and not with the first message.
///
/// ```
/// use mailsluice_sink::{Claims, Fault, Heard, On, Reply, EnhancedCode, Ruling, hears, on};
///
/// struct Hello(String);
/// impl On<on::InCommand> for Hello {
///     fn on(&self, heard: &mut Heard<'_, on::InCommand>) -> Result<Ruling<on::InCommand>, Fault> {
///         match heard.command().verb.as_str() {
///             "XHELLO" => Ok(Ruling::answer(Reply::new(250, EnhancedCode(2, 0, 0), self.0.clone()))),
///             _ => Ok(Ruling::next()),
///         }
///     }
/// }
/// hears!(Hello { InCommand } open = || Ok(Hello("Hello".into())), claims = |_| Claims { verbs: vec!["XHELLO".into()], ..Claims::default() });
/// ```
#[macro_export]
macro_rules! hears {
    ($sink:ty { $($event:ident),+ $(,)? } open = $open:expr $(, $key:ident = $value:expr)* $(,)?) => {
        impl $crate::Hosted for $sink {
            fn open() -> ::std::result::Result<Self, $crate::Fault> {
                let open: fn() -> ::std::result::Result<$sink, $crate::Fault> = $open;
                open()
            }
            fn with<T>(
                call: impl FnOnce(&Self) -> ::std::result::Result<T, $crate::Fault>,
            ) -> ::std::result::Result<T, $crate::Fault> {
                ::std::thread_local! {
                    static SINK: ::std::cell::OnceCell<$sink> = const { ::std::cell::OnceCell::new() };
                }
                SINK.with(|sink| {
                    if let Some(sink) = sink.get() {
                        return call(sink);
                    }
                    let opened = <Self as $crate::Hosted>::open()?;
                    call(sink.get_or_init(|| opened))
                })
            }
        }
        // What is not exported natively is there all the same.
        const _: fn() -> ::std::result::Result<$sink, $crate::Fault> = <$sink as $crate::Hosted>::open;
        $(const _: fn(&$sink, &mut $crate::Heard<'_, $crate::on::$event>)
            -> ::std::result::Result<$crate::Ruling<$crate::on::$event>, $crate::Fault> = <$sink as $crate::On<$crate::on::$event>>::on;)+
        $($crate::__hears!(@also $sink, $key, $value);)*
        $($crate::__hears!(@export $sink, $event);)+
    };
    ($sink:ty { $($event:ident),+ $(,)? } $($key:ident = $value:expr),* $(,)?) => {
        $crate::hears!($sink { $($event),+ } open = || ::std::result::Result::Ok(<$sink as ::std::default::Default>::default()) $(, $key = $value)*);
    };
}

/// The parts of [`hears!`](crate::hears).
#[doc(hidden)]
#[macro_export]
macro_rules! __hears {
    (@also $sink:ty, claims, $claims:expr) => {
        impl $crate::Claiming for $sink {
            fn claims(&self) -> $crate::Claims {
                let claims: fn(&$sink) -> $crate::Claims = $claims;
                claims(self)
            }
        }
        $crate::__hears!(@module claims, $sink);
    };
    (@also $sink:ty, self_test, $test:expr) => {
        impl $crate::SelfTesting for $sink {
            fn self_test(&self) -> ::std::result::Result<(), $crate::Fault> {
                let test: fn(&$sink) -> ::std::result::Result<(), $crate::Fault> = $test;
                test(self)
            }
        }
        $crate::__hears!(@module self_test, $sink);
    };
    (@export $sink:ty, InConnect) => { $crate::__hears!(@module in_connect, $sink); };
    (@export $sink:ty, InHelo) => { $crate::__hears!(@module in_helo, $sink); };
    (@export $sink:ty, InTls) => { $crate::__hears!(@module in_tls, $sink); };
    (@export $sink:ty, InAuth) => { $crate::__hears!(@module in_auth, $sink); };
    (@export $sink:ty, InMail) => { $crate::__hears!(@module in_mail, $sink); };
    (@export $sink:ty, InRcpt) => { $crate::__hears!(@module in_rcpt, $sink); };
    (@export $sink:ty, InData) => { $crate::__hears!(@module in_data, $sink); };
    (@export $sink:ty, InHeaders) => { $crate::__hears!(@module in_headers, $sink); };
    (@export $sink:ty, InMessage) => { $crate::__hears!(@module in_message, $sink); };
    (@export $sink:ty, InCommand) => { $crate::__hears!(@module in_command, $sink); };
    (@export $sink:ty, InReply) => { $crate::__hears!(@module in_reply, $sink); };
    (@export $sink:ty, InDisconnect) => { $crate::__hears!(@module in_disconnect, $sink); };
    (@export $sink:ty, TransportOversize) => { $crate::__hears!(@module transport_oversize, $sink); };
    (@export $sink:ty, TransportSubmit) => { $crate::__hears!(@module transport_submit, $sink); };
    (@export $sink:ty, TransportPreCategorize) => { $crate::__hears!(@module transport_pre_categorize, $sink); };
    (@export $sink:ty, TransportCategorize) => { $crate::__hears!(@module transport_categorize, $sink); };
    (@export $sink:ty, TransportPostCategorize) => { $crate::__hears!(@module transport_post_categorize, $sink); };
    (@export $sink:ty, TransportRoute) => { $crate::__hears!(@module transport_route, $sink); };
    (@export $sink:ty, TransportDeliver) => { $crate::__hears!(@module transport_deliver, $sink); };
    (@export $sink:ty, TransportDelivered) => { $crate::__hears!(@module transport_delivered, $sink); };
    (@export $sink:ty, TransportDeferred) => { $crate::__hears!(@module transport_deferred, $sink); };
    (@export $sink:ty, TransportFailed) => { $crate::__hears!(@module transport_failed, $sink); };
    (@export $sink:ty, TransportDsn) => { $crate::__hears!(@module transport_dsn, $sink); };
    (@export $sink:ty, OutConnect) => { $crate::__hears!(@module out_connect, $sink); };
    (@export $sink:ty, OutHelo) => { $crate::__hears!(@module out_helo, $sink); };
    (@export $sink:ty, OutMessage) => { $crate::__hears!(@module out_message, $sink); };
    (@export $sink:ty, OutMail) => { $crate::__hears!(@module out_mail, $sink); };
    (@export $sink:ty, OutRcpt) => { $crate::__hears!(@module out_rcpt, $sink); };
    (@export $sink:ty, OutData) => { $crate::__hears!(@module out_data, $sink); };
    (@export $sink:ty, OutReply) => { $crate::__hears!(@module out_reply, $sink); };
    (@export $sink:ty, OutQuit) => { $crate::__hears!(@module out_quit, $sink); };
    (@export $sink:ty, OutDisconnect) => { $crate::__hears!(@module out_disconnect, $sink); };
    (@export $sink:ty, DnsResolve) => { $crate::__hears!(@module dns_resolve, $sink); };
    (@export $sink:ty, Track) => { $crate::__hears!(@module track, $sink); };
    (@export $sink:ty, ServerStart) => { $crate::__hears!(@module server_start, $sink); };
    (@export $sink:ty, ServerReload) => { $crate::__hears!(@module server_reload, $sink); };
    (@export $sink:ty, ServerShutdown) => { $crate::__hears!(@module server_shutdown, $sink); };
    (@module $module:ident, $sink:ty) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the bindings export functions by name")]
        const _: () = {
            type Exported = $crate::Exported<$sink>;
            $crate::wit::$module::export!(Exported with_types_in $crate::wit::$module);
        };
    };
}
