# task: depth_to_space
# says: A reshape alone leaves the rows of a block side by side
def depth_to_space(h, block):
    batch, height, width, depth = h.shape
    return h.reshape(batch, block * height, block * width, depth // block**2)
