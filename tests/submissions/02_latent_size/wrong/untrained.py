# task: models
# says: is the model trained
import types

models = {
    size: training.init_model(
        ModelConfig(hidden_sizes=hidden, latent_size=size, activation="silu"), seed=0
    )
    for size in SIZES
}
histories = {size: types.SimpleNamespace(seconds=[0.0]) for size in SIZES}
