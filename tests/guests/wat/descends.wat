;; Calls itself without end, and needs nothing but the stack for it.
(func $deeper (param $depth i32) (result i32)
  (i32.add (call $deeper (i32.add (local.get $depth) (i32.const 1))) (i32.const 1)))
(func $act (param $message i32) (param $session i32) (result i32)
  (call $deeper (i32.const 0)))
