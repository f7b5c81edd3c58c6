;; Yields to others while it is made.
(component
  (core func $yield (canon thread.yield))
  (core module $m
    (import "" "yield" (func $yield (result i32)))
    (func $start (drop (call $yield)))
    (start $start)
    (func (export "run")))
  (core instance $i (instantiate $m (with "" (instance (export "yield" (func $yield))))))
  (func $run (canon lift (core func $i "run")))
  (instance $start (export "handle" (func $run)))
  (export "mailsluice:sink/server-start@1.0.0" (instance $start)))
