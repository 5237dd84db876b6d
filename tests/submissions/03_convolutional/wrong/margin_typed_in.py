# task: margin
# says: The margin in nats per image is 25
margin = (25.0, 0.8)
