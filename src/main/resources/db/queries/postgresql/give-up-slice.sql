SELECT give_up_slice()
