;; Logs what is not UTF-8.
(data (i32.const 1024) "\f0\28\8c\bc")
(func $act (param $message i32) (param $session i32) (result i32)
  (call $log (i32.const 1) (i32.const 1024) (i32.const 4))
  (i32.const 0))
