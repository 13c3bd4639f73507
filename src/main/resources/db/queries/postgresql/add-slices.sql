SELECT add_slices(:?width) AS added
