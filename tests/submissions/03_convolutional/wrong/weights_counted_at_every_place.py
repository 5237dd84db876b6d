# task: cost
# says: The weights are the same at every place: they are counted once.
def cost(height, width, kernel, inputs, outputs):
    products = height * width * kernel**2 * inputs * outputs
    return products + outputs, products
