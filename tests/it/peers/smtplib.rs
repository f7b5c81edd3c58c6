//! Python's smtplib as a submission client.

use super::submission::{IMPLICIT, STARTTLS, Submission, from_alice};
use super::{peer, python};
use serde_json::json;

/// Arguments: port, `starttls` or `implicit`, the file of the authority, mechanism, password. The letter is standard input.
const SUBMIT: &str = r#"
import json, smtplib, ssl, sys
port, mode, authority, mechanism, password = sys.argv[1:]
letter = sys.stdin.buffer.read()
class Named:
    # The certificate is for this name, and there is no DNS to find it in.
    def wrap_socket(self, sock, server_hostname=None, **rest):
        return context.wrap_socket(sock, server_hostname="mx.example.com", **rest)
context = ssl.create_default_context(cafile=authority)
told = {}
if mode == "implicit":
    server = smtplib.SMTP_SSL("127.0.0.1", int(port), local_hostname="client.example", timeout=60, context=Named())
else:
    server = smtplib.SMTP("127.0.0.1", int(port), local_hostname="client.example", timeout=60)
    server.ehlo()
    told["before"] = server.esmtp_features.get("auth", "").split()
    server.starttls(context=Named())
with server:
    server.ehlo()
    told["offered"] = server.esmtp_features.get("auth", "").split()
    told["tls"] = server.sock.version()
    try:
        server.user, server.password = "alice", password
        if mechanism == "login":
            server.login("alice", password)
        else:
            server.auth(mechanism, {"PLAIN": server.auth_plain, "LOGIN": server.auth_login}[mechanism])
        told["refused"] = server.sendmail("alice@example.com", ["bob@example.com"], letter)
    except smtplib.SMTPAuthenticationError as error:
        told["code"] = error.smtp_code
print(json.dumps(told))
"#;

/// What the script tells.
fn submit(place: &Submission, listener: usize, mechanism: &str, password: &str, letter: &str) -> serde_json::Value {
    let program = peer("python3").expect("python3");
    let port = place.server.address(listener).port().to_string();
    let authority = place.server.path("ca.pem").display().to_string();
    let mode = if listener == STARTTLS { "starttls" } else { "implicit" };
    python(&program, SUBMIT, &[&port, mode, &authority, mechanism, password], letter.replace('\n', "\r\n").as_bytes())
}

#[test]
fn python_logs_in_and_submits_under_both_kinds_of_tls() {
    if peer("python3").is_none() {
        return;
    }
    let place = Submission::start();
    let mut count = 0;
    for listener in [STARTTLS, IMPLICIT] {
        for mechanism in ["login", "PLAIN", "LOGIN"] {
            let letter = from_alice(&format!("python-{listener}-{mechanism}"));
            let told = submit(&place, listener, mechanism, "pencil", &letter);
            assert_eq!((&told["refused"], &told["tls"]), (&json!({}), &json!("TLSv1.3")), "{told}");
            // Without TLS there is only what shows nothing.
            if listener == STARTTLS {
                assert_eq!(told["before"], json!(["SCRAM-SHA-256"]));
            }
            let offered = json!(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"]);
            assert_eq!(told["offered"], offered);
            count += 1;
            place.came_from_alice(count, &letter);
        }
    }
    let told = submit(&place, IMPLICIT, "login", "Pencil", "");
    assert_eq!((&told["code"], &told["refused"]), (&json!(535), &json!(null)), "{told}");
}
