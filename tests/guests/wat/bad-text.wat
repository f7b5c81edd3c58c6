;; Holds for a reason that is not UTF-8.
(data (i32.const 1024) "\ff\fe\c3\28")
(func $act (param $message i32) (param $session i32) (result i32)
  (call $hold (i32.const 1024) (i32.const 4)))
