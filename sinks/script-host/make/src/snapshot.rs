//! The component: wrapped, initialised, and written out as it then stands.

use std::task::{Context, Poll, Waker};
use wasmtime::component::{Component, Instance, Lift, Linker, WasmList};
use wasmtime::{Config, Engine, Store};
use wasmtime_wizer::{ComponentInstanceState, Wizer};
use wit_component::ComponentEncoder;

/// What boots the engine, by the way: a self-test before there is a script.
const INITIALISE: (&str, &str) = ("mailsluice:sink/self-test@1.0.0", "run");

/// A core module as the component that its own type information describes.
pub(crate) fn wrap(core: &[u8]) -> Result<Vec<u8>, String> {
    let encoder = ComponentEncoder::default().validate(true).module(core);
    encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| format!("the module can't be wrapped: {error:#}"))
}

/// Runs the component's initialisation and returns it with the memory that this has left. It can ask nothing of a host: what it
/// keeps must be the same wherever it is built.
pub(crate) fn initialise(component: &[u8]) -> Result<Vec<u8>, String> {
    block_on(snapshot(component)).map_err(|error| format!("the engine does not boot: {error:#}"))
}

async fn snapshot(bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let wizer = Wizer::new();
    let (context, instrumented) = wizer.instrument_component(bytes)?;
    let mut config = Config::new();
    config.max_wasm_stack(4 << 20).async_stack_size(8 << 20);
    let engine = Engine::new(&config)?;
    let component = Component::new(&engine, &instrumented)?;
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let mut state = State { store, instance };
    state.call::<Result<(), String>>(INITIALISE.0, INITIALISE.1).await?.map_err(wasmtime::Error::msg)?;
    wizer.snapshot_component(&context, &mut state).await
}

/// How the snapshot reads the instance: through the functions that the instrumented component exports for it.
struct State {
    store: Store<()>,
    instance: Instance,
}

impl State {
    async fn call<R: Lift + Send + Sync + 'static>(&mut self, instance: &str, function: &str) -> wasmtime::Result<R> {
        let found = self.instance.get_export(&mut self.store, None, instance);
        let found = found.and_then(|(_, parent)| self.instance.get_export(&mut self.store, Some(&parent), function));
        let (_, index) =
            found.ok_or_else(|| wasmtime::Error::msg(format!("there is no export {instance}#{function}")))?;
        let typed = self.instance.get_typed_func::<(), (R,)>(&mut self.store, index)?;
        Ok(typed.call_async(&mut self.store, ()).await?.0)
    }

    /// What the instrumented component exports for the snapshot can't fail: it reads a global or lends the memory.
    async fn read<R: Lift + Send + Sync + 'static>(&mut self, instance: &str, function: &str) -> R {
        let read = self.call(instance, function).await;
        read.unwrap_or_else(|error| panic!("{instance}#{function}: {error:#}"))
    }
}

impl ComponentInstanceState for State {
    async fn call_func_ret_list_u8(&mut self, instance: &str, function: &str, contents: impl FnOnce(&[u8]) + Send) {
        let list: WasmList<u8> = self.read(instance, function).await;
        contents(list.as_le_slice(&self.store));
    }

    async fn call_func_ret_s32(&mut self, instance: &str, function: &str) -> i32 {
        self.read(instance, function).await
    }

    async fn call_func_ret_s64(&mut self, instance: &str, function: &str) -> i64 {
        self.read(instance, function).await
    }

    async fn call_func_ret_f32(&mut self, instance: &str, function: &str) -> u32 {
        self.read::<f32>(instance, function).await.to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, function: &str) -> u64 {
        self.read::<f64>(instance, function).await.to_bits()
    }
}

/// Runs a future that waits for nothing outside of itself.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
