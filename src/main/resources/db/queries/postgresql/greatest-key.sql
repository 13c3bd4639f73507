SELECT greatest((SELECT max(pk) FROM message), (SELECT max(pk) FROM event), 0)
