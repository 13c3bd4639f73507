SELECT max(coalesce((SELECT max(pk) FROM message), 0), coalesce((SELECT max(pk) FROM event), 0))
