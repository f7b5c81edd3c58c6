;; Uses a handle that it never got.
(func $act (param $message i32) (param $session i32) (result i32)
  (drop (call $body-size (i32.const 12345)))
  (i32.const 0))
