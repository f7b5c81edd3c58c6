//! `message`: read by name and range, edited by what is recorded.

use super::super::state::{State, trap, unavailable};
use super::super::time::GuestTime;
use super::recipient::{clipped, forward, parameter, reverse};
use super::{READ_MAX, short};
use crate::event::edit::{Bearer, Edit, HeaderEdit};
use crate::mail::mime::{self, BodyEdit, Mime};
use crate::mail::{Header, Message as Known};
use mailsluice_wit::mailsluice::sink::types::{Attachment, Field, Host, HostMessage, Part};
use mailsluice_wit::{Message, Recipient};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;
use wasmtime::component::Resource;

type Handle = Resource<Message>;

/// The longest text of a body that is handed over in one piece.
const TEXT_MAX: usize = 8 << 20;
/// The largest body that is read on the event loop.
const SMALL: u64 = 256 << 10;
/// MiB of bodies that are viewed at a time, over all calls.
const VIEWS: u32 = 512;
static VIEWED: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(VIEWS as usize)));

impl Host for State {}

impl State {
    fn message(&self) -> wasmtime::Result<Option<&Known>> {
        Ok(self.lent()?.message())
    }

    fn body_len(&self) -> wasmtime::Result<u64> {
        Ok(self.message()?.map_or(0, |message| message.body.len()))
    }

    /// The MIME view, made when it is first asked for.
    async fn mime(&mut self) -> wasmtime::Result<Result<Arc<Mime>, String>> {
        if let Some(made) = &self.mime {
            return Ok(made.clone());
        }
        let Some(message) = self.lent()?.message().cloned() else {
            return Ok(Err("there is no message yet".to_owned()));
        };
        let size = message.body.len();
        // What many calls hold of large bodies at a time has a bound; who comes later waits, within its deadline.
        let room = u32::try_from(size >> 20).unwrap_or(u32::MAX).min(VIEWS);
        self.room = VIEWED.clone().acquire_many_owned(room).await.ok();
        let made =
            read(&self.time.clone(), size, move || Mime::of(&message)).await?.map(Arc::new).map_err(|e| e.to_string());
        self.mime = Some(made.clone());
        Ok(made)
    }

    /// What the view of the message has to say, or why there is none.
    async fn viewed<T: Send + 'static>(
        &mut self,
        look: impl FnOnce(&Mime) -> T + Send + 'static,
    ) -> wasmtime::Result<Result<T, String>> {
        match self.mime().await? {
            Ok(mime) => read(&self.time.clone(), self.body_len()?, move || look(&mime)).await.map(Ok),
            Err(why) => Ok(Err(why)),
        }
    }

    fn edit_body(&mut self, edit: BodyEdit, octets: usize) -> wasmtime::Result<()> {
        self.edit(Edit::Mime(edit), octets)
    }

    fn edit_header(&mut self, name: String, value: String, edit: Kind) -> wasmtime::Result<Result<(), String>> {
        let value = mime::encoded(&value).into_owned();
        let octets = name.len() + value.len();
        let checked = Header::check(&name, &value).map_err(|why| format!("the field `{}`: {why}", clipped(&name)));
        self.edit_or_tell(checked.map(|()| Edit::Header(edit(name, value))), octets)
    }
}

type Kind = fn(String, String) -> HeaderEdit;

impl HostMessage for State {
    fn id(&mut self, _: Handle) -> wasmtime::Result<String> {
        Ok(self.lent()?.transaction.as_ref().map(|(id, ..)| id.to_string()).unwrap_or_default())
    }

    fn sender(&mut self, _: Handle) -> wasmtime::Result<Option<String>> {
        let sender = self.lent()?.letter().and_then(|letter| letter.envelope.sender.mailbox());
        Ok(sender.map(|mailbox| mailbox.as_str().to_owned()))
    }

    fn recipients(&mut self, _: Handle) -> wasmtime::Result<Vec<Resource<Recipient>>> {
        let lent = self.lent()?;
        let meant = |index: usize| lent.leg().is_none_or(|leg| leg.recipients.contains(&index));
        let alive = lent.recipients().iter().enumerate();
        let alive = alive.filter(|(index, r)| r.fate == crate::mail::Fate::Accepted && meant(*index));
        let handle = |(index, _)| {
            let index = u32::try_from(index).ok().and_then(|index| self.first_recipient.checked_add(index));
            index.map(Resource::new_own).ok_or_else(|| trap("this instance has heard too many recipients"))
        };
        alive.map(handle).collect()
    }

