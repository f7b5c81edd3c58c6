// Tells a web service of each message, and lets it object.
//
// 2xx: the message goes on. 403: it is refused, in the words of the response. Everything else, no response included, is a fault: the
// binding's `on-fault` says what becomes of the message.

import { get as config } from "mailsluice:sink/config@1.0.0";
import { fetch } from "mailsluice:sink/http@1.0.0";

export const transportSubmit = {
  handle(message) {
    const { url } = JSON.parse(config());
    const told = {
      id: message.id(),
      sender: message.sender() ?? null,
      recipients: message.recipients().map((recipient) => recipient.address()),
      subject: message.header("Subject") ?? null,
      attachments: message.parts().filter((part) => part.isAttachment).map((part) => part.fileName ?? part.contentType),
    };
    const response = post(url, told);
    if (response.status === 403) {
      const text = new TextDecoder().decode(response.body).trim();
      return { tag: "reject", val: { code: 550, status: { class: 5, subject: 7, detail: 1 }, text: text || "Refused" } };
    }
    if (response.status < 200 || response.status > 299) throw `the webhook answered ${response.status}`;
    return { tag: "next" };
  },
};

function post(url, value) {
  const headers = [{ name: "Content-Type", value: "application/json" }];
  const body = { tag: "octets", val: new TextEncoder().encode(JSON.stringify(value)) };
  try {
    return fetch({ method: "POST", url, headers, body, timeout: 3000 });
  } catch (error) {
    // What a host function returns as an error is thrown with the error in `payload`.
    throw `the webhook is out of reach: ${error.payload?.tag ?? error} ${error.payload?.val ?? ""}`.trim();
  }
}
