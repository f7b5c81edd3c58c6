;; Lifts its function asynchronously, with a callback of the wrong type (the shape of CVE-2026-115384).
(component
  (core module $m
    (func (export "run") (result i32) i32.const 0)
    (func (export "back") (param i32 i32 i32) (result i32) i32.const 0))
  (core instance $i (instantiate $m))
  (func $run async (canon lift (core func $i "run") async (callback (core func $i "back"))))
  (instance $start (export "handle" (func $run)))
  (export "mailsluice:sink/server-start@1.0.0" (instance $start)))
