;; Says a verdict that there is not.
(func $act (param $message i32) (param $session i32) (result i32)
  (i32.store8 (i32.const 520) (i32.const 99))
  (i32.const 512))
