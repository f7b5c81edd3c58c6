;; Wants what the server has not: HTTP by another interface, and a function from nowhere.
(component
  (import "wasi:http/types@0.2.6" (instance))
  (import "launch-missiles" (func))
  (core module $m (func (export "run")))
  (core instance $i (instantiate $m))
  (func $run (canon lift (core func $i "run")))
  (instance $start (export "handle" (func $run)))
  (export "mailsluice:sink/server-start@1.0.0" (instance $start)))
