// What a script can do wrong: it does what the header field X-Act of a message says.
const acts = {
  spin() { for (;;); },
  spinCaught() { for (;;) { try { for (;;); } catch { continue; } } },
  regex() { /^(a+)+$/.test("a".repeat(60) + "b"); },
  deeper() { return 1 + acts.deeper(); },
  nested() { JSON.parse("[".repeat(1_000_000)); },
  hoard() { const all = []; for (;;) all.push("x".repeat(1_000_000) + all.length); },
  small() { const all = []; for (;;) all.push({ all: all.length }); },
  forever() { return new Promise(() => {}); },
  late() { return Promise.reject(new Error("too late")); },
  thrown() { throw "a text and no error"; },
  member(message) { message.subjct; },
  verdict(message) { message.hold("unsaid"); },
  made() { reject("made and not returned"); },
  text(message) { message.setHeader("X-A", "lone \ud800 surrogate"); },
  field(message) { message.setHeader("X-A: b\r\nBcc", "c\r\nd"); },
  reach() {
    const there = ["process", "require", "Deno", "XMLHttpRequest", "WebAssembly", "std", "os"];
    const found = there.filter((name) => name in globalThis);
    if (found.length) throw new Error("within reach: " + found);
  },
  random(message) { message.setHeader("X-Random", String(Math.random())); },
  built() { new Function("for (;;);")(); },
  getter() { return { get then() { for (;;); } }; },
  kept(message) { globalThis.kept ??= message; },
};

export async function onArrival(message) {
  const act = message.header("X-Act");
  if (act) return acts[act](message);
}
