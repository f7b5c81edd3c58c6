// The sink `{name}`.
//
// Each function returns true and a verdict, or false and in `fault`, by `sink_string_dup`, why it could not do its work.

#include "sink.h"

{handlers}
