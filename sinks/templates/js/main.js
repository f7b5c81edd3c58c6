// The sink `{name}`.
//
// A function returns a verdict: { tag: "next" }, { tag: "reject", val: undefined }, and so on. What it throws is a fault of the sink's.

import { write } from "mailsluice:sink/log@1.0.0";

{handlers}
