;; Counts a byte in a part of the memory that it is given: 16 bytes at a time, then one by one.
;; Assembled by `npx wabt` (wat2wasm count.wat); the binary is committed beside it.
(module
  (import "env" "memory" (memory 1 65536))
  (func (export "count") (param $at i32) (param $length i32) (param $byte i32) (result i32)
    (local $end i32)
    (local $found i32)
    (local $wanted v128)
    (local.set $wanted (i8x16.splat (local.get $byte)))
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $tail
      (loop $sixteen
        (br_if $tail (i32.gt_u (i32.const 16) (i32.sub (local.get $end) (local.get $at))))
        (local.set $found
          (i32.add
            (local.get $found)
            (i32.popcnt (i8x16.bitmask (i8x16.eq (local.get $wanted) (v128.load align=1 (local.get $at)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $sixteen)))
    (block $done
      (loop $one
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $found
          (i32.add (local.get $found) (i32.eq (i32.load8_u (local.get $at)) (local.get $byte))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $one)))
    (local.get $found))
  ;; For those who write through the memory.
  (func (export "store") (param $at i32) (param $byte i32)
    (i32.store8 (local.get $at) (local.get $byte))))
