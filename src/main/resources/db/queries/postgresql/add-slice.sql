-- most: bytes that are looked through while mail waits, for some tenths of a second.
SELECT add_next_slice(:?width, 268435456) AS trouble
