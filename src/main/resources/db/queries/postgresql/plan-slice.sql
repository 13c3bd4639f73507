SELECT plan_next_slice(:?width)
