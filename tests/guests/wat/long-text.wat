;; Holds for a reason of two GiB, of which its memory has none.
(func $act (param $message i32) (param $session i32) (result i32)
  (call $hold (i32.const 1024) (i32.const 0x7fffffff)))
