SELECT drop_slice(:?pk)
