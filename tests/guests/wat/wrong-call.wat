;; Calls a function by the wrong signature.
(type $nothing (func))
(table $calls 2 funcref)
(elem (table $calls) (i32.const 1) func $drop-message)
(func $act (param $message i32) (param $session i32) (result i32)
  (call_indirect $calls (type $nothing) (i32.const 1))
  (i32.const 0))
