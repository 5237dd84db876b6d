# task: shuffled
# says: A dense layer has a weight of its own for every pixel
shuffled = "a"
