# task: may_be_concluded
# says: Look at the spread of the dots
may_be_concluded = "d"
