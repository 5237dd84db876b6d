# task: most_saved
# says: This is in bits
most_saved = np.log2(10)
