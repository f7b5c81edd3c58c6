;; Asks for the recipients again and again and drops none of the handles.
(func $act (param $message i32) (param $session i32) (result i32)
  (loop $again
    (global.set $heap (i32.const 4096))
    (call $recipients (local.get $message) (i32.const 640))
    (br $again))
  (i32.const 0))
