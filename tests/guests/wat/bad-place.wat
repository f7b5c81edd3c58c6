;; Leaves its verdict where there is no memory.
(func $act (param $message i32) (param $session i32) (result i32)
  (i32.const 0xfffffff8))
