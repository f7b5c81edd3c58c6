;; Takes its session for a message.
(func $act (param $message i32) (param $session i32) (result i32)
  (drop (call $body-size (local.get $session)))
  (i32.const 0))
