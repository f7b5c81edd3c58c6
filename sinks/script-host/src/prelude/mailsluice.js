// What `import { … } from "mailsluice"` gives: the verdicts, which are globals too.

import { verdicts } from "mailsluice:verdict.js";

export const { next, skipRest, answer, reject, defer, disconnect, discard, hold } = verdicts;
