# task: models
# says: the comparison is fair only if the dense one has no fewer
# loses: models
conv = joined(ConvEncoder, ConvDecoder)
models = {"conv": conv, "mlp": dense_model(2)}
for model in models.values():
    work.train(model, settings, seed=3)
