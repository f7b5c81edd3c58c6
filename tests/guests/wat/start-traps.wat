;; Fails when it is made.
(func $act (param $message i32) (param $session i32) (result i32) (i32.const 0))
(func $start unreachable)
(start $start)
