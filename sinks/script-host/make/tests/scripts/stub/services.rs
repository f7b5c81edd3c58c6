//! What the server does for a sink.

use super::World;
use mailsluice_wit::mailsluice::sink::types::Field;
use mailsluice_wit::mailsluice::sink::{clock, config, dns, http, kv, log, metrics, queue, random, submit, tables};
use wasmtime::Result;

impl log::Host for World {
    fn write(&mut self, level: log::Level, text: String) -> Result<()> {
        let level = format!("{level:?}");
        self.note(format!("{}: {text}", level.trim_start_matches("Level::")))
    }
}

impl config::Host for World {
    fn get(&mut self) -> Result<String> {
        Ok(self.config.clone())
    }
}

impl tables::Host for World {
    fn lookup(&mut self, table: String, key: String) -> Result<Option<String>> {
        Ok((table == "vips" && key == "bob").then(|| "gold".to_owned()))
    }
}

impl clock::Host for World {
    fn now(&mut self) -> Result<u64> {
        Ok(self.now)
    }
}

impl random::Host for World {
    fn octets(&mut self, count: u32) -> Result<Vec<u8>> {
        self.chance = self.chance.wrapping_add(64);
        Ok(vec![self.chance; count as usize])
    }
}

impl metrics::Host for World {
    fn count(&mut self, name: String, by: u64) -> Result<()> {
        self.note(format!("count {name} {by}"))
    }

    fn gauge(&mut self, name: String, value: f64) -> Result<()> {
        self.note(format!("gauge {name} {value}"))
    }
}

impl submit::Host for World {
    fn submit(&mut self, message: submit::NewMessage) -> Result<std::result::Result<(), String>> {
        let content = String::from_utf8_lossy(&message.content).into_owned();
        self.note(format!("submit {:?} {:?} {content:?}", message.sender, message.recipients))?;
        Ok(Ok(()))
    }
}

impl queue::Host for World {
    async fn start(&mut self, domains: Vec<String>) -> Result<std::result::Result<u64, queue::Error>> {
        self.note(format!("start {domains:?}"))?;
        Ok(if domains.iter().any(|it| it.contains('#')) {
            Err(queue::Error::Invalid("no domain".to_owned()))
        } else {
            Ok(3)
        })
    }

    fn waiting(&mut self, domains: Vec<String>) -> Result<std::result::Result<u64, queue::Error>> {
        Ok(if domains.is_empty() { Err(queue::Error::Busy) } else { Ok(7) })
    }
}

impl dns::Host for World {
    async fn lookup(
        &mut self,
        name: String,
        kind: dns::RecordKind,
    ) -> Result<std::result::Result<Vec<String>, dns::Error>> {
        Ok(match name.as_str() {
            "example.com" => Ok(vec![format!("{kind:?}").replace("RecordKind::", "")]),
            "slow.example" => Err(dns::Error::Temporary("time-out".to_owned())),
            _ => Err(dns::Error::NotFound),
        })
    }
}

impl http::Host for World {
    async fn fetch(&mut self, request: http::Request) -> Result<std::result::Result<http::Response, http::Error>> {
        let body = match &request.body {
            http::Body::None => "nothing".to_owned(),
            http::Body::Octets(octets) => format!("{:?}", String::from_utf8_lossy(octets)),
            http::Body::Message(_) => "the message".to_owned(),
        };
        let headers: Vec<_> = request.headers.iter().map(|field| format!("{}: {}", field.name, field.value)).collect();
        self.note(format!("{} {} {headers:?} {body} {:?}", request.method, request.url, request.timeout))?;
        if request.url.contains("evil") {
            return Ok(Err(http::Error::NotAllowed("https://evil.example".to_owned())));
        }
        let headers = vec![Field { name: "Content-Type".to_owned(), value: "application/json".to_owned() }];
        Ok(Ok(http::Response { status: 200, headers, body: br#"{"spam":true}"#.to_vec() }))
    }
}

impl kv::Host for World {
    fn get(&mut self, key: String) -> Result<std::result::Result<Option<Vec<u8>>, kv::Error>> {
        Ok(Ok(self.kv.get(&key).cloned()))
    }

    fn set(&mut self, key: String, value: Vec<u8>, seconds: Option<u64>) -> Result<std::result::Result<(), kv::Error>> {
        self.note(format!("set {key} {} {seconds:?}", String::from_utf8_lossy(&value)))?;
        self.kv.insert(key, value);
        Ok(Ok(()))
    }

    fn remove(&mut self, key: String) -> Result<std::result::Result<(), kv::Error>> {
        self.kv.remove(&key);
        Ok(Ok(()))
    }

    fn increment(&mut self, key: String, by: i64, _: Option<u64>) -> Result<std::result::Result<i64, kv::Error>> {
        let before = self.kv.get(&key).map_or("0".into(), |value| String::from_utf8_lossy(value).into_owned());
        let Ok(before) = before.parse::<i64>() else { return Ok(Err(kv::Error::NotACounter)) };
        self.kv.insert(key, (before + by).to_string().into_bytes());
        Ok(Ok(before + by))
    }

    fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        _: Option<u64>,
    ) -> Result<std::result::Result<bool, kv::Error>> {
        let same = self.kv.get(&key) == expected.as_ref();
        if same {
            match value {
                Some(value) => drop(self.kv.insert(key, value)),
                None => drop(self.kv.remove(&key)),
            }
        }
        Ok(Ok(same))
    }
}
