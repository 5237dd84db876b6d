# task: cost
# says: The biases are forgotten
def cost(height, width, kernel, inputs, outputs):
    weights = kernel * kernel * inputs * outputs
    return weights, height * width * weights
