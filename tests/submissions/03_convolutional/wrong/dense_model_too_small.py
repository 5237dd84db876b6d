# task: models
# says: the comparison is fair only if the dense one has no fewer
models = {"conv": joined(ConvEncoder, ConvDecoder), "mlp": dense_model(6)}
