//! Changes everything about a message, and fails when it has.

use mailsluice_guests::{Fault, Said, Submitted, act as told, guest, unknown};
use mailsluice_sink::{Attachment, Bearer};
use std::hint::black_box;

fn change(heard: &mut Submitted<'_>) -> Result<(), Fault> {
    heard.set_header("Subject", "spoiled")?;
    heard.prepend_header("X-Spoiled", "yes")?;
    heard.replace_body(b"spoiled\r\n");
    heard.set_sender(Some("spoiled@client.example"))?;
    heard.add_recipient("bob@example.com")?;
    heard.set_property(Bearer::Message, "spoiled", true)
}

fn act(heard: &mut Submitted<'_>) -> Said {
    let told = told(heard);
    if !told.is_empty() {
        change(heard)?;
    }
    match told.as_str() {
        "panic" => panic!("half way"),
        "fault" => Err(Fault::error("half way")),
        "spin" => loop {
            black_box(());
        },
        "illegal" => {
            heard.remove_part(&heard.parts()?[0].clone());
            heard.add_attachment(&Attachment {
                file_name: "x\r\nBcc: y".into(),
                content_type: "text/plain\r\nX: y".into(),
                data: vec![0; 10],
            });
            Ok(mailsluice_guests::Ruling::next())
        }
        other => unknown(other),
    }
}

guest!(act);
