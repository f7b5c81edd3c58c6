//! A server that is none: it answers the script host with made-up things, and writes down what it is asked to do.

use mailsluice_wit::mailsluice::script::engine;
use mailsluice_wit::mailsluice::sink::types::{
    Attachment, Door, Excess, Field, HostMessage, HostOutgoing, HostRecipient, HostSession, Origin, Part, Reply,
    Standing,
};
use mailsluice_wit::mailsluice::sink::{clock, config, dns, http, kv, log, metrics, random, submit, tables, types};
use mailsluice_wit::{Message, Outgoing, Recipient, Session};
use std::collections::BTreeMap;
use wasmtime::Result;
use wasmtime::component::Resource;

pub(crate) const HEADER: &str = "From: a@example.com\r\nSubject: Hello\r\nX-Two: one\r\nX-Two: two\r\n";
pub(crate) const BODY: &str = "Dear Bob,\r\nb\u{fc}e.\r\n";

/// What the made-up server has, and what was done.
#[derive(Default)]
pub(crate) struct World {
    /// The script's files.
    pub(crate) files: BTreeMap<String, String>,
    /// `[sink.config]`.
    pub(crate) config: String,
    /// Each thing that was asked for, in order.
    pub(crate) done: Vec<String>,
    pub(crate) kv: BTreeMap<String, Vec<u8>>,
    pub(crate) properties: BTreeMap<String, String>,
    /// What `clock` says.
    pub(crate) now: u64,
    /// What `random` says next.
    pub(crate) chance: u8,
    /// How often the script may still go on when it is asked.
    pub(crate) patience: Option<u32>,
    /// How many handles are open.
    pub(crate) handles: i64,
}

impl World {
    fn note(&mut self, what: impl Into<String>) -> Result<()> {
        self.done.push(what.into());
        Ok(())
    }
}

impl engine::Host for World {
    fn read(&mut self, path: String) -> Result<std::result::Result<String, String>> {
        Ok(self.files.get(&path).cloned().ok_or_else(|| "there is no such file".to_owned()))
    }

    fn should_stop(&mut self) -> Result<bool> {
        let Some(left) = self.patience else { return Ok(false) };
        self.patience = Some(left.saturating_sub(1));
        Ok(left == 0)
    }

    fn give_up(&mut self, text: String) -> Result<()> {
        Err(wasmtime::Error::msg(text))
    }
}

