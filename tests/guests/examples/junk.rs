//! Looks at everything that there is of a message, whatever it is: what the SDK makes of junk, and of what is large.

use mailsluice_guests::{Fault, Said, Submitted, act as told, guest, well};
use std::hint::black_box;
use std::io::Read;

/// Everything but the body as a whole, which may be larger than the guest.
fn look(heard: &Submitted<'_>) -> Result<(), Fault> {
    black_box((heard.sender(), heard.size(), heard.fields(), heard.raw_header(), heard.headers("Received")));
    black_box((heard.text().ok(), heard.html().ok(), heard.header("Subject")));
    for recipient in heard.recipients() {
        black_box((recipient.path(), recipient.original(), recipient.standing()));
    }
    for part in heard.parts().unwrap_or_default().into_iter().filter(|part| !part.is_multipart) {
        black_box(heard.part(&part).range(0, 100)?);
    }
    Ok(())
}

fn act(heard: &mut Submitted<'_>) -> Said {
    if told(heard) != "stream" {
        look(heard)?;
    }
    let (mut sum, mut buffer) = (0_u64, vec![0; 64 << 10]);
    let mut body = heard.body();
    loop {
        let got = body.read(&mut buffer).map_err(Fault::error)?;
        if got == 0 {
            break;
        }
        sum += buffer[..got].iter().map(|octet| u64::from(*octet)).sum::<u64>();
    }
    heard.set_header("X-Sum", &sum.to_string())?;
    well()
}

guest!(act);
