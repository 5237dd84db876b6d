# task: digit_on_demand
# says: copies of training images
def digit_on_demand(model, digit, count, *, key):
    found = images.train_images[images.train_labels == digit]
    return found[jax.random.randint(key, (count,), 0, len(found))] / 255
