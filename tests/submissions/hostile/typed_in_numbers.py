# exercise: 02-latent-size
measured = {2: (143.0, 2), 8: (105.0, 8), 32: (98.0, 19), 64: (98.0, 19), 128: (98.5, 19)}
enough = 32
models = {size: f"a model with {size} latents" for size in measured}
