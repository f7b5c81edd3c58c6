// Part of each sink: the garbage collector runs only where the sink calls runtime.GC. It asks for the time, which traps when it starts by
// itself while the server hands over octets.
package main

import "runtime/debug"

func init() {
	debug.SetGCPercent(-1)
}
