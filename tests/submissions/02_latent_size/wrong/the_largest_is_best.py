# task: enough
# says: latents are enough already
enough = max(SIZES)
