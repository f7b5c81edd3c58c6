"""The sink `{name}`.

A method returns a verdict: `types.Verdict_Next()`, `types.Verdict_Reject(None)`, and so on. An exception that nobody catches is a fault of the
sink's. Import modules here on top and nowhere else: when the sink runs there are no files.
"""

from wit_world import exports
from wit_world.imports import log, types

{handlers}
