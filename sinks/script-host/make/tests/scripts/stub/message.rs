//! One message, always the same.

use super::World;
use mailsluice_wit::mailsluice::sink::types::{Attachment, Field, HostMessage, Part};
use mailsluice_wit::{Message, Recipient};
use wasmtime::Result;
use wasmtime::component::Resource;

const HEADER: &str = "From: a@example.com\r\nSubject: Hello\r\nX-Two: one\r\nX-Two: two\r\n";
const BODY: &str = "Dear Bob,\r\nb\u{fc}e.\r\n";

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

    async fn text(&mut self, _: Resource<Message>) -> Result<std::result::Result<Option<String>, String>> {
        Ok(Ok(Some("Dear Bob,".to_owned())))
    }

    async fn html(&mut self, _: Resource<Message>) -> Result<std::result::Result<Option<String>, String>> {
        Ok(Err("the MIME structure can't be read".to_owned()))
    }

    async fn parts(&mut self, _: Resource<Message>) -> Result<std::result::Result<Vec<Part>, String>> {
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

    async fn read_part(
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

    fn parameter(&mut self, _: Resource<Message>, keyword: String) -> Result<Option<String>> {
        Ok((keyword == "XTAG").then(|| "blue".to_owned()))
    }

    fn split(&mut self, _: Resource<Message>, recipients: Vec<u32>) -> Result<()> {
        self.note(format!("split {recipients:?}"))
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
