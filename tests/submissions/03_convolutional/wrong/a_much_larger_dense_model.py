# task: models
# says: take the narrowest layer that gives no fewer
models = {"conv": joined(ConvEncoder, ConvDecoder), "mlp": dense_model(16)}
