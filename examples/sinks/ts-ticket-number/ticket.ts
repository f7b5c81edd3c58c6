// Gives every new request to the help desk a number, in the subject, where replies keep it: "[#1042] The printer is on fire".
//
// The number is counted in the sink's `kv`, which survives restarts and reloads: none is given twice.

import type * as Sink from "mailsluice:sink/transport-submit@1.0.0";
import { get as config } from "mailsluice:sink/config@1.0.0";
import { increment } from "mailsluice:sink/kv@1.0.0";

type Config = { queue: string; first?: number };

export const transportSubmit: typeof Sink = {
  handle(message) {
    const { queue, first = 1 }: Config = JSON.parse(config());
    const subject = message.header("Subject") ?? "";
    const known = /\[#(\d+)\]/.exec(subject);
    const number = known ? known[1] : String(increment(queue, 1n, undefined) + BigInt(first) - 1n);
    if (!known) message.setHeader("Subject", `[#${number}] ${subject || "(no subject)"}`);
    message.prependHeader("X-Ticket", number);
    return { tag: "next" };
  },
};