impl log::Host for World {
    fn write(&mut self, level: log::Level, text: String) -> Result<()> {
        self.note(format!("{level:?}: {text}"))
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

impl dns::Host for World {
    async fn lookup(&mut self, name: String, kind: dns::Kind) -> Result<std::result::Result<Vec<String>, dns::Error>> {
        Ok(match name.as_str() {
            "example.com" => Ok(vec![format!("{kind:?}")]),
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

impl types::Host for World {}

impl HostSession for World {
    fn id(&mut self, _: Resource<Session>) -> Result<Option<String>> {
        Ok(Some("S1".to_owned()))
    }

    fn origin(&mut self, _: Resource<Session>) -> Result<Origin> {
        Ok(Origin {
            door: Door::Smtp,
            listener: Some("127.0.0.1:25".to_owned()),
            role: Some("mx".to_owned()),
            client: Some("192.0.2.1".to_owned()),
            client_name: None,
            helo: Some("client.example".to_owned()),
            user: None,
            tls: Some("TLSv1.3".to_owned()),
        })
    }

    fn property(&mut self, _: Resource<Session>, name: String) -> Result<Option<String>> {
        Ok(self.properties.get(&name).cloned())
    }

    fn set_property(
        &mut self,
        _: Resource<Session>,
        key: String,
        json: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("session property {key} {json}"))?;
        Ok(Ok(()))
    }

    fn delay(&mut self, _: Resource<Session>, milliseconds: u32) -> Result<()> {
        self.note(format!("delay {milliseconds}"))
    }

    fn limit_message_size(&mut self, _: Resource<Session>, octets: u64) -> Result<()> {
        self.note(format!("limit size {octets}"))
    }

    fn limit_recipients(&mut self, _: Resource<Session>, count: u32) -> Result<()> {
        self.note(format!("limit recipients {count}"))
    }

    fn set_greeting(&mut self, _: Resource<Session>, text: String) -> Result<()> {
        self.note(format!("greeting {text}"))
    }

    fn add_keyword(&mut self, _: Resource<Session>, keyword: String) -> Result<()> {
        self.note(format!("add keyword {keyword}"))
    }

    fn remove_keyword(&mut self, _: Resource<Session>, keyword: String) -> Result<()> {
        self.note(format!("remove keyword {keyword}"))
    }

    fn drop(&mut self, _: Resource<Session>) -> Result<()> {
        Ok(())
    }
}

impl HostRecipient for World {
    fn address(&mut self, it: Resource<Recipient>) -> Result<String> {
        Ok(match it.rep() {
            0 => "bob@example.com".to_owned(),
            1 => "carol@Example.COM".to_owned(),
            _ => "dave@example.com".to_owned(),
        })
    }

    fn original(&mut self, it: Resource<Recipient>) -> Result<Option<String>> {
        Ok((it.rep() == 1).then(|| "caroline@example.com".to_owned()))
    }

    fn standing(&mut self, _: Resource<Recipient>) -> Result<Standing> {
        Ok(Standing::Local)
    }

    fn matched(&mut self, it: Resource<Recipient>) -> Result<bool> {
        Ok(it.rep() == 0)
    }

    fn property(&mut self, _: Resource<Recipient>, name: String) -> Result<Option<String>> {
        Ok(self.properties.get(&name).cloned())
    }

    fn set_property(
        &mut self,
        it: Resource<Recipient>,
        key: String,
        json: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("recipient {} property {key} {json}", it.rep()))?;
        Ok(Ok(()))
    }

    fn rewrite(&mut self, _: Resource<Recipient>, address: String) -> Result<std::result::Result<(), String>> {
        self.note(format!("rewrite {address}"))?;
        Ok(if address.contains('@') { Ok(()) } else { Err(format!("{address} is no address")) })
    }

    fn vouch(&mut self, _: Resource<Recipient>) -> Result<()> {
        self.note("vouch")
    }

    fn remove(&mut self, it: Resource<Recipient>) -> Result<()> {
        self.note(format!("remove recipient {}", it.rep()))
    }

    fn reject(&mut self, it: Resource<Recipient>, reply: Option<Reply>) -> Result<()> {
        self.note(format!("reject recipient {} {}", it.rep(), shown(reply.as_ref())))
    }

    fn defer(&mut self, it: Resource<Recipient>, reply: Option<Reply>) -> Result<()> {
        self.note(format!("defer recipient {} {}", it.rep(), shown(reply.as_ref())))
    }

    fn discard(&mut self, it: Resource<Recipient>) -> Result<()> {
        self.note(format!("discard recipient {}", it.rep()))
    }

    fn hold(&mut self, it: Resource<Recipient>, reason: String) -> Result<()> {
        self.note(format!("hold recipient {} {reason}", it.rep()))
    }

    fn drop(&mut self, _: Resource<Recipient>) -> Result<()> {
        self.handles -= 1;
        Ok(())
    }
}

/// A reply as the tests read it.
pub(crate) fn shown(reply: Option<&Reply>) -> String {
    reply.map_or("-".to_owned(), |reply| {
        let status = reply.status.map(|status| format!(" {}.{}.{}", status.class, status.subject, status.detail));
        format!("{}{} {}", reply.code, status.unwrap_or_default(), reply.text)
    })
}

impl HostMessage for World {
    fn id(&mut self, _: Resource<Message>) -> Result<String> {
        Ok("6F2K".to_owned())
    }

    fn sender(&mut self, _: Resource<Message>) -> Result<Option<String>> {
        Ok(None)
    }

    fn recipients(&mut self, _: Resource<Message>) -> Result<Vec<Resource<Recipient>>> {
        self.handles += 2;
        Ok(vec![Resource::new_own(0), Resource::new_own(1)])
    }

    fn size(&mut self, _: Resource<Message>) -> Result<Option<u64>> {
        Ok(Some((HEADER.len() + BODY.len() + 2) as u64))
    }

    fn started(&mut self, _: Resource<Message>) -> Result<u64> {
        Ok(self.now)
    }

    fn header(&mut self, this: Resource<Message>, name: String) -> Result<Option<String>> {
        Ok(self.headers(this, name)?.into_iter().next())
    }

    fn headers(&mut self, _: Resource<Message>, name: String) -> Result<Vec<String>> {
        let fields = HEADER.lines().filter_map(|line| line.split_once(": "));
        Ok(fields.filter(|field| field.0.eq_ignore_ascii_case(&name)).map(|field| field.1.to_owned()).collect())
    }

    fn fields(&mut self, _: Resource<Message>) -> Result<Vec<Field>> {
        Ok(Vec::new())
    }

    fn raw_header(&mut self, _: Resource<Message>) -> Result<Vec<u8>> {
        Ok(HEADER.as_bytes().to_vec())
    }

    fn body_size(&mut self, _: Resource<Message>) -> Result<u64> {
        Ok(BODY.len() as u64)
    }

    fn read_body(&mut self, _: Resource<Message>, offset: u64, _: u32) -> Result<Vec<u8>> {
        // A few at a time, so that the host has to ask again.
        Ok(BODY.bytes().skip(offset as usize).take(7).collect())
    }

    fn text(&mut self, _: Resource<Message>) -> Result<std::result::Result<Option<String>, String>> {
        Ok(Ok(Some("Dear Bob,".to_owned())))
    }

    fn html(&mut self, _: Resource<Message>) -> Result<std::result::Result<Option<String>, String>> {
        Ok(Err("the MIME structure can't be read".to_owned()))
    }

    fn parts(&mut self, _: Resource<Message>) -> Result<std::result::Result<Vec<Part>, String>> {
        let part = |index, kind: &str, name: Option<&str>, charset: Option<&str>| Part {
            index,
            parent: None,
            content_type: kind.to_owned(),
            charset: charset.map(str::to_owned),
            file_name: name.map(str::to_owned),
            content_id: None,
            size: 5,
            is_attachment: name.is_some(),
            is_multipart: false,
        };
        Ok(Ok(vec![
            part(0, "multipart/mixed", None, None),
            part(1, "text/plain", None, None),
            part(2, "text/csv", Some("a.csv"), Some("iso-8859-1")),
        ]))
    }

    fn read_part(
        &mut self,
        _: Resource<Message>,
        _: u32,
        offset: u64,
        _: u32,
    ) -> Result<std::result::Result<Vec<u8>, String>> {
        Ok(Ok(b"b\xFCcher".iter().copied().skip(offset as usize).take(4).collect()))
    }

    fn property(&mut self, _: Resource<Message>, name: String) -> Result<Option<String>> {
        Ok(self.properties.get(&name).cloned())
    }

    fn set_property(
        &mut self,
        _: Resource<Message>,
        key: String,
        json: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("property {key} {json}"))?;
        Ok(Ok(()))
    }

    fn set_sender(&mut self, _: Resource<Message>, address: Option<String>) -> Result<std::result::Result<(), String>> {
        self.note(format!("sender {address:?}"))?;
        Ok(Ok(()))
    }

    fn add_recipient(&mut self, _: Resource<Message>, address: String) -> Result<std::result::Result<(), String>> {
        self.note(format!("add recipient {address}"))?;
        Ok(Ok(()))
    }

    fn prepend_header(
        &mut self,
        _: Resource<Message>,
        name: String,
        value: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("prepend {name}: {value}"))?;
        Ok(Ok(()))
    }

    fn append_header(
        &mut self,
        _: Resource<Message>,
        name: String,
        value: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("append {name}: {value}"))?;
        Ok(Ok(()))
    }

    fn set_header(
        &mut self,
        _: Resource<Message>,
        name: String,
        value: String,
    ) -> Result<std::result::Result<(), String>> {
        self.note(format!("set {name}: {value}"))?;
        Ok(if name.contains(' ') { Err(format!("`{name}` is no name of a header field")) } else { Ok(()) })
    }

    fn remove_header(&mut self, _: Resource<Message>, name: String) -> Result<()> {
        self.note(format!("remove {name}"))
    }

    fn replace_body(&mut self, _: Resource<Message>, octets: Vec<u8>) -> Result<()> {
        self.note(format!("body {:?}", String::from_utf8_lossy(&octets)))
    }

    fn prepend_text(&mut self, _: Resource<Message>, text: String, html: Option<String>) -> Result<()> {
        self.note(format!("prepend text {text} {html:?}"))
    }

    fn append_text(&mut self, _: Resource<Message>, text: String, html: Option<String>) -> Result<()> {
        self.note(format!("append text {text} {html:?}"))
    }

    fn replace_text(&mut self, _: Resource<Message>, text: String, html: Option<String>) -> Result<()> {
        self.note(format!("replace text {text} {html:?}"))
    }

    fn replace_part(&mut self, _: Resource<Message>, index: u32, octets: Vec<u8>) -> Result<()> {
        self.note(format!("replace part {index} {:?}", String::from_utf8_lossy(&octets)))
    }

    fn add_attachment(&mut self, _: Resource<Message>, it: Attachment) -> Result<()> {
        self.note(format!("attach {} {} {}", it.file_name, it.content_type, it.data.len()))
    }

    fn replace_attachment(&mut self, _: Resource<Message>, index: u32, it: Attachment) -> Result<()> {
        self.note(format!("replace attachment {index} {} {} {}", it.file_name, it.content_type, it.data.len()))
    }

    fn remove_part(&mut self, _: Resource<Message>, index: u32) -> Result<()> {
        self.note(format!("remove part {index}"))
    }

    fn drop(&mut self, _: Resource<Message>) -> Result<()> {
        Ok(())
    }
}

impl HostOutgoing for World {
    fn reply(&mut self, _: Resource<Outgoing>) -> Result<Reply> {
        Ok(Reply { code: 250, status: None, text: "OK".to_owned() })
    }

    fn set_text(&mut self, _: Resource<Outgoing>, text: String) -> Result<()> {
        self.note(format!("reply text {text}"))
    }

    fn drop(&mut self, _: Resource<Outgoing>) -> Result<()> {
        Ok(())
    }
}

/// An excess, for `transport.oversize`.
pub(crate) fn excess() -> Excess {
    Excess { size: 2000, declared: true }
}
