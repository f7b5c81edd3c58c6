// A text below each message that leaves the house, once: in the text and the HTML that a reader shows, whatever parts surround them.

import type { OnArrival } from "mailsluice";

export const onArrival: OnArrival = (message, ctx) => {
  const { text } = ctx.config as { text: string };
  // A reply quotes it already.
  if (message.text?.includes(text)) return;
  message.appendText(`\n${text}\n`, `<p>${escape(text)}</p>`);
};

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
