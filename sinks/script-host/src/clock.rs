//! The time as QuickJS's C code asks for it.

use crate::engine;
use crate::wit::mailsluice::sink::clock;

/// Microseconds since 1970, for `Date`. While the engine boots it is 1970: the host can't be asked yet, and nothing that is kept
/// may depend on when the component was built.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "QuickJS's C code finds it by its name")]
extern "C" fn __rquickjs_host_now_us() -> f64 {
    if engine::is_booted() { clock::now() as f64 * 1000.0 } else { 0.0 }
}
