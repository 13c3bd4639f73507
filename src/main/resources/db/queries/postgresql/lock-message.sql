-- Another delivery of it may end at the same time, on another node: the later one sees that it is the last.
SELECT pk FROM message WHERE tenant_id = ? AND pk = ? FOR UPDATE
