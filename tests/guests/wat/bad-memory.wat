;; Gives the server memory to write to that it has not.
(func $act (param $message i32) (param $session i32) (result i32)
  (global.set $heap (i32.const 0xffff0000))
  (call $recipients (local.get $message) (i32.const 640))
  (i32.const 0))
