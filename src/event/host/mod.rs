//! The traits by which sinks and routes reach the world. The command line wires what stands behind them.

pub mod clock;
pub mod dns;
pub mod http;
pub mod kv;
pub mod log;
pub mod metrics;
pub mod name;
pub mod no_dns;
pub mod queue;
pub mod resolver;
pub mod turnaround;
pub mod web_origin;
pub mod zone;

pub use clock::{Clock, ManualClock, SystemClock};
pub use dns::{Dns, DnsFault, RecordKind};
pub use http::{Http, HttpBody, HttpFault, HttpOf, HttpRequest, HttpResponse};
pub use kv::{Kv, KvFault, KvOf};
pub use log::{Journal, Level, Line, SinkLog};
pub use metrics::{MetricFault, Metrics, MetricsOf, Sample};
pub use no_dns::NoDns;
pub use queue::{QueueControl, QueueFault, QueueOf, Scope};
pub use resolver::{Mx, Resolver, Signed, Tlsa};
pub use turnaround::{Duplex, Turnaround, Turned};
pub use web_origin::WebOrigin;
pub use zone::{ZoneKind, ZoneRecord, ZoneTable, ZoneTrouble};