    fn size(&mut self, _: Handle) -> wasmtime::Result<Option<u64>> {
        Ok(self.lent()?.size)
    }

    fn started(&mut self, _: Handle) -> wasmtime::Result<u64> {
        Ok(self.began().0)
    }

    fn parameter(&mut self, _: Handle, keyword: String) -> wasmtime::Result<Option<String>> {
        let lent = self.lent()?;
        Ok(lent.letter().and_then(|letter| parameter(&letter.envelope.params, &keyword)))
    }

    fn header(&mut self, _: Handle, name: String) -> wasmtime::Result<Option<String>> {
        let header = self.lent()?.header();
        Ok(header.and_then(|header| header.named(&name).next().map(|field| mime::decoded(&field))))
    }

    fn headers(&mut self, _: Handle, name: String) -> wasmtime::Result<Vec<String>> {
        let header = self.lent()?.header();
        let all = header.map(|header| header.named(&name).map(|field| mime::decoded(&field)).collect());
        Ok(all.unwrap_or_default())
    }

    fn fields(&mut self, _: Handle) -> wasmtime::Result<Vec<Field>> {
        let header = self.lent()?.header();
        let field = |f: crate::mail::Field<'_>| Field { name: f.name.to_owned(), value: f.value().into_owned() };
        Ok(header.map(|header| header.fields().map(field).collect()).unwrap_or_default())
    }

    fn raw_header(&mut self, _: Handle) -> wasmtime::Result<Vec<u8>> {
        Ok(self.lent()?.header().map(|header| header.raw().to_vec()).unwrap_or_default())
    }

    fn body_size(&mut self, _: Handle) -> wasmtime::Result<u64> {
        self.body_len()
    }

    fn read_body(&mut self, _: Handle, offset: u64, length: u32) -> wasmtime::Result<Vec<u8>> {
        let Some(message) = self.message()? else { return Ok(Vec::new()) };
        let left = message.body.len().saturating_sub(offset);
        let mut octets = vec![0; left.min(length.min(READ_MAX).into()) as usize];
        let read = message.body.read_at(offset, &mut octets);
        let read = read.map_err(|e| unavailable(format!("the body can't be read: {e}")))?;
        octets.truncate(read);
        Ok(octets)
    }

    async fn text(&mut self, _: Handle) -> wasmtime::Result<Result<Option<String>, String>> {
        Ok(self.viewed(Mime::text).await?.and_then(bounded))
    }

    async fn html(&mut self, _: Handle) -> wasmtime::Result<Result<Option<String>, String>> {
        Ok(self.viewed(Mime::html).await?.and_then(bounded))
    }

    async fn parts(&mut self, _: Handle) -> wasmtime::Result<Result<Vec<Part>, String>> {
        Ok(self.mime().await?.map(|mime| mime.parts().iter().map(part).collect()))
    }

