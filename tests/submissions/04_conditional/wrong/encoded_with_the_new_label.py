# task: change_digit
# says: encoded with the new label
def change_digit(model, x, labels, new_labels):
    mean, _ = model.encode(x, new_labels)
    return jax.nn.sigmoid(model.decode(mean, new_labels))
