;; A component of another world: it exports what no server asks for.
(component
  (core module $m (func (export "run")))
  (core instance $i (instantiate $m))
  (func $run (canon lift (core func $i "run")))
  (instance $calculator (export "add" (func $run)))
  (export "acme:calculator/adder@1.2.0" (instance $calculator)))
