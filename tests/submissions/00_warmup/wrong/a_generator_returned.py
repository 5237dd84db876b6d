# task: repaired_kl
# says: is a generator, not numbers
def repaired_kl(mean, logvar):
    return (row.sum() for row in mean)
# loses: repaired_kl, kl_in_bits
