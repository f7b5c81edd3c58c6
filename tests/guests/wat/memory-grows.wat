;; Grows its memory page by page until there is no more, and touches each; then it goes on.
(func $act (param $message i32) (param $session i32) (result i32)
  (local $page i32)
  (loop $again
    (local.set $page (memory.grow (i32.const 1)))
    (if (i32.ne (local.get $page) (i32.const -1))
      (then
        (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const 1))
        (br $again))))
  (i32.const 0))
