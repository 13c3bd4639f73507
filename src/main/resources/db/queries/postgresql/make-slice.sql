SELECT make_slice()
