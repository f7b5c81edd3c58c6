;; A module of somebody else, as the import of a function from nowhere shows.
(module
  (import "env" "launch_missiles" (func $launch))
  (memory (export "memory") 1)
  (func (export "mailsluice:sink/transport-submit@1.0.0#handle") (param i32 i32) (result i32)
    (call $launch)
    (i32.const 0)))
