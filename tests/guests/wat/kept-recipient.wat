;; Keeps a recipient of one message and asks it for its address in the next.
(import "mailsluice:sink/types@1.0.0" "[method]recipient.address" (func $address (param i32 i32)))
(global $recipient (mut i32) (i32.const 0))
(func $act (param $message i32) (param $session i32) (result i32)
  (if (global.get $recipient)
    (then (call $address (global.get $recipient) (i32.const 640))))
  (call $recipients (local.get $message) (i32.const 640))
  (global.set $recipient (i32.load (i32.load (i32.const 640))))
  (i32.const 0))
