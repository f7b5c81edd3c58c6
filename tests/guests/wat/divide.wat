;; Divides by zero.
(func $act (param $message i32) (param $session i32) (result i32)
  (i32.div_s (local.get $message) (i32.const 0)))
