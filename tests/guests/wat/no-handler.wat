;; Says that it hears an event and has no function for it.
(module (memory (export "memory") 1))