    async fn read_part(
        &mut self,
        _: Handle,
        index: u32,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let decoded = match &self.decoded {
            Some((of, octets)) if *of == index => octets.clone(),
            _ => match self.viewed(move |mime| mime.part_bytes(index as usize)).await? {
                Ok(Ok(octets)) => octets,
                Ok(Err(error)) => return Ok(Err(error.to_string())),
                Err(why) => return Ok(Err(why)),
            },
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(decoded.len());
        let end = start.saturating_add(length.min(READ_MAX) as usize).min(decoded.len());
        let range = decoded[start..end].to_vec();
        // A part is read in pieces, and decoded once.
        self.decoded = Some((index, decoded));
        Ok(Ok(range))
    }

    fn property(&mut self, _: Handle, name: String) -> wasmtime::Result<Option<String>> {
        let name = self.full_name(name);
        Ok(self.lent()?.property_of_message(&name).map(ToString::to_string))
    }

    fn set_property(&mut self, _: Handle, key: String, json: String) -> wasmtime::Result<Result<(), String>> {
        self.note(Bearer::Message, key, &json)
    }

    fn set_sender(&mut self, _: Handle, address: Option<String>) -> wasmtime::Result<Result<(), String>> {
        let text = address.unwrap_or_default();
        self.edit_or_tell(reverse(&text).map(Edit::Sender), text.len())
    }

    fn add_recipient(&mut self, _: Handle, address: String) -> wasmtime::Result<Result<(), String>> {
        self.edit_or_tell(forward(&address).map(Edit::AddRecipient), address.len())
    }

    fn split(&mut self, _: Handle, recipients: Vec<u32>) -> wasmtime::Result<()> {
        let octets = recipients.len().saturating_mul(size_of::<u32>());
        let places = recipients.into_iter().map(|place| usize::try_from(place).unwrap_or(usize::MAX));
        self.edit(Edit::Split(places.collect()), octets)
    }

    fn prepend_header(&mut self, _: Handle, name: String, value: String) -> wasmtime::Result<Result<(), String>> {
        self.edit_header(name, value, HeaderEdit::Prepend)
    }

    fn append_header(&mut self, _: Handle, name: String, value: String) -> wasmtime::Result<Result<(), String>> {
        self.edit_header(name, value, HeaderEdit::Append)
    }

    fn set_header(&mut self, _: Handle, name: String, value: String) -> wasmtime::Result<Result<(), String>> {
        self.edit_header(name, value, HeaderEdit::Set)
    }

    fn remove_header(&mut self, _: Handle, name: String) -> wasmtime::Result<()> {
        let octets = name.len();
        self.edit(Edit::Header(HeaderEdit::Remove(name)), octets)
    }

    fn replace_body(&mut self, _: Handle, octets: Vec<u8>) -> wasmtime::Result<()> {
        let size = octets.len();
        self.edit(Edit::Body(octets.into()), size)
    }

    fn prepend_text(&mut self, _: Handle, text: String, html: Option<String>) -> wasmtime::Result<()> {
        let size = text.len() + html.as_ref().map_or(0, String::len);
        self.edit_body(BodyEdit::PrependText { text, html }, size)
    }

    fn append_text(&mut self, _: Handle, text: String, html: Option<String>) -> wasmtime::Result<()> {
        let size = text.len() + html.as_ref().map_or(0, String::len);
        self.edit_body(BodyEdit::AppendText { text, html }, size)
    }

    fn replace_text(&mut self, _: Handle, text: String, html: Option<String>) -> wasmtime::Result<()> {
        let size = text.len() + html.as_ref().map_or(0, String::len);
        self.edit_body(BodyEdit::ReplaceText { text, html }, size)
    }

    fn replace_part(&mut self, _: Handle, index: u32, octets: Vec<u8>) -> wasmtime::Result<()> {
        let size = octets.len();
        self.edit_body(BodyEdit::ReplacePart(index as usize, octets.into()), size)
    }

    fn add_attachment(&mut self, _: Handle, attachment: Attachment) -> wasmtime::Result<()> {
        let size = attachment.data.len();
        self.edit_body(BodyEdit::AddAttachment(file(attachment)?), size)
    }

    fn replace_attachment(&mut self, _: Handle, index: u32, attachment: Attachment) -> wasmtime::Result<()> {
        let size = attachment.data.len();
        self.edit_body(BodyEdit::ReplaceAttachment(index as usize, file(attachment)?), size)
    }

    fn remove_part(&mut self, _: Handle, index: u32) -> wasmtime::Result<()> {
        self.edit_body(BodyEdit::RemovePart(index as usize), 0)
    }

    fn drop(&mut self, _: Handle) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// What is to be read of a body: here if it is small, and off the event loop if it is not. It is the host's time, not the
/// guest's.
async fn read<T: Send + 'static>(
    time: &GuestTime,
    octets: u64,
    work: impl FnOnce() -> T + Send + 'static,
) -> wasmtime::Result<T> {
    if octets <= SMALL {
        return Ok(time.of_host(work));
    }
    tokio::task::spawn_blocking(work).await.map_err(|e| unavailable(format!("the body can't be read: {e}")))
}

/// Text that is not too long to be handed over in one piece.
fn bounded(text: Option<String>) -> Result<Option<String>, String> {
    match text {
        Some(text) if text.len() > TEXT_MAX => {
            Err(format!("the text has {} octets, and {TEXT_MAX} are handed over; read the part", text.len()))
        }
        text => Ok(text),
    }
}

fn file(attachment: Attachment) -> wasmtime::Result<mime::Attachment> {
    Ok(mime::Attachment {
        name: short("the name of a file", attachment.file_name)?,
        content_type: short("the type of a file", attachment.content_type)?,
        data: attachment.data.into(),
    })
}

fn part(part: &mime::Part) -> Part {
    Part {
        index: u32::try_from(part.index).unwrap_or(u32::MAX),
        parent: part.parent.and_then(|parent| u32::try_from(parent).ok()),
        content_type: part.content_type.clone(),
        charset: part.charset.clone(),
        file_name: part.file_name.clone(),
        content_id: part.content_id.clone(),
        size: part.size,
        is_attachment: part.is_attachment,
        is_multipart: part.is_multipart,
    }
}
