// The sink `{name}`. Returning nothing is `next`; also: reject("text"), defer("text"), hold("why"), discard(), skipRest().

{handlers}
