/// `{event}`
impl On<on::{Event}> for Sink {
    fn on(&self, heard: &mut Heard<'_, on::{Event}>) -> Result<Ruling<on::{Event}>, Fault> {
        debug!("{event}: {}", heard.id().unwrap_or_default());
        Ok(Ruling::next())
    }
}
