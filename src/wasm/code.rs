//! A loaded guest: compiled, linked, with its exports looked up. All of its instances share it.

use super::script::Script;
use super::state::State;
use crate::event::catalogue::{CATALOGUE, COUNT, Event};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

/// The version of the interfaces that this server speaks.
pub(super) const VERSION: &str = "1.0.0";

/// What instances are made of.
pub(super) struct Code {
    pub(super) pre: InstancePre<State>,
    pub(super) exports: Exports,
    /// Slots of the pool that one instance takes.
    pub(super) weight: u32,
    /// The script, if this is the script host.
    pub(super) script: Option<Script>,
}

/// Where the functions are that the server calls.
pub(super) struct Exports {
    handlers: [Option<ComponentExportIndex>; COUNT],
    pub(super) claims: Option<ComponentExportIndex>,
    pub(super) self_test: Option<ComponentExportIndex>,
    pub(super) load: Option<ComponentExportIndex>,
}

impl Exports {
    pub(super) fn of(component: &Component) -> Self {
        let find = |package: &str, interface: &str, function: &str| {
            let interface = component.get_export_index(None, format!("{package}/{interface}@{VERSION}").as_str())?;
            component.get_export_index(Some(&interface), function)
        };
        Self {
            handlers: std::array::from_fn(|n| find("mailsluice:sink", &interface(CATALOGUE[n].event), "handle")),
            claims: find("mailsluice:sink", "claims", "get"),
            self_test: find("mailsluice:sink", "self-test", "run"),
            load: find("mailsluice:script", "loader", "load"),
        }
    }

    /// The function of an event, if it is exported.
    pub(super) fn handler(&self, event: Event) -> Option<&ComponentExportIndex> {
        self.handlers[event as usize].as_ref()
    }

    /// The events that are exported.
    pub(super) fn events(&self) -> impl Iterator<Item = Event> {
        CATALOGUE.iter().map(|spec| spec.event).filter(|event| self.handler(*event).is_some())
    }
}

/// The interface of an event: its name, with a hyphen for the dot.
pub(super) fn interface(event: Event) -> String {
    event.name().replace('.', "-")
}
