// A sink in five lines. Change it while the server runs.
export function onArrival(message, ctx) {
  if (!/hello/i.test(message.subject)) return;
  message.addHeader("X-Greeting", "Hello to you, " + (message.sender || "nobody"));
}
