// Tags the subject of what comes from outside.
export function onArrival(message, ctx) {
  if (message.subject.startsWith(ctx.config.tag)) return;
  message.setHeader("Subject", ctx.config.tag + " " + message.subject);
}
