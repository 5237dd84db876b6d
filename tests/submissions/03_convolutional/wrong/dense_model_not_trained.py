# task: models
# says: is it trained?
models = {"conv": joined(ConvEncoder, ConvDecoder), "mlp": dense_model(7)}
work.train(models["conv"], settings, seed=3)
