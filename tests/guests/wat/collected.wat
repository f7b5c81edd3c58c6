;; Leaves its garbage to be collected.
(module
  (memory (export "memory") 1) (type $box (struct (field i32))) (func (drop (struct.new $box (i32.const 1))))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "mailsluice:sink/transport-submit@1.0.0#handle") (param i32 i32) (result i32) i32.const 0))
