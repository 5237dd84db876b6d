# task: digit_on_demand
def digit_on_demand(model, digit, count, *, key):
    from vae_course.generation import sample_prior

    return sample_prior(model, count, key=key, labels=np.full(count, digit))
# task: change_digit
def change_digit(model, x, labels, new_labels):
    def one(image, old, new):
        mean = model.encode(image[None], old[None])[0]
        return 0.5 * (1 + jnp.tanh(model.decode(mean, new[None])[0] / 2))

    return jnp.stack([one(*row) for row in zip(x, labels, new_labels)])
# task: most_saved
most_saved = -10 * 0.1 * np.log(0.1)
# task: why_it_obeys
why_it_obeys = " C "
