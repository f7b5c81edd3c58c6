;; Exports an event of this server with a function of another shape.
(component
  (core module $m (func (export "run") (param i32)))
  (core instance $i (instantiate $m))
  (func $run (param "mail" u32) (canon lift (core func $i "run")))
  (instance $submit (export "handle" (func $run)))
  (export "mailsluice:sink/transport-submit@1.0.0" (instance $submit)))
