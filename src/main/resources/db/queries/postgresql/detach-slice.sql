SELECT detach_slice(:?pk, :?before, :?common) AS kept
