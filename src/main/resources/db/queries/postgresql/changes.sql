SELECT topic, revision FROM change
