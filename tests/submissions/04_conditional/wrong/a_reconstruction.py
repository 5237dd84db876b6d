# task: change_digit
# says: this is a reconstruction
def change_digit(model, x, labels, new_labels):
    mean, logvar = model.encode(x, labels)
    return jax.nn.sigmoid(model.decode(mean, labels))
